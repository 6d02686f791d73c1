//! What anyone with the right may see of an account.

use serde::{Deserialize, Serialize};

/// An account after the record `sequence`.
///
/// Amounts are decimal text without exponent or trailing zeros, in credits of `unit`.
/// `available` is `paid` + `gift`. `version` is gapless from 1 in each account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountView {
    /// The ledger's name.
    pub ledger: String,
    /// The account's id.
    pub account: String,
    /// `active`, `frozen` or `closed`.
    pub status: String,
    /// Whether the account is active and has available credits.
    pub can_spend: bool,
    /// `open`, or `limited` when a storefront should limit new purchases.
    pub checkout: String,
    /// Spendable credits.
    pub available: String,
    /// Spendable, paid for.
    pub paid: String,
    /// Spendable, given.
    pub gift: String,
    /// Not spendable now: reserved, awaiting a refund decision, or frozen.
    pub held: String,
    /// What the account owes.
    pub owed: String,
    /// What was owed and is forgiven.
    pub written_off: String,
    /// What credits are called in this ledger.
    pub unit: String,
    /// The open causes, by id.
    pub freezes: Vec<FreezeView>,
    /// How many records changed the account.
    pub version: u64,
    /// The last record that changed the account.
    pub sequence: u64,
}

/// A cause that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FreezeView {
    /// What it is known by in this ledger.
    pub id: String,
    /// `warning`, `chargeback` or `operator`.
    pub cause: String,
    /// The disputed payment; none for an operator's freeze.
    pub payment: Option<String>,
    /// RFC 3339: when the provider says that it was filed; an operator's: when it was recorded.
    pub since: String,
    /// What is done while it is open.
    pub measures: MeasuresView,
}

/// What is done while a cause is open, in the words of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MeasuresView {
    /// `allow` or `suspend`.
    pub spending: String,
    /// `keep`, `freeze-payment` or `freeze-account`.
    pub balance: String,
    /// `open` or `limit`.
    pub checkout: String,
    /// `none` or `require`.
    pub verification: String,
    /// `normal` or `restrict`.
    pub service: String,
}
