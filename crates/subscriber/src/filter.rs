//! Which accounts are subscribed to.

use balance_events::subject;

/// Which accounts are subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Wanted);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    AllLedgers,
    Ledger(String),
    Account { ledger: String, account: String },
}

/// Why there are no such accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterFault {
    /// A ledger's name has other characters.
    #[error("a ledger's name is lower-case letters, digits, '-' and '_'")]
    Ledger,
    /// An account's id is empty.
    #[error("an account's id is not empty")]
    Account,
}

impl Filter {
    /// All accounts of all ledgers.
    #[must_use]
    pub const fn all_ledgers() -> Self {
        Self(Wanted::AllLedgers)
    }

    /// All accounts of one ledger.
    ///
    /// # Errors
    /// No ledger has such a name.
    pub fn ledger(name: &str) -> Result<Self, FilterFault> {
        Ok(Self(Wanted::Ledger(ledger_name(name)?)))
    }

    /// One account of a ledger.
    ///
    /// # Errors
    /// No ledger has such a name, or the account is empty.
    pub fn account(ledger: &str, account: &str) -> Result<Self, FilterFault> {
        if account.is_empty() {
            return Err(FilterFault::Account);
        }
        Ok(Self(Wanted::Account { ledger: ledger_name(ledger)?, account: account.to_owned() }))
    }

    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.0
    }

    /// What the subjects of these accounts match.
    pub(crate) fn subjects(&self) -> String {
        match &self.0 {
            Wanted::AllLedgers => format!("{}.>", subject::PREFIX),
            Wanted::Ledger(ledger) => subject::ledger_subjects(ledger),
            Wanted::Account { ledger, account } => subject::subject(ledger, account),
        }
    }
}

fn ledger_name(name: &str) -> Result<String, FilterFault> {
    let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_plain) {
        Ok(name.to_owned())
    } else {
        Err(FilterFault::Ledger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_subject() {
        assert_eq!(Filter::all_ledgers().subjects(), "tallyhook.balances.>");
        assert_eq!(Filter::ledger("main").unwrap().subjects(), "tallyhook.balances.main.>");
        let one = Filter::account("main", "jo@x.*").unwrap();
        assert_eq!(one.subjects(), "tallyhook.balances.main.jo=40x=2E=2A");
    }

    #[test]
    fn names_that_would_match_more_are_refused() {
        for name in ["", "*", ">", "a.b", "a b", "Main", "ü"] {
            assert_eq!(Filter::ledger(name), Err(FilterFault::Ledger), "{name}");
            assert_eq!(Filter::account(name, "jo"), Err(FilterFault::Ledger), "{name}");
        }
        assert_eq!(Filter::account("main", ""), Err(FilterFault::Account));
    }
}
