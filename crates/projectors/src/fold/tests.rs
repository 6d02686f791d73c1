//! Folding anew gives what folding live gave, whatever was stored on the way.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    credits::Credits,
    decide::{Verdict, decide},
    ids::{AccountId, Actor, Digest, IdempotencyKey, OperationId, Text},
    input::{Command, Input, LotKind, Order, Usage},
    policy::{Measures, Policy, Shortfall, Unlisted, UsageRules},
    state::Missing,
    time::Timestamp,
    usage::Metadata,
};
use event_store::{
    log::Append,
    memory::{MemoryLog, MemoryViews},
    views::ViewStore as _,
};

use super::*;

fn ledger() -> LedgerId {
    LedgerId::new("main").unwrap()
}

fn policy() -> Order {
    let policy = Policy {
        name: Text::new("test").unwrap(),
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new("USD").unwrap(),
        decimals: 6,
        rates: BTreeMap::new(),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
        usage: UsageRules::PLAIN,
        refunds: None,
    };
    Order::ActivatePolicy { policy: Arc::new(policy), file: Digest([7; 32]) }
}

fn grant(account: &AccountId) -> Order {
    let (amount, kind) = (Credits::parse("2", 0).unwrap(), LotKind::Gift);
    let (label, reason) = (None, Text::new("test").unwrap());
    Order::Grant { account: account.clone(), amount, kind, label, reason }
}

fn debit(account: &AccountId) -> Order {
    let (amount, usage) = (Credits::parse("1.5", 1).unwrap(), Usage::Asked);
    Order::Debit { account: account.clone(), amount, usage, metadata: Metadata::NONE }
}

/// A log of orders, with the projections that lived through them.
struct Live {
    log: MemoryLog,
    views: Arc<MemoryViews>,
    projections: Projections,
}

impl Live {
    fn new() -> Self {
        let views = Arc::new(MemoryViews::new());
        let projections = Projections::new(Arc::<MemoryViews>::clone(&views));
        Self { log: MemoryLog::new(), views, projections }
    }

    fn order(&self, order: Order) {
        let mut state = self.projections.state(&ledger()).unwrap();
        let (sequence, recorded_at) = (state.book.next_sequence(), Timestamp::EPOCH);
        let key = IdempotencyKey::new(&sequence.to_string()).unwrap();
        let id = OperationId::of(&ledger(), &key);
        let (actor, request) = (Actor::new("test").unwrap(), Digest([1; 32]));
        let input = Input::Command(Box::new(Command { key, id, actor, request, order }));
        let decision = loop {
            match decide(&state, &input, recorded_at) {
                Ok(Verdict::Record(decision)) => break decision,
                Ok(other) => panic!("decided to {other:?}"),
                Err(Missing(Key::Command(key))) => drop(state.commands.insert(key, None)),
                Err(Missing(key)) => assert!(self.projections.load(&mut state, &key).unwrap()),
            }
        };
        let record = Record { sequence, recorded_at, input, decision };
        self.projections.fold(&ledger(), std::iter::once(&record)).unwrap();
        self.log.append(&[Append { ledger: ledger(), record, body: Arc::from([]) }]).unwrap();
    }

    fn stored(&self) -> Vec<event_store::views::Entry> {
        self.projections.checkpoint().unwrap();
        self.views.scan(&[], None, usize::MAX).unwrap()
    }
}

/// Three accounts with more lots than a chunk has records, then usage of all of them.
fn live() -> Live {
    let live = Live::new();
    live.order(policy());
    let accounts = ["a", "b", "c"].map(|id| AccountId::new(id).unwrap());
    for order in [grant, debit] {
        for _ in 0..CHUNK {
            accounts.iter().for_each(|account| live.order(order(account)));
        }
    }
    live
}

#[test]
fn a_fold_that_stores_at_any_time_gives_what_was_live() {
    let live = live();
    let expected = live.stored();
    let every = [1, 300, u64::MAX];
    let ahead = [0, u64::MAX];
    for (checkpoint_records, read_ahead_records) in
        every.into_iter().flat_map(|every| ahead.map(|ahead| (every, ahead)))
    {
        let again = Live::new();
        let mut told = Vec::new();
        let progress = |_: &LedgerId, at| told.push(at);
        let pace = Pace { checkpoint_records, read_ahead_records };
        again.projections.catch_up_at(&live.log, pace, progress).unwrap();
        assert_eq!(again.stored(), expected, "a checkpoint after {checkpoint_records} records");
        assert!(told.is_sorted());
        assert_eq!(told.last().copied(), live.log.head(&ledger()).map(|head| head.sequence));
    }
}

#[test]
fn a_fold_goes_on_from_what_is_stored() {
    let live = live();
    let again = Live::new();
    let first = live.log.scan(&ledger(), None, 1_000).unwrap();
    again.projections.fold(&ledger(), first.iter().map(Recorded::record)).unwrap();
    again.projections.checkpoint().unwrap();
    let reopened = Projections::new(Arc::<MemoryViews>::clone(&again.views));
    reopened.catch_up(&live.log, |_, _| ()).unwrap();
    reopened.checkpoint().unwrap();
    assert_eq!(again.views.scan(&[], None, usize::MAX).unwrap(), live.stored());
}
