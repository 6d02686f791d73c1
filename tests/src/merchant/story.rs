//! What happens next: drawn from what happened so far.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use domain::{
    account::DisputeCause,
    case::CaseStatus,
    credits::Credits,
    decision::Effect,
    ids::{OperationId, PaymentId, PaymentKey},
    input::Order,
    record::Record,
    time::Timestamp,
    usage::Debit,
};

use super::{
    Told,
    bodies::{Bodies, Correction, CorrectionKind, Sale},
    exceptions::{self, Planned},
};
use crate::{
    dice::Dice,
    history::{origin, seconds},
};

/// How many records an account has on average.
const RECORDS_OF_ACCOUNT: u64 = 50;

/// How many debits are remembered, to be made good.
const DEBITS_KEPT: usize = 512;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// All that the next input is drawn from.
pub(super) struct Story {
    pub(super) dice: Dice,
    bodies: Bodies,
    /// The numbers of events, corrections and commands so far.
    pub(super) numbers: u64,
    accounts_max: u64,
    pub(super) accounts: u64,
    /// Accounts that buy nothing more: a purchase of a closed account would be an exception.
    disputed: BTreeSet<String>,
    /// The sales to which nothing happened yet.
    clean: Vec<Sale>,
    /// What follows from what happened, by its moment in seconds.
    due: BTreeMap<(i64, u64), Due>,
    pub(super) debits: Vec<(OperationId, Debit)>,
    /// The sales with a case, by payment.
    in_case: BTreeMap<PaymentKey, Sale>,
    /// The moment of what comes next.
    pub(super) now: Timestamp,
    planned: Vec<Planned>,
    records: u64,
}

/// What follows.
pub(super) enum Due {
    /// The sale's totals are final.
    Completed(Sale),
    /// A correction goes on.
    Corrected { sale: Sale, number: u64, kind: CorrectionKind, amount: u64, filed_at: Timestamp },
    /// An operator or a gateway does something.
    Order(Order),
}

impl Story {
    pub(super) fn new(seed: u64, records: u64) -> Result<Self> {
        Ok(Self {
            dice: Dice::new(seed),
            bodies: Bodies::new()?,
            numbers: 1,
            accounts_max: (records / RECORDS_OF_ACCOUNT).max(5),
            accounts: 0,
            disputed: BTreeSet::new(),
            clean: Vec::new(),
            due: BTreeMap::new(),
            debits: Vec::new(),
            in_case: BTreeMap::new(),
            now: Timestamp::EPOCH,
            planned: Vec::new(),
            records,
        })
    }

    pub(super) fn raise_exceptions(&mut self) {
        self.planned = exceptions::plan(self.records);
    }

    /// What comes after `recorded` records.
    pub(super) fn next(&mut self, now: Timestamp, recorded: u64) -> Result<Told> {
        self.now = now;
        if self.planned.last().is_some_and(|planned| planned.after <= recorded)
            && let Some(planned) = self.planned.pop()
        {
            let signed_at = if planned.stale { seconds(now.seconds() - HOUR) } else { now };
            return Ok(Told::Event { body: planned.body(&self.bodies, now)?, signed_at });
        }
        if let Some(due) = self.due.first_entry().filter(|due| due.key().0 <= now.seconds()) {
            let due = due.remove();
            return Ok(self.comes_due(due));
        }
        Ok(match self.dice.below(1_000) {
            0..170 => self.sells(),
            170..180 => self.corrects(),
            180..190 => self.says_nothing(),
            _ => self.ordered(),
        })
    }

    /// A number that nothing had before.
    pub(super) const fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Some account that bought something.
    pub(super) fn account(&mut self) -> Option<String> {
        let accounts = usize::try_from(self.accounts).unwrap_or(usize::MAX);
        (accounts > 0).then(|| account(u64::try_from(self.dice.below(accounts)).unwrap_or(0)))
    }

    /// Some sale to which nothing happened yet, of which nothing else is told any more.
    pub(super) fn sale(&mut self) -> Option<Sale> {
        if self.clean.is_empty() {
            return None;
        }
        let index = self.dice.below(self.clean.len());
        Some(self.clean.swap_remove(index))
    }

    /// What follows after so many seconds.
    pub(super) fn later(&mut self, seconds: i64, due: Due) {
        let number = self.number();
        self.due.insert((self.now.seconds() + seconds, number), due);
    }

    pub(super) fn in_case(&mut self, sale: Sale) {
        self.in_case.insert(payment(&sale), sale);
    }

    fn event(&self, body: Vec<u8>) -> Told {
        Told::Event { body, signed_at: self.now }
    }

    fn sells(&mut self) -> Told {
        let fresh =
            self.accounts < self.accounts_max && (self.accounts < 5 || self.dice.chance(25));
        if fresh {
            self.accounts += 1;
        }
        let account = if fresh { Some(account(self.accounts - 1)) } else { self.account() };
        let account = account.filter(|account| !self.disputed.contains(account));
        let Some(account) = account else { return self.says_nothing() };
        let number = self.number();
        let sale = Sale {
            number,
            account,
            amount: self.dice.pick(&[500, 1_000, 2_000, 5_000, 10_000]),
            currency: self.dice.pick(&["USD", "USD", "CNY"]),
            pack: self.dice.chance(30),
        };
        let completed = !self.dice.chance(40);
        let body = self.bodies.sale(self.numbers, self.happened(), completed, &sale);
        if completed {
            self.clean.push(sale);
        } else {
            self.later(2, Due::Completed(sale));
        }
        self.event(body)
    }

