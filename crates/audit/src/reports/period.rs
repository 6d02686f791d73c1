//! Periods of the calendar, in UTC.

use domain::{calendar::Day, time::Timestamp};

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// A month.
    Month,
    /// Three months.
    Quarter,
    /// A year.
    Year,
}

/// One period: they sort as time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first day.
    first: Day,
    length: Length,
}

/// As [`Period`], which has no order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Length {
    Day,
    Month,
    Quarter,
    Year,
}

impl Period {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The period of a moment.
    #[must_use]
    pub fn of(self, moment: Timestamp) -> Span {
        let day = Day::of(moment);
        let (year, month, _) = day.parts();
        let first = |month| Day::new(year, month, 1).unwrap_or(day);
        match self {
            Self::Day => Span { first: day, length: Length::Day },
            Self::Month => Span { first: first(month), length: Length::Month },
            Self::Quarter => {
                Span { first: first((month - 1) / 3 * 3 + 1), length: Length::Quarter }
            }
            Self::Year => Span { first: first(1), length: Length::Year },
        }
    }
}

impl std::fmt::Display for Span {
    /// `2026-07-01`, `2026-07`, `2026-Q3` or `2026`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, _) = self.first.parts();
        match self.length {
            Length::Day => write!(f, "{}", self.first),
            Length::Month => write!(f, "{year:04}-{month:02}"),
            Length::Quarter => write!(f, "{year:04}-Q{}", (month + 2) / 3),
            Length::Year => write!(f, "{year:04}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_in_one_period_of_each_length() {
        let periods = [Period::Day, Period::Month, Period::Quarter, Period::Year];
        for (moment, shown) in [
            ("2026-07-31T23:59:59.999999Z", ["2026-07-31", "2026-07", "2026-Q3", "2026"]),
            ("2026-08-01T00:00:00Z", ["2026-08-01", "2026-08", "2026-Q3", "2026"]),
            ("2025-12-31T23:00:00-01:00", ["2026-01-01", "2026-01", "2026-Q1", "2026"]),
            ("1969-12-31T23:59:59Z", ["1969-12-31", "1969-12", "1969-Q4", "1969"]),
            ("0001-01-01T00:00:00Z", ["0001-01-01", "0001-01", "0001-Q1", "0001"]),
        ] {
            let moment = Timestamp::parse(moment).unwrap();
            assert_eq!(periods.map(|period| period.of(moment).to_string()), shown);
        }
    }
}
