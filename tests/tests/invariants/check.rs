//! What must hold after every record, against the naive ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{
    account::{Account, Closing, FreezeId, Status},
    decide::Verdict,
    decision::{CreditBook, House, Section},
    exception::ExceptionKind,
    holding::{HoldingId, Pair},
    ids::PaymentKey,
    input::{Input, Order, Usage},
    policy::{Balance, Measures, Policy, Spending},
    refusal::Refusal,
    time::Timestamp,
};
use tallyhook_tests::{
    history,
    naive::{self, Both, Entitled},
};

use crate::{ledger::Ledger, lots};

/// The open causes: what each does, and since when.
pub(crate) type Freezes = BTreeMap<FreezeId, (Timestamp, Measures)>;

/// What the naive ledger says of the account after some facts and operators' freezes.
pub(crate) struct Expected {
    pub(crate) payments: BTreeMap<PaymentKey, Entitled>,
    pub(crate) freezes: Freezes,
    pub(crate) closed: Option<Closing>,
}

impl Expected {
    pub(crate) fn of(ledger: &Ledger, policies: &[Arc<Policy>], operator: &Freezes) -> Self {
        let payments = naive::entitled(policies, &ledger.facts);
        let mut freezes = operator.clone();
        for (payment, entitled) in &payments {
            // Before it has an account, nothing freezes.
            for (cause, what) in entitled.causes.iter().filter(|_| entitled.account.is_some()) {
                let payment = payment.clone();
                freezes.insert(FreezeId::Dispute { payment, cause: *cause }, *what);
            }
        }
        let filed: Vec<Timestamp> =
            payments.values().filter_map(|payment| payment.charged_back_at).collect();
        let closed = match (ledger.closed, naive::closes(policies, &filed)) {
            (true, _) => Some(Closing::Operator),
            (false, closes) => closes.then_some(Closing::Policy),
        };
        Self { payments, freezes, closed }
    }

    pub(crate) fn status(&self) -> Status {
        let frozen = self.freezes.values().any(|(_, measures)| {
            measures.spending == Spending::Suspend || measures.balance == Balance::FreezeAccount
        });
        match (self.closed, frozen) {
            (Some(_), _) => Status::Closed,
            (None, true) => Status::Frozen,
            (None, false) => Status::Active,
        }
    }

    fn sum(&self, of: impl Fn(&Entitled) -> Both) -> i128 {
        self.payments.values().map(|payment| of(payment).sum()).sum()
    }
}

/// Everything that must hold between two records.
pub(crate) fn check(ledger: &Ledger, expected: &Expected, policy: &Policy) -> Result<(), String> {
    sums_to_zero(ledger)?;
    equal("money of one currency", ledger.money_sums(), BTreeMap::new())?;
    payments(ledger, expected)?;
    exceptions(ledger, expected)?;
    if let Some(account) = account(ledger) {
        books(ledger, account, expected, policy)?;
        standing(account, expected)?;
    } else {
        let granted = expected.sum(|payment| payment.granted);
        equal("credits without an account", granted + ledger.grants + ledger.usage, 0)?;
    }
    lots::check(ledger, expected)
}

/// Whether what became of a command is what had to become of it.
pub(crate) fn check_debit(
    before: (&Expected, bool, i128),
    input: &Input,
    verdict: &Verdict,
) -> Result<(), String> {
    let (expected, exists, available) = before;
    let Input::Command(command) = input else { return Ok(()) };
    let Order::Debit { amount, usage, .. } = &command.order else { return Ok(()) };
    let refused = match verdict {
        Verdict::Refused(refusal) => Some(refusal.clone()),
        Verdict::Record(_) => None,
        Verdict::Duplicate(_) | Verdict::KnownConflict(_) | Verdict::Replayed(_) => {
            return Err(format!("a new debit led to {verdict:?}"));
        }
    };
    let insufficient = || Refusal::CreditsInsufficient { available: history::credits(available) };
    let wanted = match (exists, usage, expected.status()) {
        (false, ..) => Some(Refusal::AccountUnknown),
        (true, Usage::AlreadyHappened, _) => None,
        (true, Usage::Asked, Status::Frozen) => Some(Refusal::AccountFrozen),
        (true, Usage::Asked, Status::Closed) => Some(Refusal::AccountClosed),
        (true, Usage::Asked, Status::Active) => {
            (amount.billionths() > available).then(insufficient)
        }
    };
    equal("refusal of a debit", refused, wanted)
}

pub(crate) fn account(ledger: &Ledger) -> Option<&Account> {
    ledger.state.entities.account(&history::account()).flatten()
}

/// Available + held - owed - written off, from the transfers.
pub(crate) fn left_side(ledger: &Ledger) -> i128 {
    let sections =
        [Section::Paid, Section::Gift, Section::Held, Section::Owed, Section::WrittenOff];
    sections.into_iter().map(|section| section_of(ledger, section)).sum()
}

/// What can be spent, from the transfers.
pub(crate) fn available(ledger: &Ledger) -> i128 {
    section_of(ledger, Section::Paid) + section_of(ledger, Section::Gift)
}

pub(crate) fn section_of(ledger: &Ledger, section: Section) -> i128 {
    let book = CreditBook::Customer(history::account(), section);
    ledger.credits.get(&book).copied().unwrap_or_default()
}

