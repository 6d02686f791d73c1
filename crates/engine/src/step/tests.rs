//! The writer's step against the stores in memory.

mod ahead;
mod cases;
mod exceptions;
mod spending;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::{DisputeCause, Status, View},
    credits::Credits,
    decision::{Outcome, Quarantine},
    exception::{Ending, Filed},
    ids::{
        AccountId, Actor, AdjustmentId, Digest, EventId, EventKey, IdempotencyKey, ItemId,
        LedgerId, OperationId, Origin, PaymentId, PaymentKey, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Mode, Order, Reality, Settings,
        Signature, Stale, Usage,
    },
    money::{Currency, Minor},
    notice::{
        Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase,
        Status as Step,
    },
    payment::Conclusion,
    policy::{Balance, Checkout, Measures, Policy, Shortfall, Spending, Unlisted, UsageRules},
    refusal::Refusal,
    time::Timestamp,
    usage::Metadata,
};
use event_store::{
    log::EventLog,
    memory::{FailurePoint, MemoryLog, MemoryViews},
    views::ViewStore,
};
use projectors::{projections::Projections, read::Which};
use sha2::Digest as _;

use super::{Answer, Engine, Request};

/// A ledger on stores in memory, with its policy and settings in force.
struct Ledger {
    log: Arc<MemoryLog>,
    views: Arc<dyn ViewStore>,
    projections: Arc<Projections>,
    engine: Engine,
    clock: i64,
}

fn ledger() -> LedgerId {
    LedgerId::new("main").unwrap()
}

fn account() -> AccountId {
    AccountId::new("acct").unwrap()
}

fn credits(text: &str) -> Credits {
    Credits::parse(text, 9).unwrap()
}

