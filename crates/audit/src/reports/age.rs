//! How old something is: whole days of 24 hours up to a moment, in four classes.

use domain::time::Timestamp;

/// Microseconds of a day of 24 hours.
const DAY: i64 = 86_400_000_000;

/// A class of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    To30,
    To60,
    To90,
    Over90,
}

impl Age {
    pub(super) const ALL: [Self; 4] = [Self::To30, Self::To60, Self::To90, Self::Over90];

    /// The columns of a table by age.
    pub(super) const COLUMNS: [(&'static str, &'static str); 4] = [
        ("days_0_30", "0-30 days"),
        ("days_31_60", "31-60 days"),
        ("days_61_90", "61-90 days"),
        ("days_over_90", "Over 90 days"),
    ];

    /// The class of what began at a moment. What has not begun yet is new.
    pub(super) fn of(since: Timestamp, now: Timestamp) -> Self {
        match days(since, now) {
            0..=30 => Self::To30,
            31..=60 => Self::To60,
            61..=90 => Self::To90,
            _ => Self::Over90,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::To30 => "0-30 days",
            Self::To60 => "31-60 days",
            Self::To90 => "61-90 days",
            Self::Over90 => "over 90 days",
        }
    }
}

/// How many whole days it is from a moment to another; none when that is before.
pub(super) fn days(since: Timestamp, now: Timestamp) -> u64 {
    let micros = now.micros().saturating_sub(since.micros());
    u64::try_from(micros.div_euclid(DAY)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_end_with_a_whole_day() {
        let now = Timestamp::parse("2026-07-01T12:00:00Z").unwrap();
        for (days, seconds_younger, age) in [
            (0, 0, Age::To30),
            (31, 1, Age::To30),
            (31, 0, Age::To60),
            (61, 1, Age::To60),
            (61, 0, Age::To90),
            (91, 1, Age::To90),
            (91, 0, Age::Over90),
            (100_000, 0, Age::Over90),
        ] {
            let since = now.days_before(days).seconds_after(seconds_younger);
            assert_eq!(Age::of(since, now), age, "{days} days less {seconds_younger} s");
        }
        assert_eq!(Age::of(now.seconds_after(1), now), Age::To30);
    }
}
