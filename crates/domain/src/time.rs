//! Moments: UTC, to the microsecond.

use std::fmt;

/// A moment in UTC with microsecond resolution, from the year 0001 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The moment so many microseconds after the epoch; `None` outside the years 0001 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// The moment so many seconds after the epoch; `None` outside the years 0001 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Reads RFC 3339; digits past the microsecond are cut off.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Self::from_micros(parsed.as_microsecond())
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// The moment so many seconds later, or the latest that there is.
    #[must_use]
    pub fn seconds_after(self, seconds: u32) -> Self {
        let micros = i64::from(seconds).saturating_mul(1_000_000);
        Self::from_micros(self.micros().saturating_add(micros))
            .unwrap_or(Self(jiff::Timestamp::MAX))
    }

    /// The moment so many days of 24 hours later, or the latest that there is.
    #[must_use]
    pub fn days_after(self, days: u32) -> Self {
        let micros = i64::from(days).saturating_mul(86_400_000_000);
        Self::from_micros(self.micros().saturating_add(micros))
            .unwrap_or(Self(jiff::Timestamp::MAX))
    }

    /// The moment so many days of 24 hours earlier, or the earliest that there is.
    #[must_use]
    pub fn days_before(self, days: u32) -> Self {
        let micros = i64::from(days).saturating_mul(86_400_000_000);
        Self::from_micros(self.micros().saturating_sub(micros))
            .unwrap_or(Self(jiff::Timestamp::MIN))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
