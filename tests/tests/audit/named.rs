//! An id names all that it names and nothing else, a page is of one moment, and what is shown is
//! not dearer than it must be.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use audit::{
    cut::Known,
    explain::{Asked, ExplainError, Explanation, Subject, explain},
};
use domain::{
    credits::Credits,
    decide::Verdict,
    entities::Key,
    ids::{AccountId, IdempotencyKey, ItemId, LedgerId, OperationId, Origin, PriceId, Sequence},
    input::{Input, LotKind, Order, Usage},
    money::{Currency, Minor},
    notice::{Basket, Line, Notice, Progress, Purchase},
    policy::{Policy, PriceCredits},
    record::Record,
    time::Timestamp,
    usage::Metadata,
};
use event_store::{
    log::{Append, AppendError, EventLog, Head, Prepared, ReadError, Recorded},
    memory::MemoryLog,
    search::activations,
    sled::{Options, SledStore},
};
use tallyhook_tests::{
    history::{self, Event, History, account, credits, delivery, ledger, recorded_at, text},
    merchant::Merchant,
    plain::{applied, decided, empty},
};

use crate::{
    drawn::{drawn, log_of},
    made::on_disk,
};

/// A log that is looked at through a window: how far it goes, and what is read of it.
struct Window {
    log: Arc<dyn EventLog>,
    /// Readers see so many records; each call shows one more.
    visible: AtomicU64,
    /// So many records were decoded.
    read: AtomicU64,
}

impl Window {
    fn of(log: Arc<dyn EventLog>, visible: u64) -> Self {
        Self { log, visible: AtomicU64::new(visible), read: AtomicU64::new(0) }
    }

    fn shows(&self, sequence: Sequence) -> bool {
        sequence.get() <= self.visible.load(Ordering::Relaxed)
    }

    fn grow(&self) {
        // A window that shows everything stays as it is.
        let more = |visible: u64| visible.checked_add(1);
        self.visible.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok();
    }

    fn count(&self, records: usize) {
        self.read.fetch_add(u64::try_from(records).unwrap(), Ordering::Relaxed);
    }
}

impl EventLog for Window {
    fn ledgers(&self) -> Result<Vec<LedgerId>, ReadError> {
        self.log.ledgers()
    }

    fn head(&self, ledger: &LedgerId) -> Option<Head> {
        let head = self.log.head(ledger)?;
        if self.shows(head.sequence) {
            return Some(head);
        }
        let last = Sequence::new(self.visible.load(Ordering::Relaxed))?;
        let recorded = self.log.read(ledger, last).unwrap()?;
        let (sequence, hash) = (last, recorded.hash());
        self.grow();
        Some(Head { sequence, recorded_at: recorded.record().recorded_at, hash })
    }

    fn prepare(&self, group: Vec<Append>) -> Result<Prepared, AppendError> {
        self.log.prepare(group)
    }

    fn commit(&self, prepared: Prepared) -> Result<Vec<Append>, AppendError> {
        self.log.commit(prepared)
    }

