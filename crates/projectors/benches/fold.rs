//! Folding a log on disk, and what each part of it costs.
//!
//! `cargo bench -p projectors --bench fold` folds 200,000 purchases over 10,000 accounts;
//! `-- RECORDS` another number, `-- RECORDS DIRECTORY` a log that stays there for the next time.
//! Every line says how many records a second by the clock (the median of three runs), and the
//! processor's time for one record on all threads together (the least of three), which tells less
//! of what else the machine does.

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use domain::{
    credits::Credits,
    decide::{Verdict, decide},
    entities::Key,
    ids::{Actor, Digest, IdempotencyKey, LedgerId, OperationId, PaymentId, Sequence, Text},
    input::{Command, Input, LotKind, Order},
    money::Currency,
    notice::Notice,
    policy::{Measures, Policy, Shortfall, Unlisted, UsageRules},
    record::Record,
    state::{Missing, State},
    time::Timestamp,
};
use event_store::{
    chain::Hash,
    form,
    log::{Append, EventLog},
    memory::MemoryViews,
    sled::{Options, SledStore},
    views::ViewStore,
};
use projectors::projections::Projections;

#[path = "../../event-store/tests/samples/mod.rs"]
#[expect(dead_code, reason = "tests of the event store use the rest")]
mod samples;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const RECORDS_DEFAULT: u64 = 200_000;
const ACCOUNTS: u64 = 10_000;
/// How many records are appended at once, and folded between two checkpoints.
const GROUP: u64 = 256;
const CHUNK: usize = 1_024;
/// Each part is measured so often; the median counts.
const RUNS: usize = 3;
/// The kernel counts processor time in ticks of 10 ms.
const TICKS_PER_SECOND: u64 = 100;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [] => in_own_directory(RECORDS_DEFAULT),
        [records] => in_own_directory(records.parse()?),
        [records, directory] => measure(records.parse()?, &PathBuf::from(directory)),
        [..] => Err("expected nothing, RECORDS or RECORDS DIRECTORY".into()),
    }
}

/// On the target directory's disk, never a memory file system.
fn in_own_directory(records: u64) -> Fallible<()> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let directory = tempfile::tempdir_in(target)?;
    measure(records, directory.path())
}

fn measure(records: u64, directory: &Path) -> Fallible<()> {
    let store = SledStore::open(directory, Options::STANDARD)?;
    let (ledger, log) = (LedgerId::new("main")?, store.log());
    fill(&*log, &ledger, records)?;
    let bench = Bench { ledger, log, count: records };
    bench.read()?;
    bench.parts()?;
    bench.apply()?;
    bench.fold(&store.views(), "catch up, views on disk")?;
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    bench.fold(&views, "catch up, in memory")
}

/// Appends purchases until there are so many records, decided one by one as they would be live.
fn fill(log: &dyn EventLog, ledger: &LedgerId, records: u64) -> Fallible<()> {
    let projections = Projections::new(Arc::new(MemoryViews::new()));
    projections.catch_up(log, |_, _| ())?;
    while projections.sequence(ledger)?.map_or(0, Sequence::get) < records {
        let mut state = projections.state(ledger)?;
        let mut group = Vec::new();
        for _ in 0..GROUP {
            let (input, body) = next_input(&state)?;
            let record = decided(&projections, &mut state, input)?;
            group.push(Append { ledger: ledger.clone(), record, body });
        }
        log.append(&group)?;
        projections.fold(ledger, group.iter().map(|append| &append.record))?;
        if projections.checkpoint_is_due() {
            projections.checkpoint()?;
        }
    }
    Ok(())
}

fn next_input(state: &State) -> Fallible<(Input, Arc<[u8]>)> {
    let sequence = state.book.next_sequence();
    if sequence == Sequence::FIRST {
        return Ok((activation(&state.ledger)?, Arc::from([])));
    }
    let account = format!("acct-{:06}", sequence.get().wrapping_mul(7919) % ACCOUNTS);
    let (mut record, body) = samples::purchase(sequence.get(), sequence, &account)?;
    if let Input::Delivery(delivery) = &mut record.input
        && let Ok(Notice::Purchase(purchase)) = &mut delivery.notice
    {
        purchase.payment.id = in_order(&purchase.payment.id, sequence)?;
    }
    Ok((record.input, body))
}

/// A provider's ids begin with their time: this one too.
fn in_order(id: &PaymentId, sequence: Sequence) -> Fallible<PaymentId> {
    let (_, random) = id.as_str().split_at_checked(18).ok_or("an id that is too short")?;
    Ok(PaymentId::new(&format!("txn_01k{:07x}{random}", sequence.get()))?)
}