    /// Events reach us some seconds after they happened.
    fn happened(&self) -> Timestamp {
        seconds(self.now.seconds() - 2)
    }

    /// A correction to a sale, and what becomes of it.
    fn corrects(&mut self) -> Told {
        let Some(sale) = self.sale() else { return self.says_nothing() };
        let (number, filed_at) = (self.number(), self.happened());
        let (won, days) = (self.dice.chance(50), self.dice.between(1, 40));
        let (kind, amount) = match self.dice.below(10) {
            0..5 => {
                let amount = self.dice.pick(&[sale.amount, sale.amount, sale.amount / 2]);
                let kind = if won {
                    CorrectionKind::RefundApproved
                } else {
                    CorrectionKind::RefundRejected
                };
                let (sale, due) = (sale.clone(), days * DAY);
                self.later(due, Due::Corrected { sale, number, kind, amount, filed_at });
                (CorrectionKind::RefundAsked, amount)
            }
            5..8 => {
                let undone = won.then_some(CorrectionKind::ChargebackWon);
                self.disputes(&sale, (DisputeCause::Chargeback, undone), days);
                (CorrectionKind::Chargeback, sale.amount)
            }
            _ => {
                let undone = won.then_some(CorrectionKind::WarningWon);
                self.disputes(&sale, (DisputeCause::Warning, undone), days);
                (CorrectionKind::Warning, sale.amount)
            }
        };
        let what = Correction { sale: &sale, number, kind, amount, filed_at };
        let body = self.bodies.correction(self.numbers, self.happened(), &what);
        self.event(body)
    }

    /// How a dispute ends: it is undone, or an operator says that it was lost.
    fn disputes(
        &mut self,
        sale: &Sale,
        (cause, undone): (DisputeCause, Option<CorrectionKind>),
        days: i64,
    ) {
        self.disputed.insert(sale.account.clone());
        let Some(kind) = undone else { return self.concludes(sale, cause, days) };
        let (sale, number, filed_at) = (sale.clone(), self.number(), self.now);
        let amount = sale.amount;
        self.later(days * DAY, Due::Corrected { sale, number, kind, amount, filed_at });
    }

    fn says_nothing(&mut self) -> Told {
        let number = self.number();
        let body = self.bodies.nothing(number, self.happened());
        self.event(body)
    }

    fn comes_due(&mut self, due: Due) -> Told {
        match due {
            Due::Completed(sale) => {
                let number = self.number();
                let body = self.bodies.sale(number, self.happened(), true, &sale);
                self.clean.push(sale);
                self.event(body)
            }
            Due::Corrected { sale, number, kind, amount, filed_at } => {
                let event = self.number();
                // What undoes something is filed when it happens.
                let undoes =
                    matches!(kind, CorrectionKind::ChargebackWon | CorrectionKind::WarningWon);
                let filed_at = if undoes { self.happened() } else { filed_at };
                let what = Correction { sale: &sale, number, kind, amount, filed_at };
                let body = self.bodies.correction(event, self.happened(), &what);
                self.event(body)
            }
            Due::Order(order) => self.order(order),
        }
    }

    /// Takes in what was recorded.
    pub(super) fn learn(&mut self, record: &Record) {
        for effect in &record.decision.effects {
            if let Effect::Debited { debit, usage } = effect {
                self.remember(*debit, usage);
            }
            if let Effect::CaseChanged(case) = effect
                && let CaseStatus::Approved { money } = case.status
                && let Some(sale) = self.in_case.remove(&case.payment)
            {
                let amount = money.get().unsigned_abs().min(sale.amount);
                let (number, filed_at) = (self.number(), self.now);
                let kind = CorrectionKind::RefundApproved;
                self.later(5 * DAY, Due::Corrected { sale, number, kind, amount, filed_at });
            }
        }
    }

    fn remember(&mut self, debit: OperationId, usage: &Debit) {
        if self.debits.len() < DEBITS_KEPT {
            self.debits.push((debit, usage.clone()));
        } else {
            let index = self.dice.below(DEBITS_KEPT);
            if let Some(known) = self.debits.get_mut(index) {
                *known = (debit, usage.clone());
            }
        }
    }
}

pub(super) fn account(number: u64) -> String {
    format!("acct-{number:06}")
}

pub(super) fn payment(sale: &Sale) -> PaymentKey {
    let id = PaymentId::new(&crate::paddle::id("txn", sale.number)).expect("the id is short");
    PaymentKey { origin: origin(), id }
}

/// So many thousandths of a credit.
pub(super) fn thousandths(number: i64) -> Credits {
    Credits::from_billionths(i128::from(number) * 1_000_000).expect("the amount is small")
}
