//! Money in major units, as people write it. The ledger keeps minor units.

use domain::money::{Currency, Minor};

use crate::problem::Problem;

/// The currency with this code.
pub(super) fn currency(code: &str) -> Result<Currency, Problem> {
    let detail = "currency is none that the ledger knows: write an ISO 4217 code in upper case";
    Currency::new(code).ok_or_else(|| Problem::amount(detail))
}

/// Reads an amount, zero or above, exact to the currency's decimals.
pub(super) fn minor(name: &str, text: &str, currency: Currency) -> Result<Minor, Problem> {
    Minor::parse_major(text, currency).map_err(|fault| Problem::amount(format!("{name} {fault}")))
}
