//! What follows from all that was accepted, computed anew each time.

use std::collections::BTreeMap;

use domain::{
    account::{Closing, FreezeId, Status},
    holding::{HoldingId, LotId},
    ids::{AccountId, PaymentKey},
    input::LotKind,
    policy::{Balance, Measures, Policy, Spending},
    time::Timestamp,
};

use super::{Both, closes, ledger::Ledger, lots::Left, payment::Entitled};

/// What follows from all that was accepted.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// What every payment amounts to.
    pub payments: BTreeMap<PaymentKey, Entitled>,
    /// What is left in all lots.
    pub holdings: BTreeMap<HoldingId, Holding>,
    /// How every account stands.
    pub accounts: BTreeMap<AccountId, Standing>,
}

/// Two lots and what is left in them.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Whose.
    pub account: AccountId,
    /// How old.
    pub since: Timestamp,
    /// What was granted to them.
    pub granted: Both,
    /// What is left.
    pub left: Left,
}

/// How an account stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The open causes: since when, and what is done meanwhile.
    pub freezes: BTreeMap<FreezeId, (Timestamp, Measures)>,
    /// What closed it.
    pub closed: Option<Closing>,
    /// What is left in all its lots.
    pub books: Books,
    /// What invariant 3 says of available + held - owed - written off.
    pub right_side: i128,
}

/// The parts of a balance, in billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Spendable.
    pub free: Both,
    /// Not spendable now.
    pub held: i128,
    /// Owed.
    pub owed: i128,
    /// Forgiven.
    pub written_off: i128,
}