fn policy() -> Policy {
    let frozen = Measures {
        spending: Spending::Suspend,
        balance: Balance::FreezePayment,
        checkout: Checkout::Limit,
        ..Measures::NONE
    };
    Policy {
        name: Text::new("test").unwrap(),
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new("USD").unwrap(),
        decimals: 6,
        rates: BTreeMap::from([(Currency::new("USD").unwrap(), credits("10"))]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: frozen,
        on_chargeback: frozen,
        with_open_case: None,
        close_after: None,
        usage: UsageRules::PLAIN,
        refunds: Some(cases::refunds()),
    }
}

impl Ledger {
    fn new() -> Self {
        Self::on(Arc::new(MemoryLog::new()), Arc::new(MemoryViews::new()), 0)
    }

    fn on(log: Arc<MemoryLog>, views: Arc<dyn ViewStore>, clock: i64) -> Self {
        let projections = Arc::new(Projections::new(views.clone()));
        let engine = Engine::open(log.clone(), projections.clone(), |_, _| ()).unwrap();
        let mut own = Self { log, views, projections, engine, clock };
        if own.log.head(&ledger()).is_none() {
            let file = Digest([7; 32]);
            own.command("policy", Order::ActivatePolicy { policy: Arc::new(policy()), file });
            own.command(
                "settings",
                Order::Configure(Settings {
                    mode: Mode::Live,
                    stale: Stale::Accept,
                    account_from: Vec::new(),
                    tolerance_seconds: Some(300),
                    future_seconds: 60,
                }),
            );
        }
        own
    }

    fn step(&mut self, inputs: Vec<Input>) -> Vec<Answer> {
        self.clock += 1;
        let now = Timestamp::from_seconds(self.clock).unwrap();
        let request = |input| Request { ledger: ledger(), input, body: Arc::from([]) };
        self.engine.step(now, inputs.into_iter().map(request).collect()).unwrap()
    }

    fn one(&mut self, input: Input) -> Answer {
        self.step(vec![input]).pop().unwrap()
    }

    fn command(&mut self, key: &str, order: Order) -> Answer {
        self.one(command(key, order))
    }

    /// Carries out a command. Gives the id of what it made and the view of its account.
    fn done(&mut self, key: &str, order: Order) -> (OperationId, Option<View>) {
        let Answer::Recorded { record, view } = self.command(key, order) else {
            panic!("not carried out")
        };
        let Input::Command(command) = &record.input else { panic!("no command") };
        (command.id, view)
    }

    fn refused(&mut self, key: &str, order: Order) -> Refusal {
        let Answer::Refused(refusal) = self.command(key, order) else { panic!("not refused") };
        refusal
    }

    fn exceptions(&self, which: Which) -> Vec<Filed> {
        self.projections.exceptions(&ledger(), which, None, 10).unwrap()
    }

    /// The same log, folded again from its first record.
    fn reopened(&self) -> Self {
        Self::on(self.log.clone(), Arc::new(MemoryViews::new()), self.clock)
    }

    fn view(&self) -> View {
        self.projections.account(&ledger(), &account()).unwrap().unwrap()
    }
}

fn command(key: &str, order: Order) -> Input {
    let key = IdempotencyKey::new(key).unwrap();
    let request = Digest(sha2::Sha256::digest(format!("{order:?}")).into());
    let id = OperationId::of(&ledger(), &key);
    let actor = Actor::new("test").unwrap();
    Input::Command(Box::new(Command { key, id, actor, request, order }))
}

fn debit(key: &str, amount: &str) -> Input {
    let amount = credits(amount);
    let (usage, metadata) = (Usage::Asked, Metadata::NONE);
    command(key, Order::Debit { account: account(), amount, usage, metadata })
}

fn event(id: &str, notice: Notice) -> Delivery {
    let origin = Origin::new("paddle").unwrap();
    let at = Timestamp::from_seconds(1_000).unwrap();
    let content = Digest(sha2::Sha256::digest(format!("{notice:?}")).into());
    Delivery {
        source: SourceName::new("paddle").unwrap(),
        event: EventKey::Event { origin, id: EventId::new(id).unwrap() },
        event_type: None,
        occurred_at: Some(at),
        received_at: at,
        body: content,
        content,
        evidence: Evidence::Signed(Signature {
            header: Arc::from("ts=1;h1=00"),
            secret: [0; 4],
            signed_at: at,
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(notice),
    }
}

fn payment(id: &str) -> PaymentKey {
    PaymentKey { origin: Origin::new("paddle").unwrap(), id: PaymentId::new(id).unwrap() }
}

fn purchase(event_id: &str, id: &str, minor: i64) -> Input {
    let amount = Minor::new(minor).unwrap();
    let item = ItemId::new("item").unwrap();
    let line = Line { item, price: None, quantity: 1, subtotal: amount, discount: Minor::ZERO };
    let basket = Basket {
        currency: Currency::new("USD").unwrap(),
        subtotal: amount,
        discount: Minor::ZERO,
        tax: Minor::ZERO,
        total: amount,
        lines: vec![line],
    };
    Input::Delivery(Box::new(event(
        event_id,
        Notice::Purchase(Purchase {
            payment: payment(id),
            occurred_at: Timestamp::from_seconds(1_000).unwrap(),
            account: Some(account()),
            customer: None,
            progress: Progress::Completed(basket),
        }),
    )))
}

fn adjustment(event_id: &str, id: &str, action: Action, minor: i64) -> Input {
    let subtotal = Minor::new(minor).unwrap();
    let at = Timestamp::from_seconds(2_000).unwrap();
    Input::Delivery(Box::new(event(
        event_id,
        Notice::Adjustment(Adjustment {
            id: AdjustmentId::new(event_id).unwrap(),
            payment: payment(id),
            occurred_at: at,
            filed_at: at,
            action,
            status: Step::Approved,
            extent: Extent::Unsaid,
            currency: Currency::new("USD").unwrap(),
            subtotal,
            total: subtotal,
            lines: vec![AdjustmentLine { item: ItemId::new("item").unwrap(), subtotal }],
            customer: None,
        }),
    )))
}

#[test]
fn a_purchase_is_spent_charged_back_owed_and_settled() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 1_000));
    assert_eq!(own.view().books.paid, credits("100"));
    own.one(debit("use", "30"));
    own.one(adjustment("evt2", "txn1", Action::Chargeback, 1_000));
    let view = own.view();
    assert_eq!((view.books.owed, view.books.paid), (credits("30"), credits("0")));
    assert_eq!(view.status(), Status::Frozen);
    let Answer::Refused(refusal) = own.one(debit("more", "1")) else { panic!("not refused") };
    assert_eq!(refusal, Refusal::AccountFrozen);
    own.one(purchase("evt3", "txn2", 1_000));
    let view = own.view();
    assert_eq!((view.books.owed, view.books.paid), (credits("0"), credits("70")));
    own.one(adjustment("evt4", "txn1", Action::ChargebackReverse, 1_000));
    let view = own.view();
    assert_eq!((view.books.owed, view.books.paid), (credits("0"), credits("170")));
    assert_eq!((view.status(), view.version), (Status::Active, 5));
}