/// Decides an input and applies the decision.
fn decided(projections: &Projections, state: &mut State, input: Input) -> Fallible<Record> {
    let sequence = state.book.next_sequence();
    let micros = i64::try_from(sequence.get())?.saturating_mul(1_000);
    let recorded_at = Timestamp::from_micros(micros).ok_or("no such moment")?;
    let decision = loop {
        match decide(state, &input, recorded_at) {
            Ok(Verdict::Record(decision)) => break decision,
            Ok(other) => return Err(format!("decided to {other:?}").into()),
            Err(Missing(Key::Event(event))) => drop(state.events.insert(event, None)),
            Err(Missing(Key::Command(key))) => drop(state.commands.insert(key, None)),
            Err(Missing(key)) => drop(projections.load(state, &key)?),
        }
    };
    let record = Record { sequence, recorded_at, input, decision };
    projections.apply(state, &record)?;
    Ok(record)
}

fn activation(ledger: &LedgerId) -> Fallible<Input> {
    let usd = Currency::new("USD").ok_or("no such currency")?;
    let policy = Policy {
        name: Text::new("bench")?,
        version: 1,
        effective_from: Timestamp::EPOCH,
        unit: Text::new("USD")?,
        decimals: 6,
        rates: BTreeMap::from([(usd, Credits::parse("1", 0)?)]),
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
    let key = IdempotencyKey::new("policy")?;
    Ok(Input::Command(Box::new(Command {
        id: OperationId::of(ledger, &key),
        key,
        actor: Actor::new("bench")?,
        request: Digest([7; 32]),
        order: Order::ActivatePolicy { policy: Arc::new(policy), file: Digest([7; 32]) },
    })))
}

struct Bench {
    ledger: LedgerId,
    log: Arc<dyn EventLog>,
    count: u64,
}

impl Bench {
    /// Reading the log to the end, as every fold does.
    fn read(&self) -> Fallible<()> {
        self.time("read, check and decode", || {
            let mut after = None;
            while let Some(last) = self.log.scan(&self.ledger, after, CHUNK)?.last() {
                after = Some(last.record().sequence);
            }
            Ok(())
        })
    }

    /// Two parts of reading, on forms in memory; the rest of it is sled, digests and zstd.
    fn parts(&self) -> Fallible<()> {
        let forms: Vec<Vec<u8>> = self.records()?.iter().map(form::record::encode).collect();
        let bytes: usize = forms.iter().map(Vec::len).sum();
        println!("the form of a record has {} bytes", bytes / forms.len().max(1));
        self.time("- of it, the hash chain", || {
            let genesis = Hash::genesis(&self.ledger);
            black_box(forms.iter().fold(genesis, |hash, form| hash.then(form)));
            Ok(())
        })?;
        self.time("- of it, decoding", || {
            for form in &forms {
                black_box(form::record::decode(form)?);
            }
            Ok(())
        })
    }

    /// Applying records that are in memory, with views in memory.
    fn apply(&self) -> Fallible<()> {
        let records = self.records()?;
        self.time("apply", || {
            let projections = Projections::new(Arc::new(MemoryViews::new()));
            for chunk in records.chunks(CHUNK) {
                projections.fold(&self.ledger, chunk.iter())?;
            }
            Ok(())
        })
    }

    /// All of it.
    fn fold(&self, views: &Arc<dyn ViewStore>, what: &str) -> Fallible<()> {
        self.time(what, || {
            views.clear()?;
            let projections = Projections::new(Arc::clone(views));
            projections.catch_up(&*self.log, |_, _| ())?;
            Ok(projections.checkpoint()?)
        })
    }

    fn records(&self) -> Fallible<Vec<Record>> {
        let limit = usize::try_from(self.count)?.saturating_mul(2);
        let records = self.log.scan(&self.ledger, None, limit)?;
        Ok(records.into_iter().map(event_store::log::Recorded::into_record).collect())
    }

    fn time(&self, what: &str, run: impl Fn() -> Fallible<()>) -> Fallible<()> {
        let mut taken = Vec::new();
        for _ in 0..RUNS {
            let (ticks, begin) = (processor_ticks()?, Instant::now());
            run()?;
            let nanos = u64::try_from(begin.elapsed().as_nanos())?;
            taken.push((nanos, processor_ticks()?.saturating_sub(ticks)));
        }
        taken.sort_unstable();
        let (nanos, _) = taken.get(RUNS / 2).copied().unwrap_or_default();
        let ticks = taken.iter().map(|(_, ticks)| *ticks).min().unwrap_or_default();
        let rate = self.count.saturating_mul(1_000_000_000).checked_div(nanos).unwrap_or(0);
        let each = ticks.saturating_mul(1_000_000_000 / TICKS_PER_SECOND) / self.count.max(1);
        println!("{what:<26} {rate:>9}/s {:>4}.{:02} us", each / 1_000, each % 1_000 / 10);
        Ok(())
    }
}

/// The processor's time that this process took so far, in user and system mode.
fn processor_ticks() -> Fallible<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in the process's status")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |index: usize| -> Fallible<u64> {
        Ok(fields.get(index).ok_or("no such field in the process's status")?.parse()?)
    };
    Ok(field(11)?.saturating_add(field(12)?))
}
