//! The rules of an operator, in versions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    credits::Credits,
    ids::{PriceId, Text},
    input::LotKind,
    money::Currency,
    payment::Clearable,
    refunds::Refunds,
    time::Timestamp,
};

/// One version of an operator's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The policy's name.
    pub name: Text,
    /// From 1, rising.
    pub version: u32,
    /// From when it applies; the first version applies from the beginning of time.
    pub effective_from: Timestamp,
    /// What credits are called; never changes in a ledger.
    pub unit: Text,
    /// The decimals of credits, at most nine; never changes in a ledger.
    pub decimals: u8,
    /// Credits for one major unit of money.
    pub rates: BTreeMap<Currency, Credits>,
    /// Credits per item, by price; wins over the rates.
    pub prices: BTreeMap<PriceId, PriceCredits>,
    /// What lines buy whose price is not listed. Without any prices, rates apply to all.
    pub unlisted: Unlisted,
    /// Which kind of lot a debit draws first.
    pub spend_first: LotKind,
    /// What becomes of credits that were taken back but are spent.
    pub shortfall: Shortfall,
    /// Whether free paid credits go to what is owed.
    pub settle_owed: bool,
    /// While a dispute is open.
    pub on_dispute: Measures,
    /// While a chargeback is open.
    pub on_chargeback: Measures,
    /// Instead of both, when a refund case for the payment was open before.
    pub with_open_case: Option<Measures>,
    /// When chargebacks close the account.
    pub close_after: Option<CloseAfter>,
    /// What usage must say, and whether it can be made good.
    pub usage: UsageRules,
    /// What refunds can be applied for; without it none.
    pub refunds: Option<Refunds>,
}

/// What usage must say, and whether it can be made good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRules {
    /// The names that a debit's metadata must have.
    pub metadata: BTreeSet<Text>,
    /// Whether a debit can be made good by a credit return.
    pub returns: Returns,
}

impl UsageRules {
    /// Usage may say nothing and can be made good.
    pub const PLAIN: Self = Self { metadata: BTreeSet::new(), returns: Returns::Allow };
}

/// Whether a debit can be made good by a credit return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Once, up to its amount.
    Allow,
    /// Never.
    Refuse,
}

/// What one item of a price buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceCredits {
    /// Paid credits.
    pub paid: Credits,
    /// Gift credits on top.
    pub gift: Credits,
}

/// What lines buy whose price is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// Nothing.
    Ignore,
    /// By the rate of their currency.
    Rate,
}

/// What becomes of a shortfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The account owes it.
    Owed,
    /// It is forgiven.
    WriteOff,
}

/// What is done while a cause is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// New debits and holds.
    pub spending: Spending,
    /// What is left of credits.
    pub balance: Balance,
    /// New purchases.
    pub checkout: Checkout,
    /// Whether the holder must be verified.
    pub verification: Verification,
    /// Whether service is restricted.
    pub service: Service,
}

impl Measures {
    /// Nothing is done.
    pub const NONE: Self = Self {
        spending: Spending::Allow,
        balance: Balance::Keep,
        checkout: Checkout::Open,
        verification: Verification::None,
        service: Service::Normal,
    };

    /// The same measures, one of those ended that only an operator ends.
    #[must_use]
    pub const fn without(mut self, measure: Clearable) -> Self {
        match measure {
            Clearable::Verification => self.verification = Verification::None,
            Clearable::Service => self.service = Service::Normal,
        }
        self
    }
}

/// New debits and holds while a cause is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// As always.
    Allow,
    /// Refused.
    Suspend,
}

/// What is left of credits while a cause is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// Stays spendable.
    Keep,
    /// The payment's credits are held.
    FreezePayment,
    /// All credits of the account are held.
    FreezeAccount,
}

/// New purchases while a cause is open: shown to the storefront, never refused here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkout {
    /// As always.
    Open,
    /// The storefront should limit them.
    Limit,
}

/// Whether the holder must be verified: shown, cleared by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// No.
    None,
    /// Yes.
    Require,
}

/// Whether service is restricted: shown, cleared by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// No.
    Normal,
    /// Yes.
    Restrict,
}

/// When chargebacks close an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseAfter {
    /// So many payments with a chargeback, won or not, at least 1,
    pub chargebacks: u32,
    /// filed within so many days of 24 hours.
    pub within_days: u32,
}

/// All versions that were put in force, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    versions: Vec<Arc<Policy>>,
}

/// Why a version can't follow those in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimelineFault {
    /// The version number doesn't rise.
    #[error("version {version} does not follow version {last}")]
    VersionNotRising {
        /// The version offered.
        version: u32,
        /// The version in force.
        last: u32,
    },
    /// The version would apply to the past.
    #[error("effective_from is before the activation")]
    InThePast,
    /// The version would apply before one that was put in force earlier.
    #[error("effective_from is before that of the version in force")]
    BeforeLast,
    /// `unit` or `decimals` differ.
    #[error("unit and decimals never change in a ledger")]
    UnitChanged,
}

impl Timeline {
    /// Before any version was put in force.
    pub const EMPTY: Self = Self { versions: Vec::new() };

    /// The versions that a stored ledger had, oldest first.
    #[must_use]
    pub const fn restore(versions: Vec<Arc<Policy>>) -> Self {
        Self { versions }
    }

    /// Adds a version, at the moment of its activation.
    ///
    /// # Errors
    /// See [`TimelineFault`]; the first version is never refused.
    pub fn activate(&mut self, policy: Arc<Policy>, now: Timestamp) -> Result<(), TimelineFault> {
        if let Some(last) = self.versions.last() {
            if policy.version <= last.version {
                let (version, last) = (policy.version, last.version);
                return Err(TimelineFault::VersionNotRising { version, last });
            }
            if policy.effective_from < now {
                return Err(TimelineFault::InThePast);
            }
            if policy.effective_from < last.effective_from && self.versions.len() > 1 {
                return Err(TimelineFault::BeforeLast);
            }
            if policy.unit != last.unit || policy.decimals != last.decimals {
                return Err(TimelineFault::UnitChanged);
            }
        }
        self.versions.push(policy);
        Ok(())
    }

    /// The version that applies to a moment: the first applies to all before the second.
    ///
    /// `None` only while no policy was ever put in force.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> Option<&Policy> {
        let later = self.versions.iter().skip(1).rev();
        later
            .filter(|policy| policy.effective_from <= moment)
            .map(|policy| &**policy)
            .next()
            .or_else(|| self.versions.first().map(|policy| &**policy))
    }

    /// The version with this number.
    #[must_use]
    pub fn numbered(&self, version: u32) -> Option<&Policy> {
        self.versions.iter().find(|policy| policy.version == version).map(|policy| &**policy)
    }

    /// The versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[Arc<Policy>] {
        &self.versions
    }
}