#[test]
fn a_concluded_dispute_answers_with_the_account_of_its_payment() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 1_000));
    own.one(purchase("evt2", "txn2", 500));
    own.one(adjustment("evt3", "txn1", Action::Chargeback, 1_000));
    assert_eq!(own.view().status(), Status::Frozen);
    let conclude = Order::ConcludeDispute {
        payment: payment("txn1"),
        cause: DisputeCause::Chargeback,
        conclusion: Conclusion::Lost,
        reason: Text::new("the bank decided").unwrap(),
    };
    let (_, view) = own.done("conclude", conclude.clone());
    let view = view.unwrap();
    assert_eq!((view.status(), view.books.paid), (Status::Active, credits("50")));
    let mut again = own.reopened();
    let Answer::Replayed { view: known, .. } = again.command("conclude", conclude.clone()) else {
        panic!("not repeated")
    };
    assert_eq!(known, Some(view));
    assert_eq!(again.refused("twice", conclude), Refusal::DisputeUnknown);
}

#[test]
fn an_event_counts_once_in_a_group_and_after_a_restart() {
    let mut own = Ledger::new();
    let answers = own.step(vec![purchase("evt1", "txn1", 100), purchase("evt1", "txn1", 100)]);
    assert!(matches!(answers[0], Answer::Recorded { .. }));
    assert!(matches!(answers[1], Answer::Duplicate { sequence } if sequence.get() == 3));
    let mut again = own.reopened();
    assert!(matches!(again.one(purchase("evt1", "txn1", 100)), Answer::Duplicate { .. }));
    let Answer::Recorded { record, .. } = again.one(purchase("evt1", "txn1", 900)) else {
        panic!("a conflict is recorded")
    };
    assert!(matches!(record.decision.outcome, Outcome::Conflict { .. }));
    let known = again.one(purchase("evt1", "txn1", 900));
    assert!(matches!(known, Answer::KnownConflict { sequence } if sequence == record.sequence));
    assert_eq!(again.view().books.paid, credits("10"));
}

#[test]
fn a_command_is_carried_out_once_and_answers_alike() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let answers = own.step(vec![debit("k", "1"), debit("k", "1"), debit("k", "2")]);
    let Answer::Recorded { record: first, .. } = &answers[0] else { panic!("not carried out") };
    let Answer::Replayed { record: again, .. } = &answers[1] else { panic!("not repeated") };
    assert_eq!(first, again);
    assert!(matches!(&answers[2], Answer::Refused(Refusal::KeyReused)));
    let Answer::Replayed { record: later, view } = own.one(debit("k", "1")) else {
        panic!("not repeated")
    };
    assert_eq!((&later, view.unwrap().books.paid), (first, credits("9")));
}

#[test]
fn an_adjustment_before_its_purchase_waits_as_an_orphan() {
    let mut own = Ledger::new();
    own.one(adjustment("evt1", "txn1", Action::Refund, 500));
    let open = own.exceptions(Which::Open);
    assert_eq!(
        open.iter().map(|filed| filed.exception.id.kind.name()).collect::<Vec<_>>(),
        ["orphan"]
    );
    own.one(purchase("evt2", "txn1", 1_000));
    assert_eq!(own.view().books.paid, credits("50"));
    assert!(own.exceptions(Which::Open).is_empty());
    let ended = own.exceptions(Which::Ended);
    assert_eq!(ended[0].exception, open[0].exception);
    assert_eq!(ended[0].ended.map(|ended| ended.by), Some(Ending::CauseGone));
}

