//! One pass over a ledger's records up to a cut: every report, export and proof begins with it.
//!
//! A second thread reads ahead and hashes the leaves; what comes out is the same with and without.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::scope,
};

use domain::{
    ids::LedgerId,
    input::{Input, Order},
    record::Record,
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError, Recorded};
use proof::merkle::{Frontier, Hash};

use crate::{
    cut::{Cut, PolicyInForce, Provenance},
    leaf::leaf_hash,
};

/// How many records are read at once: about a block.
const CHUNK: usize = 256;

/// How many chunks are read ahead.
const AHEAD: usize = 8;

/// The records of a chunk with the hashes of their leaves.
type Chunk = Result<Vec<(Recorded, Hash)>, ReadError>;

/// Reads the records that a cut knows, in order, and gives each to `each`: those too that do not
/// count because they happened later. `progress` is told of every chunk: how many records are read,
/// and how many there are.
///
/// # Errors
/// The log can't be read or is damaged, or `each` fails.
pub fn pass<E: From<ReadError>>(
    log: &dyn EventLog,
    ledger: &LedgerId,
    cut: &Cut,
    mut progress: impl FnMut(u64, u64),
    mut each: impl FnMut(&Recorded, Hash) -> Result<(), E>,
) -> Result<Provenance, E> {
    let total = log.head(ledger).map_or(0, |head| head.sequence.get());
    let mut seen = Seen::new();
    scope(|scope| {
        let (sender, chunks) = sync_channel(AHEAD);
        let reader = scope.spawn(move || read(log, ledger, &sender));
        let folded = fold(&chunks, cut, &mut seen, |read, recorded, leaf| {
            if read.is_multiple_of(1_024) {
                progress(read, total);
            }
            each(recorded, leaf)
        });
        // The reader ends once nobody takes its chunks.
        drop(chunks);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        folded
    })?;
    Ok(seen.provenance(ledger))
}

fn read(log: &dyn EventLog, ledger: &LedgerId, chunks: &SyncSender<Chunk>) {
    let mut after = None;
    loop {
        let chunk = log.scan(ledger, after, CHUNK).map(|records| {
            let hashed = records.into_iter().map(|recorded| {
                let leaf = leaf_hash(ledger, &recorded);
                (recorded, leaf)
            });
            hashed.collect::<Vec<_>>()
        });
        let last = chunk.as_ref().ok().and_then(|chunk| chunk.last());
        let last = last.map(|(recorded, _)| recorded.record().sequence);
        if chunks.send(chunk).is_err() || last.is_none() {
            return;
        }
        after = last;
    }
}

fn fold<E: From<ReadError>>(
    chunks: &Receiver<Chunk>,
    cut: &Cut,
    seen: &mut Seen,
    mut each: impl FnMut(u64, &Recorded, Hash) -> Result<(), E>,
) -> Result<(), E> {
    for chunk in chunks {
        for (recorded, leaf) in &chunk? {
            if !cut.knows(recorded.record()) {
                return Ok(());
            }
            seen.add(recorded.record(), *leaf);
            each(seen.tree.size(), recorded, *leaf)?;
        }
    }
    Ok(())
}

/// What a pass keeps of what it saw.
struct Seen {
    tree: Frontier,
    recorded_at: Option<Timestamp>,
    policies: Vec<PolicyInForce>,
    unit: String,
}

impl Seen {
    const fn new() -> Self {
        Self { tree: Frontier::new(), recorded_at: None, policies: Vec::new(), unit: String::new() }
    }

    fn add(&mut self, record: &Record, leaf: Hash) {
        self.tree.push(leaf);
        self.recorded_at = Some(record.recorded_at);
        self.policies.extend(PolicyInForce::of(record));
        if let Input::Command(command) = &record.input
            && let Order::ActivatePolicy { policy, .. } = &command.order
        {
            policy.unit.as_str().clone_into(&mut self.unit);
        }
    }

    fn provenance(self, ledger: &LedgerId) -> Provenance {
        Provenance {
            ledger: ledger.clone(),
            records: self.tree.size(),
            root: self.tree.root(),
            recorded_at: self.recorded_at,
            policies: self.policies,
            unit: self.unit,
        }
    }
}
