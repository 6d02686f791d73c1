//! A configured webhook endpoint.

use domain::ids::{Origin, SourceName};

use crate::{pointer::Pointer, secret::Secret};

/// Who sends to a source, and so how it signs and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Paddle Billing: [`crate::paddle`].
    Paddle,
}

/// A configured webhook endpoint: what is needed to believe and to read what arrives there.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in the endpoint's path.
    pub name: SourceName,
    /// The namespace of the provider's ids.
    pub origin: Origin,
    /// Who sends.
    pub provider: Provider,
    /// The active secrets: several while they are rotated. With none, nothing is believed.
    pub secrets: Vec<Secret>,
    /// The most seconds that a delivery may be old; `None` when the age is not looked at.
    pub tolerance_seconds: Option<u32>,
    /// The most seconds that a delivery may be ahead.
    pub future_seconds: u32,
    /// Where an event names the account; the first that is there wins.
    pub account_from: Vec<Pointer>,
}