    fn read(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Recorded>, ReadError> {
        self.count(1);
        let found = self.log.read(ledger, sequence)?.filter(|_| self.shows(sequence));
        self.grow();
        Ok(found)
    }

    fn body(&self, ledger: &LedgerId, sequence: Sequence) -> Result<Option<Vec<u8>>, ReadError> {
        self.log.body(ledger, sequence)
    }

    fn scan(
        &self,
        ledger: &LedgerId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut found = self.log.scan(ledger, after, limit)?;
        found.retain(|recorded| self.shows(recorded.record().sequence));
        self.count(found.len());
        self.grow();
        Ok(found)
    }

    fn search(
        &self,
        ledger: &LedgerId,
        needles: &[&[u8]],
        after: Option<Sequence>,
        last: Sequence,
        found: &mut dyn FnMut(Recorded) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.log.search(ledger, needles, after, last, &mut |recorded| {
            self.count(1);
            if self.shows(recorded.record().sequence) {
                return found(recorded);
            }
            ControlFlow::Continue(())
        })?;
        self.grow();
        Ok(())
    }

    fn find(&self, ledger: &LedgerId, key: &Key) -> Result<Option<Sequence>, ReadError> {
        self.log.find(ledger, key)
    }

    fn by_account(
        &self,
        ledger: &LedgerId,
        account: &AccountId,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Sequence>, ReadError> {
        let mut found = self.log.by_account(ledger, account, after, limit)?;
        found.retain(|sequence| self.shows(*sequence));
        self.grow();
        Ok(found)
    }

    fn latched(&self) -> Option<String> {
        self.log.latched()
    }
}

fn by(id: &str) -> Asked {
    Asked {
        id: Some(id.to_owned()),
        call_time: None,
        model: None,
        origin: None,
        known: Known::All,
        steps_max: usize::MAX,
        raw: false,
    }
}

fn sequences(explanation: &Explanation) -> Vec<u64> {
    explanation.subject.steps().iter().map(|step| step.sequence.get()).collect()
}

#[test]
fn what_comes_in_meanwhile_is_on_no_page() {
    let mut frozen = 0;
    for seed in 0..150 {
        let drawn = drawn(seed);
        let (records, activations) = (&drawn.records, &drawn.state.book.activations);
        let accounts = records.iter().flat_map(|record| record.decision.accounts());
        let accounts: BTreeSet<AccountId> = accounts.collect();
        let log = log_of(records);
        for visible in (1..=records.len()).step_by(3) {
            for account in &accounts {
                let window = Window::of(Arc::new(log_of(records)), u64::try_from(visible).unwrap());
                let live = explain(&window, &ledger(), activations, &by(account.as_str()));
                let live = match live {
                    Ok(live) => live,
                    Err(ExplainError::Unknown { .. }) => continue,
                    Err(error) => panic!("seed {seed}, {visible}, {account:?}: {error}"),
                };
                let known = Known::Sequence(live.known.unwrap().sequence.get());
                let then = Asked { known, ..by(account.as_str()) };
                let then = explain(&log, &ledger(), activations, &then).unwrap();
                assert_eq!(live.text(), then.text(), "seed {seed}, {visible}, {account:?}");
                if let Subject::Account(story) = &live.subject {
                    frozen += story.freezes.len();
                }
            }
        }
    }
    assert!(frozen > 30, "{frozen}");
}

/// Decides inputs one after the other.
struct Told {
    state: domain::state::State,
    records: Vec<Record>,
}

impl Told {
    fn under(change: impl FnOnce(&mut Policy)) -> Self {
        let mut told = Self { state: empty(), records: Vec::new() };
        let mut history = History::generate(1);
        history.policies.truncate(1);
        change(Arc::make_mut(&mut history.policies[0]));
        for (input, at) in history.setup() {
            told.takes_at(input, at);
        }
        told
    }

    fn takes(&mut self, input: Input) -> Sequence {
        let at = recorded_at(self.records.len(), 0);
        self.takes_at(input, at)
    }

    fn takes_at(&mut self, input: Input, at: Timestamp) -> Sequence {
        let verdict = decided(&mut self.state, &input, at);
        let Verdict::Record(decision) = verdict else { panic!("{input:?}: {verdict:?}") };
        let sequence = self.state.book.next_sequence();
        let record = Record { sequence, recorded_at: at, input, decision };
        applied(&mut self.state, &record).unwrap();
        self.records.push(record);
        sequence
    }

    fn log(&self) -> MemoryLog {
        log_of(&self.records)
    }

    fn explained(&self, asked: &Asked) -> Result<Explanation, ExplainError> {
        explain(&self.log(), &ledger(), &self.state.book.activations, asked)
    }
}

fn command(key: &str, order: Order) -> Input {
    let Input::Command(mut command) = history::command(0, order) else { unreachable!() };
    command.key = IdempotencyKey::new(key).unwrap();
    command.id = OperationId::of(&ledger(), &command.key);
    Input::Command(command)
}

fn says(name: &str, value: &str) -> Metadata {
    let value = serde_json::Value::from(value).to_string();
    Metadata::new(BTreeMap::from([(text(name), value.into())])).unwrap()
}

fn granted() -> Told {
    let mut told = Told::under(|policy| policy.decimals = 2);
    let (account, amount, reason) = (account(), credits(50_000_000_000), text("a gift"));
    let kind = LotKind::Gift;
    told.takes(command("gift", Order::Grant { account, amount, kind, label: None, reason }));
    told
}

fn used(key: &str, metadata: Metadata) -> Input {
    let (amount, usage) = (credits(1_000_000_000), Usage::AlreadyHappened);
    command(key, Order::Debit { account: account(), amount, usage, metadata })
}

#[test]
fn a_number_is_a_name_and_only_with_a_mark_a_sequence() {
    let mut told = granted();
    let order = told.takes(used("k", says("order", "2")));
    assert_eq!(sequences(&told.explained(&by("2")).unwrap()), [order.get()]);
    assert_eq!(sequences(&told.explained(&by("#2")).unwrap()), [2]);
    let unknown = told.explained(&by("1"));
    assert!(matches!(unknown, Err(ExplainError::Unknown { .. })), "{unknown:?}");
}

#[test]
fn a_key_hides_no_request_of_the_same_name() {
    let mut told = granted();
    let (amount, expires_in_seconds) = (credits(2_000_000_000), 3_600);
    let hold = command("req-1", Order::Hold { account: account(), amount, expires_in_seconds });
    let Input::Command(placed) = &hold else { unreachable!() };
    let id = placed.id;
    let hold = told.takes(hold);
    let (account, amount) = (account(), credits(1_000_000_000));
    let metadata = says("request_id", "req-1");
    let capture = Order::Capture { account, hold: id, amount, metadata };
    let at = recorded_at(told.records.len() - 1, 1);
    let capture = told.takes_at(command("capture", capture), at);
    let found = told.explained(&by("req-1")).unwrap();
    assert_eq!(sequences(&found), [hold.get(), capture.get()]);
    for said in ["the idempotency key of a command", "what usage says of itself"] {
        assert!(found.text().contains(said), "{}", found.text());
    }
    // What JSON escapes is found too.
    let escaped = told.takes(used("escaped", says("request_id", "a \"b\"\\")));
    assert_eq!(sequences(&told.explained(&by("a \"b\"\\")).unwrap()), [escaped.get()]);
}

#[test]
fn the_newest_uses_of_many_are_shown_and_the_others_counted() {
    let mut told = granted();
    let said = |number| if number % 3 == 0 { "gpt-y" } else { "gpt-x" };
    for number in 0..30 {
        told.takes(used(&format!("key-{number}"), says("model", said(number))));
    }
    let last = told.records.len();
    for (id, model) in
        [(None, Some("gpt-x")), (Some("gpt-x"), None), (Some("alice"), Some("gpt-x"))]
    {
        let (id, model) = (id.map(str::to_owned), model.map(str::to_owned));
        let asked = Asked { id, model, steps_max: 3, ..by("") };
        let found = told.explained(&asked).unwrap();
        let Subject::Records(steps) = &found.subject else { panic!("{found:?}") };
        assert_eq!(steps.earlier, 17);
        let newest = [last - 3, last - 1, last].map(|at| u64::try_from(at).unwrap());
        assert_eq!(sequences(&found), newest);
    }
}

fn minor(minor: i64) -> Minor {
    Minor::new(minor).unwrap()
}

/// A payment of so many of a price for 10 USD.
fn bought(number: u32, quantity: u32, origin: &str) -> Input {
    let mut payment = history::payment(1);
    payment.origin = Origin::new(origin).unwrap();
    let total = minor(1_000 * i64::from(quantity));
    let line = Line {
        item: ItemId::new("txnitm_1").unwrap(),
        price: Some(PriceId::new("pri_big").unwrap()),
        quantity,
        subtotal: total,
        discount: minor(0),
    };
    let basket = Basket {
        currency: Currency::new("USD").unwrap(),
        subtotal: total,
        discount: minor(0),
        tax: minor(0),
        total,
        lines: vec![line],
    };
    let notice = Notice::Purchase(Purchase {
        payment,
        occurred_at: recorded_at(usize::try_from(number).unwrap(), 0),
        account: Some(account()),
        customer: None,
        progress: Progress::Completed(basket),
    });
    delivery(&Event { number, notice })
}

fn priced() -> Told {
    Told::under(|policy| {
        let (paid, gift) = (credits(1_000_000_000_000), Credits::ZERO);
        let price = PriceId::new("pri_big").unwrap();
        policy.prices = BTreeMap::from([(price, PriceCredits { paid, gift })]);
    })
}

#[test]
fn a_correction_says_that_it_is_a_difference() {
    let whole = "10.00 USD net for 1 x price pri_big of 1000 paid and 0 gift credits";
    let both = "20.00 USD net for 2 x price pri_big of 1000 paid and 0 gift credits";
    let difference = "the difference of 10.00 USD net to what was posted before, now for 2 x price \
                      pri_big of 1000 paid and 0 gift credits";
    let mut told = priced();
    told.takes(bought(1, 1, "paddle"));
    told.takes(bought(2, 2, "paddle"));
    for id in ["alice", "txn_1"] {
        let page = told.explained(&by(id)).unwrap().text();
        assert_eq!(page.matches(whole).count(), 1, "{page}");
        assert_eq!(page.matches(difference).count(), 1, "{page}");
        assert_eq!(page.matches(both).count(), 1, "{page}");
    }
    // And back again.
    told.takes(bought(3, 1, "paddle"));
    let page = told.explained(&by("alice")).unwrap().text();
    assert_eq!(page.matches(whole).count(), 2, "{page}");
    assert!(page.contains("the difference of -10.00 USD net"), "{page}");
}

#[test]
fn a_payment_of_two_origins_is_asked_for_by_its_origin() {
    let mut told = priced();
    told.takes(bought(1, 1, "paddle"));
    told.takes(bought(2, 2, "elsewhere"));
    let refused = told.explained(&by("txn_1")).unwrap_err();
    assert!(refused.to_string().ends_with(": elsewhere, paddle"), "{refused}");
    for (origin, at) in [("paddle", 3), ("elsewhere", 4)] {
        let asked = Asked { origin: Some(origin.to_owned()), ..by("txn_1") };
        let found = told.explained(&asked).unwrap();
        let Subject::Payment(story) = &found.subject else { panic!("{found:?}") };
        assert_eq!((story.key.origin.as_str(), sequences(&found)), (origin, vec![at]));
    }
    let nowhere = Asked { origin: Some("nowhere".to_owned()), ..by("txn_1") };
    assert!(matches!(told.explained(&nowhere), Err(ExplainError::Unknown { .. })));
    // A payment does not hide usage that names it.
    told.takes(used("k", says("order", "txn_1")));
    let asked = Asked { origin: Some("paddle".to_owned()), ..by("txn_1") };
    let found = told.explained(&asked).unwrap();
    assert!(found.text().contains("what usage says of itself too: 1 records, the last #5"));
    assert_eq!(found.json()["also"][0]["newest"], 5);
}

#[test]
fn the_versions_of_the_policy_are_found_in_the_log() {
    for seed in 0..100 {
        let drawn = drawn(seed);
        let found = activations(&drawn.log, &ledger(), |_, _| ()).unwrap();
        assert_eq!(found, drawn.state.book.activations, "seed {seed}");
    }
    let data = on_disk(Merchant::new(7, 900).unwrap());
    let store = SledStore::open(data.path(), Options::STANDARD).unwrap();
    let book = projectors::projections::Projections::new(store.views()).book(&ledger()).unwrap();
    let found = activations(&*store.log(), &ledger(), |_, _| ()).unwrap();
    assert!(found.len() > 1, "{found:?}");
    assert_eq!(found, book.activations);
}

#[test]
fn a_page_reads_little_more_than_it_shows() {
    const RECORDS: u64 = 3_000;
    let data = on_disk(Merchant::new(7, RECORDS).unwrap());
    let store = SledStore::open(data.path(), Options::STANDARD).unwrap();
    let log = store.log();
    let activations = activations(&*log, &ledger(), |_, _| ()).unwrap();
    let records = log.scan(&ledger(), None, usize::MAX).unwrap();
    let request = records.iter().find_map(|recorded| {
        let (_, metadata) = audit::names::metadata(recorded.record())?;
        let (_, value) =
            metadata.entries().iter().find(|(name, _)| name.as_str() == "request_id")?;
        Some(value.trim_matches('"').to_owned())
    });
    let mut accounts: BTreeMap<AccountId, u64> = BTreeMap::new();
    let mut payments: BTreeMap<String, u64> = BTreeMap::new();
    for recorded in &records {
        for account in recorded.record().decision.accounts() {
            *accounts.entry(account).or_default() += 1;
        }
        for key in audit::names::payments(recorded.record()) {
            *payments.entry(key.id.to_string()).or_default() += 1;
        }
    }
    let account = accounts.iter().min_by_key(|(_, of)| **of).unwrap();
    let payment = payments.iter().min_by_key(|(_, of)| **of).unwrap();
    for id in [account.0.as_str(), payment.0, &request.unwrap()] {
        let window = Window::of(store.log(), u64::MAX);
        let found = explain(&window, &ledger(), &activations, &by(id)).unwrap();
        let shown = u64::try_from(found.subject.steps().len()).unwrap();
        let read = window.read.load(Ordering::Relaxed);
        // Whole blocks are read, and a name may be a part of another.
        assert!(shown > 0 && read <= 10 * shown + 200, "{id}: {shown} shown, {read} read");
    }
}