pub(crate) fn open_kinds(ledger: &Ledger) -> BTreeSet<(PaymentKey, ExceptionKind)> {
    let open = ledger.open.values();
    open.filter_map(|exception| Some((exception.payment.clone()?, exception.id.kind))).collect()
}

fn sums_to_zero(ledger: &Ledger) -> Result<(), String> {
    equal("sum of all credits", ledger.credits.values().sum::<i128>(), 0)?;
    let customers = ledger.credits.iter().filter(|(book, _)| book.customer().is_some());
    equal("customers' total", ledger.state.book.customers, customers.map(|(_, sum)| *sum).sum())?;
    for (house, balance) in &ledger.state.book.house {
        equal("house's book", *balance, ledger.house(*house))?;
    }
    Ok(())
}

impl Ledger {
    /// The currencies whose books don't sum to zero.
    fn money_sums(&self) -> BTreeMap<domain::money::Currency, i128> {
        let mut sums = BTreeMap::new();
        for ((currency, _), balance) in &self.money {
            *sums.entry(*currency).or_default() += balance;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }
}

/// Every payment grants and takes what its facts say, and the house's books say the same.
fn payments(ledger: &Ledger, expected: &Expected) -> Result<(), String> {
    for (key, entitled) in &expected.payments {
        let id = HoldingId::Payment(key.clone());
        let holding = ledger.state.entities.holding(&id).flatten();
        let (granted, taken, awaited) = match holding {
            None => (Both::default(), Both::default(), Both::default()),
            Some(holding) => {
                let (refunded, charged) = (both(holding.refunded), both(holding.charged_back));
                let taken =
                    Both { paid: refunded.paid + charged.paid, gift: refunded.gift + charged.gift };
                (both(holding.granted()), taken, both(holding.awaited))
            }
        };
        let name = |what: &str| format!("{what} of {}", key.id);
        equal(&name("granted"), granted, entitled.granted)?;
        equal(&name("taken"), taken, entitled.taken)?;
        equal(&name("awaited"), awaited, entitled.awaited)?;
        if taken.paid > granted.paid || taken.gift > granted.gift {
            return Err(name("more is taken than was granted"));
        }
    }
    let granted = expected.sum(|payment| payment.granted) + ledger.grants;
    let taken = expected.sum(|payment| payment.taken);
    equal("sold and given", ledger.house(House::Sold) + ledger.house(House::Given), -granted)?;
    equal("used", ledger.house(House::Used), ledger.usage)?;
    let back = ledger.house(House::Returned) + ledger.house(House::ChargedBack);
    equal("returned and charged back", back, taken)
}

fn exceptions(ledger: &Ledger, expected: &Expected) -> Result<(), String> {
    let mut open = open_kinds(ledger);
    // Whether a purchase met a closed account depends on the order.
    open.retain(|(_, kind)| *kind != ExceptionKind::ClosedAccount);
    let mut wanted = BTreeSet::new();
    for (key, entitled) in &expected.payments {
        wanted.extend(entitled.exceptions.iter().map(|kind| (key.clone(), *kind)));
    }
    equal("open exceptions", open, wanted)
}

/// The account's books are the transfers' sums, none below zero, and together what must be.
fn books(
    ledger: &Ledger,
    account: &Account,
    expected: &Expected,
    policy: &Policy,
) -> Result<(), String> {
    let books = &account.view.books;
    let parts = [
        ("paid", books.paid, section_of(ledger, Section::Paid)),
        ("gift", books.gift, section_of(ledger, Section::Gift)),
        ("held", books.held, section_of(ledger, Section::Held)),
        ("owed", books.owed, -section_of(ledger, Section::Owed)),
        ("written off", books.written_off, -section_of(ledger, Section::WrittenOff)),
    ];
    for (name, shown, moved) in parts {
        equal(name, shown.billionths(), moved)?;
        if moved < 0 {
            return Err(format!("{name} is {moved}, below zero"));
        }
    }
    let granted = expected.sum(|payment| payment.granted);
    let taken = expected.sum(|payment| payment.taken);
    let right = granted - taken + ledger.grants - ledger.usage;
    equal("available + held - owed - written off", left_side(ledger), right)?;
    if policy.settle_owed && books.owed.is_positive() && books.paid.is_positive() {
        return Err(format!("owes {} and has paid credits {}", books.owed.get(), books.paid.get()));
    }
    let freezes = expected.freezes.values();
    let all_frozen =
        freezes.clone().any(|(_, measures)| measures.balance == Balance::FreezeAccount);
    if all_frozen && available(ledger) != 0 {
        return Err("credits are available in a frozen account".to_owned());
    }
    Ok(())
}

fn standing(account: &Account, expected: &Expected) -> Result<(), String> {
    let shown: Freezes = account
        .view
        .freezes
        .iter()
        .map(|(id, freeze)| (id.clone(), (freeze.since, freeze.measures)))
        .collect();
    equal("freezes", &shown, &expected.freezes)?;
    equal("closed", account.view.closed, expected.closed)?;
    equal("status", account.view.status(), expected.status())
}

pub(crate) fn both(pair: Pair) -> Both {
    Both { paid: pair.paid.billionths(), gift: pair.gift.billionths() }
}

/// Two ways to know one thing must agree.
pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    domain: T,
    naive: T,
) -> Result<(), String> {
    if domain == naive {
        return Ok(());
    }
    Err(format!("{what}\n  domain {domain:?}\n  naive  {naive:?}"))
}
