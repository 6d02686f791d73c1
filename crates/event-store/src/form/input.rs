//! The form of what came in.
//!
//! ```text
//! input       01 | delivery      02 | command
//! delivery    source text | event key | event_type? text | occurred_at? 8 | received_at 8
//!             | body 32 | content 32 | evidence | freshness 1 | reality 1
//!             | (01 | notice) or (02 | unreadable)
//! evidence    header text | secret 4 | signed_at 8
//! unreadable  fault 1 | detail text
//! command     key text | id 16 | actor text | request 32 | order
//! settings    mode 1 | stale 1 | account_from: text .. | tolerance_seconds? v | future_seconds v
//! ```

use domain::{
    input::{
        Command, Delivery, Evidence, Freshness, Input, Mode, Reality, Settings, Stale, Unreadable,
        UnreadableFault,
    },
    notice::Notice,
};

use super::{
    Form, FormFault, Reader, Writer,
    table::{fields, variants},
};

variants!(Input, "input" {
    1 => Delivery(delivery),
    2 => Command(command),
});

fields!(Delivery {
    source,
    event,
    event_type,
    occurred_at,
    received_at,
    body,
    content,
    evidence,
    freshness,
    reality,
    notice,
});

fields!(Evidence { header, secret, signed_at });

variants!(Freshness, "freshness" {
    1 => Fresh,
    2 => Old,
    3 => Future,
});

variants!(Reality, "reality" {
    1 => Genuine,
    2 => Simulated,
});

impl Form for Result<Notice, Unreadable> {
    fn put(&self, to: &mut Writer) {
        match self {
            Ok(notice) => {
                to.byte(1);
                notice.put(to);
            }
            Err(unreadable) => {
                to.byte(2);
                unreadable.put(to);
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FormFault> {
        let offset = from.offset();
        match from.byte()? {
            1 => Notice::take(from).map(Ok),
            2 => Unreadable::take(from).map(Err),
            tag => Err(FormFault::TagUnknown { of: "content of a delivery", tag, offset }),
        }
    }
}

fields!(Unreadable { fault, detail });

variants!(UnreadableFault, "fault" {
    1 => Malformed,
    2 => UnknownAction,
    3 => UnknownCurrency,
    4 => AmountInvalid,
});

fields!(Command { key, id, actor, request, order });

fields!(Settings { mode, stale, account_from, tolerance_seconds, future_seconds });

variants!(Mode, "mode" {
    1 => Live,
    2 => Sandbox,
});

variants!(Stale, "rule for stale deliveries" {
    1 => Accept,
    2 => Quarantine,
});
