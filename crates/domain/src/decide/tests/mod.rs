//! What the rules do, as given inputs, then balances, refusals and standings.

mod cases;
mod disputes;
mod found;
mod found_of_cases;
mod operators;
mod quarantine;
mod spending;

use std::{collections::BTreeMap, sync::Arc};

use super::{Verdict, decide};
use crate::{
    account::{Books, View},
    apply::{ApplyFault, apply},
    case::{Application, Case},
    credits::Credits,
    decision::{Decision, Transfer},
    draft::change::follows_facts,
    entities::Key,
    exception::ExceptionKind,
    ids::{
        AccountId, Actor, AdjustmentId, Digest, EventId, EventKey, IdempotencyKey, LedgerId,
        OperationId, Origin, PaymentId, PaymentKey, Sequence, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Mode, Order, Reality, Settings,
        Signature, Stale, Usage,
    },
    money::{Currency, Minor},
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status as Stage},
    policy::{
        Balance, CloseAfter, Measures, Policy, Returns, Shortfall, Spending, Unlisted, UsageRules,
    },
    record::Record,
    refusal::Refusal,
    state::{Book, Missing, State},
    time::Timestamp,
    usage::Metadata,
};

/// A ledger in memory in which nothing lies outside what was loaded.
pub(super) struct Ledger {
    state: State,
    now: Timestamp,
    inputs: u32,
}

/// What was recorded of an input.
pub(super) struct Done {
    pub(super) id: OperationId,
    pub(super) decision: Decision,
}

pub(super) fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

pub(super) fn credits(text: &str) -> Credits {
    Credits::parse(text, 9).unwrap()
}