#[test]
fn usage_that_happened_already_is_owed_beyond_what_is_there() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    let (amount, usage, metadata) = (credits("25"), Usage::AlreadyHappened, Metadata::NONE);
    own.command("late", Order::Debit { account: account(), amount, usage, metadata });
    assert_eq!((own.view().books.paid, own.view().books.owed), (credits("0"), credits("15")));
    own.one(purchase("evt2", "txn2", 200));
    assert_eq!((own.view().books.paid, own.view().books.owed), (credits("5"), credits("0")));
}

#[test]
fn a_simulated_event_never_acts_in_a_live_ledger() {
    let mut own = Ledger::new();
    let Input::Delivery(mut delivery) = purchase("evt1", "txn1", 100) else { panic!("a command") };
    delivery.reality = Reality::Simulated;
    let Answer::Recorded { record, .. } = own.one(Input::Delivery(delivery)) else {
        panic!("not recorded")
    };
    assert_eq!(record.decision.outcome, Outcome::Quarantined(Quarantine::Simulated));
    assert_eq!(own.projections.account(&ledger(), &account()).unwrap(), None);
}

#[test]
fn nothing_of_a_group_shows_when_its_append_fails() {
    let own = Ledger::new();
    own.log.fail_next_append(FailurePoint::AfterWrite);
    let now = Timestamp::from_seconds(9).unwrap();
    let body: Arc<[u8]> = Arc::from([]);
    let request = Request { ledger: ledger(), input: purchase("evt1", "txn1", 100), body };
    own.engine.step(now, vec![request]).unwrap_err();
    assert_eq!(own.projections.account(&ledger(), &account()).unwrap(), None);
    let reopened = Arc::new(own.log.reopened());
    let again = Ledger::on(reopened, Arc::new(MemoryViews::new()), 10);
    assert_eq!(again.view().books.paid, credits("10"));
}

#[test]
fn a_checkpoint_and_the_tail_give_what_a_whole_fold_gives() {
    let mut own = Ledger::new();
    for number in 0..50 {
        own.one(purchase(&format!("evt{number}"), &format!("txn{number}"), 100 + number));
        if number == 30 {
            own.projections.checkpoint().unwrap();
        }
    }
    let fresh_views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    for views in [own.views.clone(), fresh_views] {
        let again = Ledger::on(own.log.clone(), views, own.clock);
        let (fresh, known) = (&again.projections, &own.projections);
        assert_eq!(again.view(), own.view());
        assert_eq!(fresh.book(&ledger()).unwrap(), known.book(&ledger()).unwrap());
    }
}

#[test]
fn views_in_an_older_form_are_folded_again() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    own.projections.checkpoint().unwrap();
    let mut book = Vec::new();
    for (key, mut value) in own.views.scan(&[], None, usize::MAX).unwrap() {
        value[0] -= 1;
        own.views.write(&[(key.clone(), Some(value.clone()))]).unwrap();
        book = if key.ends_with(b"mainb") { key } else { book };
    }
    let stray = [&book[..book.len() - 1], b"p of an older program"].concat();
    own.views.write(&[(stray.clone(), Some(vec![1]))]).unwrap();
    let again = Ledger::on(own.log.clone(), own.views.clone(), own.clock);
    assert_eq!(again.view(), own.view());
    assert_eq!(own.views.get(&stray).unwrap(), None);
}

#[test]
fn views_in_a_newer_form_stay() {
    let mut own = Ledger::new();
    own.one(purchase("evt1", "txn1", 100));
    own.projections.checkpoint().unwrap();
    let stored = own.views.scan(&[], None, usize::MAX).unwrap();
    let newer = |(key, mut value): (Vec<u8>, Vec<u8>)| {
        value[0] += 1;
        (key, Some(value))
    };
    let newer: Vec<_> = stored.into_iter().map(newer).collect();
    own.views.write(&newer).unwrap();
    let projections = Arc::new(Projections::new(own.views.clone()));
    assert!(Engine::open(own.log.clone(), projections, |_, _| ()).is_err());
    for (key, value) in newer {
        assert_eq!(own.views.get(&key).unwrap(), value);
    }
}
