//! The form of an operator's rules for refunds.
//!
//! ```text
//! refunds   facts: text .. | review_business_days v | calendar
//!           | denials: (condition 1 | rule text) .. | reasons: (name text | reason) .. | quote
//! reason    verdict 1 | rule text | facts: text .. | within_days? v | unused 1 | remedy 1
//!           | despite: condition 1 ..
//! quote     tax 1 | channel_fee? | invoice_tax? percent | gift_used 1 | promotion 1
//!           | third_party_costs 1
//! fee       percent | fixed: (currency 3 | money z) ..
//! percent   v parts of a million, at most 1,000,000
//! calendar  zone text | weekend: weekday 1 .. | holidays: day .. | working_days: day ..
//! zone      its name as the IANA database spells it
//! day       year z | month z | day z
//! ```

use domain::{
    calendar::{Calendar, Day, Weekday, Zone},
    refunds::{Condition, Fee, Percent, QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

fields!(Refunds { facts, review_business_days, calendar, denials, reasons, quote });

variants!(Condition, "condition of a denial" {
    1 => Consumed,
    2 => Restricted,
    3 => Invoiced,
});

fields!(Reason { verdict, rule, facts, within_days, unused, remedy, despite });

variants!(ReasonVerdict, "verdict on a reason" {
    1 => Deny,
    2 => Review,
    3 => Eligible,
});

variants!(Remedy, "remedy" {
    1 => Refund,
    2 => Credits,
});

fields!(QuoteRules { tax, channel_fee, invoice_tax, gift_used, promotion, third_party_costs });

fields!(Fee { percent, fixed });

impl Form for Percent {
    fn put(&self, to: &mut Writer) {
        self.millionths().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let percent = Self::from_millionths(u32::take(from)?);
        percent.ok_or(FormFault::OutOfRange { of: "percent", offset })
    }
}

fields!(Calendar { zone, weekend, holidays, working_days });

impl Form for Zone {
    fn put(&self, to: &mut Writer) {
        to.text(self.name());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let name = from.text()?;
        let zone = Self::named(name).ok_or(FormFault::OutOfRange { of: "time zone", offset })?;
        let canonical = zone.name() == name;
        if canonical { Ok(zone) } else { Err(FormFault::NotCanonical { of: "time zone", offset }) }
    }
}

variants!(Weekday, "weekday" {
    1 => Monday,
    2 => Tuesday,
    3 => Wednesday,
    4 => Thursday,
    5 => Friday,
    6 => Saturday,
    7 => Sunday,
});

impl Form for Day {
    fn put(&self, to: &mut Writer) {
        let (year, month, day) = self.parts();
        year.put(to);
        month.put(to);
        day.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        let (year, month, day) = (i16::take(from)?, i8::take(from)?, i8::take(from)?);
        Self::new(year, month, day).ok_or(FormFault::OutOfRange { of: "day", offset })
    }
}