impl Picture {
    /// What follows from everything in the ledger.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let mut picture = Self::default();
        for (key, told) in &ledger.payments {
            picture.payments.insert(key.clone(), told.entitled(&ledger.policies));
        }
        picture.open_accounts(ledger);
        picture.freeze(ledger);
        picture.close(ledger);
        picture.fill(ledger);
        picture.add_up(ledger);
        picture
    }

    fn open_accounts(&mut self, ledger: &Ledger) {
        let paid = self.payments.values().filter(|payment| payment.since.is_some());
        let accounts = paid.filter_map(|payment| payment.account.clone());
        for account in accounts.chain(ledger.opened.iter().cloned()) {
            self.accounts.insert(account, Standing::default());
        }
    }

    fn freeze(&mut self, ledger: &Ledger) {
        for (key, payment) in &self.payments {
            let Some(account) = &payment.account else { continue };
            let Some(standing) = self.accounts.get_mut(account) else { continue };
            for (cause, what) in &payment.causes {
                let id = FreezeId::Dispute { payment: key.clone(), cause: *cause };
                standing.freezes.insert(id, *what);
            }
        }
        for (id, (account, since, measures)) in &ledger.freezes {
            if let Some(standing) = self.accounts.get_mut(account) {
                standing.freezes.insert(FreezeId::Operator(*id), (*since, *measures));
            }
        }
    }

    fn close(&mut self, ledger: &Ledger) {
        for (account, standing) in &mut self.accounts {
            let own = self.payments.values().filter(|paid| paid.account.as_ref() == Some(account));
            let filed: Vec<Timestamp> = own.filter_map(|paid| paid.charged_back_at).collect();
            standing.closed = if ledger.closed.contains(account) {
                Some(Closing::Operator)
            } else {
                closes(&ledger.policies, &filed).then_some(Closing::Policy)
            };
        }
    }

    fn fill(&mut self, ledger: &Ledger) {
        for (id, lots) in &ledger.lots {
            let paid = match id {
                HoldingId::Payment(key) => self.payments.get(key),
                HoldingId::Grant(_) | HoldingId::Overdraft(_) => None,
            };
            let frozen = paid.is_some_and(|paid| {
                let mut measures = paid.causes.values().map(|(_, measures)| measures.balance);
                measures.any(|balance| balance == Balance::FreezePayment)
            });
            let holding = Holding {
                account: lots.account.clone(),
                since: paid.and_then(|paid| paid.since).unwrap_or(lots.since),
                granted: paid.map_or(lots.granted, |paid| paid.granted),
                left: lots.left(paid, frozen),
            };
            self.holdings.insert(id.clone(), holding);
        }
    }

    fn add_up(&mut self, ledger: &Ledger) {
        for holding in self.holdings.values() {
            if let Some(standing) = self.accounts.get_mut(&holding.account) {
                standing.books.add(&holding.left);
            }
        }
        for standing in self.accounts.values_mut().filter(|standing| standing.holds_everything()) {
            standing.books.held += standing.books.free.sum();
            standing.books.free = Both::default();
        }
        for payment in self.payments.values() {
            let standing = payment.account.as_ref().and_then(|id| self.accounts.get_mut(id));
            if let Some(standing) = standing {
                let net = payment.granted.minus(payment.taken).minus(payment.used_before);
                standing.right_side += net.sum();
            }
        }
        for (id, lots) in &ledger.lots {
            if let (HoldingId::Grant(_), Some(standing)) =
                (id, self.accounts.get_mut(&lots.account))
            {
                standing.right_side += lots.granted.sum();
            }
        }
        for debit in ledger.debits.values() {
            if let Some(standing) = self.accounts.get_mut(&debit.account) {
                standing.right_side -= debit.amount - debit.returned.unwrap_or(0);
            }
        }
    }

    /// The lots of an account that usage may draw, in the order in which it must: the kind that the
    /// policy spends first, the oldest first.
    #[must_use]
    pub fn spendable(&self, account: &AccountId, policy: &Policy) -> Vec<(LotId, i128)> {
        if self.accounts.get(account).is_none_or(Standing::holds_everything) {
            return Vec::new();
        }
        let mut free = Vec::new();
        for (id, holding) in self.holdings.iter().filter(|(_, one)| one.account == *account) {
            let Both { paid, gift } = holding.left.free;
            for (kind, amount) in [(LotKind::Paid, paid), (LotKind::Gift, gift)] {
                if amount > 0 {
                    let first = kind != policy.spend_first;
                    let lot = LotId { holding: id.clone(), kind };
                    free.push((first, holding.since, lot, amount));
                }
            }
        }
        free.sort();
        free.into_iter().map(|(_, _, lot, amount)| (lot, amount)).collect()
    }

    /// The oldest of an account's holdings for which something holds.
    pub(super) fn oldest(
        &self,
        account: &AccountId,
        holds: impl Fn(&Left) -> bool,
    ) -> Option<&HoldingId> {
        let own = self.holdings.iter().filter(|(_, one)| one.account == *account);
        let found = own.filter(|(_, one)| holds(&one.left));
        found.min_by_key(|(id, one)| (one.since, *id)).map(|(id, _)| id)
    }
}

impl Standing {
    /// Whether the account may act.
    #[must_use]
    pub fn status(&self) -> Status {
        let frozen = self.freezes.values().any(|(_, measures)| {
            measures.spending == Spending::Suspend || measures.balance == Balance::FreezeAccount
        });
        match (self.closed, frozen) {
            (Some(_), _) => Status::Closed,
            (None, true) => Status::Frozen,
            (None, false) => Status::Active,
        }
    }

    /// Whether a cause holds all credits.
    #[must_use]
    pub fn holds_everything(&self) -> bool {
        self.freezes.values().any(|(_, measures)| measures.balance == Balance::FreezeAccount)
    }

    /// What can be spent.
    #[must_use]
    pub const fn available(&self) -> i128 {
        self.books.free.sum()
    }
}

impl Books {
    fn add(&mut self, left: &Left) {
        self.free = self.free.plus(left.free);
        self.held += left.held;
        self.owed += left.owed;
        self.written_off += left.written_off;
    }

    /// Available + held - owed - written off.
    #[must_use]
    pub const fn left_side(&self) -> i128 {
        self.free.sum() + self.held - self.owed - self.written_off
    }
}