pub(super) fn minor(amount: i64) -> Minor {
    Minor::new(amount).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

pub(super) fn payment(id: &str) -> PaymentKey {
    PaymentKey { origin: Origin::new("paddle").unwrap(), id: PaymentId::new(id).unwrap() }
}

pub(super) fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

/// One credit for a dollar; a chargeback suspends spending and freezes its payment.
pub(super) fn policy() -> Policy {
    let suspend =
        Measures { spending: Spending::Suspend, balance: Balance::FreezePayment, ..Measures::NONE };
    Policy {
        name: text("test"),
        version: 1,
        effective_from: at("2026-01-01T00:00:00Z"),
        unit: text("USD"),
        decimals: 6,
        rates: BTreeMap::from([(usd(), credits("1"))]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: suspend,
        on_chargeback: suspend,
        with_open_case: None,
        close_after: Some(CloseAfter { chargebacks: 3, within_days: 180 }),
        usage: UsageRules { metadata: Default::default(), returns: Returns::Allow },
        refunds: None,
    }
}

impl Ledger {
    /// A live ledger under a policy, on the first of July 2026.
    pub(super) fn new(policy: Policy) -> Self {
        let state = State::new(LedgerId::new("main").unwrap(), Book::empty());
        let mut ledger = Self { state, now: at("2026-07-01T00:00:00Z"), inputs: 0 };
        ledger.done(Order::Configure(Settings {
            mode: Mode::Live,
            stale: Stale::Quarantine,
            account_from: Vec::new(),
            tolerance_seconds: Some(300),
            future_seconds: 60,
        }));
        ledger.done(Order::ActivatePolicy { policy: Arc::new(policy), file: Digest([0; 32]) });
        ledger
    }

    pub(super) fn wait(&mut self, seconds: u32) {
        self.now = self.now.seconds_after(seconds);
    }

    pub(super) fn wait_days(&mut self, days: u32) {
        self.now = self.now.days_after(days);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// What a command leads to.
    pub(super) fn ask(&mut self, order: Order) -> Result<Done, Refusal> {
        self.inputs += 1;
        let key = IdempotencyKey::new(&format!("key-{}", self.inputs)).unwrap();
        let id = OperationId::of(&self.state.ledger, &key);
        let actor = Actor::new("tester").unwrap();
        let command = Command { key, id, actor, request: Digest([0; 32]), order };
        match self.verdict(Input::Command(Box::new(command))) {
            (Verdict::Refused(refusal), _) => Err(refusal),
            (Verdict::Record(decision), _) => Ok(Done { id, decision }),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn done(&mut self, order: Order) -> Done {
        self.ask(order).unwrap()
    }

    pub(super) fn refused(&mut self, order: Order) -> Refusal {
        let before = self.state.clone();
        let Err(refusal) = self.ask(order) else { panic!("it was not refused") };
        // Looking something up may load it; nothing else may differ.
        assert_eq!(self.state.book, before.book);
        refusal
    }

    /// Has a delivery decided, and gives its record.
    pub(super) fn deliver(&mut self, delivery: Delivery) -> Sequence {
        match self.verdict(Input::Delivery(Box::new(delivery))) {
            (Verdict::Record(_), sequence) => sequence,
            (Verdict::Duplicate(sequence), _) => sequence,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn tell(&mut self, notice: Notice) -> Sequence {
        let delivery = self.delivery(notice);
        self.deliver(delivery)
    }

    /// A fresh and genuine delivery of a new event.
    pub(super) fn delivery(&mut self, notice: Notice) -> Delivery {
        self.inputs += 1;
        let origin = Origin::new("paddle").unwrap();
        let id = EventId::new(&format!("evt_{}", self.inputs)).unwrap();
        let [one, two, three, four] = self.inputs.to_le_bytes();
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&[one, two, three, four]);
        Delivery {
            source: SourceName::new("paddle").unwrap(),
            event: EventKey::Event { origin, id },
            event_type: None,
            occurred_at: Some(self.now),
            received_at: self.now,
            body: Digest(digest),
            content: Digest(digest),
            evidence: Evidence::Signed(Signature {
                header: Arc::from("h"),
                secret: [0; 4],
                signed_at: self.now,
            }),
            freshness: Freshness::Fresh,
            reality: Reality::Genuine,
            notice: Ok(notice),
        }
    }

    /// A completed purchase without tax, for an account or none.
    pub(super) fn buy(&mut self, id: &str, whose: Option<&str>, cents: i64) -> PaymentKey {
        self.tell(Notice::Purchase(self.purchase(id, whose, cents)));
        payment(id)
    }

    pub(super) fn purchase(&self, id: &str, whose: Option<&str>, cents: i64) -> Purchase {
        let basket = Basket {
            currency: usd(),
            subtotal: minor(cents),
            discount: Minor::ZERO,
            tax: Minor::ZERO,
            total: minor(cents),
            lines: Vec::new(),
        };
        Purchase {
            payment: payment(id),
            occurred_at: self.now,
            account: whose.map(account),
            customer: None,
            progress: Progress::Completed(basket),
        }
    }

    /// An adjustment of so many cents, filed now.
    pub(super) fn adjust(&mut self, id: &str, of: &str, action: Action, stage: Stage, cents: i64) {
        let filed_at = self.now;
        self.adjust_filed(id, of, (action, stage), cents, filed_at);
    }

    pub(super) fn adjust_filed(
        &mut self,
        id: &str,
        of: &str,
        (action, status): (Action, Stage),
        cents: i64,
        filed_at: Timestamp,
    ) {
        self.tell(Notice::Adjustment(Adjustment {
            id: AdjustmentId::new(id).unwrap(),
            payment: payment(of),
            occurred_at: self.now,
            filed_at,
            action,
            status,
            extent: Extent::Partial,
            currency: usd(),
            subtotal: minor(cents),
            total: minor(cents),
            lines: Vec::new(),
            customer: None,
        }));
    }

    pub(super) fn debit(&mut self, whose: &str, amount: &str) -> OperationId {
        self.done(debit(whose, amount)).id
    }

    pub(super) fn view(&mut self, whose: &str) -> View {
        self.state.entities.account(&account(whose)).flatten().unwrap().view.clone()
    }

    /// Paid, gift, held, owed and written off, as one line.
    pub(super) fn books(&mut self, whose: &str) -> String {
        let Books { paid, gift, held, owed, written_off } = self.view(whose).books;
        format!("{paid} {gift} {held} {owed} {written_off}")
    }

    pub(super) fn case(&self, id: OperationId) -> Case {
        self.state.entities.case(&id).flatten().unwrap().clone()
    }

    /// The open exceptions, in the order in which they were raised.
    pub(super) fn open(&self) -> Vec<ExceptionKind> {
        let all = self.state.entities.exceptions.values().flatten();
        let open = all.filter(|filed| filed.ended.is_none());
        open.map(|filed| filed.exception.id.kind).collect()
    }

    fn verdict(&mut self, input: Input) -> (Verdict, Sequence) {
        let sequence = self.state.book.next_sequence();
        let verdict = loop {
            match decide(&self.state, &input, self.now) {
                Ok(verdict) => break verdict,
                Err(missing) => self.nothing_there(missing),
            }
        };
        if let Verdict::Record(decision) = &verdict {
            let decision = decision.clone();
            check_transfers(&decision);
            self.record(Record { sequence, recorded_at: self.now, input, decision });
        }
        (verdict, sequence)
    }

    fn record(&mut self, record: Record) {
        loop {
            match apply(&mut self.state, &record) {
                Ok(_) => break,
                Err(ApplyFault::Missing(missing)) => self.nothing_there(missing),
                Err(ApplyFault::Contradiction(found)) => panic!("{found}: {record:?}"),
            }
        }
        for filed in self.state.entities.exceptions.values().flatten() {
            let open = self.state.entities.payments.values().flatten();
            let known = open.flat_map(|payment| payment.exceptions.values());
            let listed = known.into_iter().any(|id| *id == filed.exception.id);
            let follows = follows_facts(filed.exception.id.kind);
            assert!(!follows || filed.ended.is_some() || listed, "{filed:?} has no cause");
        }
    }

    fn nothing_there(&mut self, Missing(key): Missing) {
        if self.state.entities.put(&key, None) {
        } else if let Key::Event(event) = key {
            self.state.events.insert(event, None);
        } else if let Key::Conflict(event, content) = key {
            self.state.conflicts.insert((event, content), None);
        } else if let Key::Command(key) = key {
            self.state.commands.insert(key, None);
        }
    }
}

/// No transfer moves nothing or less.
fn check_transfers(decision: &Decision) {
    for transfer in &decision.transfers {
        match transfer {
            Transfer::Credits { debit, credit, amount } => {
                assert!(amount.is_positive() && debit != credit, "{transfer:?}");
            }
            Transfer::Money { debit, credit, amount, .. } => {
                assert!(*amount > Minor::ZERO && debit != credit, "{transfer:?}");
            }
        }
    }
}

pub(super) fn debit(whose: &str, amount: &str) -> Order {
    let (usage, metadata) = (Usage::Asked, Metadata::NONE);
    Order::Debit { account: account(whose), amount: credits(amount), usage, metadata }
}

pub(super) fn grant(whose: &str, amount: &str, kind: LotKind) -> Order {
    Order::Grant {
        account: account(whose),
        amount: credits(amount),
        kind,
        label: None,
        reason: text("because"),
    }
}

pub(super) fn open_case(whose: &str, of: &PaymentKey, reason: &str) -> Order {
    Order::OpenCase {
        account: account(whose),
        payment: of.clone(),
        reason: text(reason),
        application: Application::EMPTY,
    }
}
