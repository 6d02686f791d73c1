//! The log against checkpoints that somebody kept: an insider who edits a record and makes every
//! hash after it anew can't make a signature that an outsider already has.
//!
//! What is held are the logs that the files tell of, whether the log still has them or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    vec::IntoIter,
};

use domain::ids::{LedgerId, Sequence};
use event_store::log::{EventLog, ReadError};
use proof::{
    checkpoint::{Checkpoint, CheckpointFault, is_cut_short, notes},
    merkle::{Frontier, Hash},
    note::{NoteFault, VerifierKey},
};

use crate::{
    cut::Cut,
    findings::{Finding, Kind},
    pass::pass,
};

/// The checkpoints of some files, by the origin that they tell of.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    origins: BTreeMap<String, OfOrigin>,
}

/// The checkpoints of one origin.
#[derive(Clone, Debug, Default)]
struct OfOrigin {
    /// Those that can be read, each once.
    notes: BTreeSet<String>,
    /// How many can't be.
    unreadable: usize,
}

/// Why checkpoints can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptFault {
    /// There is something else in the file.
    #[error("a signed note in it names no ledger in its first line")]
    Form,
    /// A key is of nothing that was kept.
    #[error("no checkpoint is of {0}, whose key was given: pass the file that was kept")]
    Nothing(String),
}

/// What came of holding a ledger to its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The origin that the checkpoints tell of.
    pub origin: String,
    /// The ledger.
    pub ledger: LedgerId,
    /// How many checkpoints there are of it, each counted once.
    pub notes: usize,
    /// How it is.
    pub verdict: HeldVerdict,
}

/// How a ledger stands to its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldVerdict {
    /// The log goes on from all of them.
    Holds {
        /// How many records the largest covers.
        records: u64,
    },
    /// It doesn't, or not all can be believed.
    Broken(Vec<Finding>),
    /// Nobody gave a key of this origin.
    NoKey,
}

/// The checkpoints of one ledger, compared while its log is read: one root for each size.
#[derive(Debug)]
pub(crate) struct Comparing {
    wanted: Peekable<IntoIter<Checkpoint>>,
    tree: Frontier,
    records: u64,
    /// The records of the last one that holds.
    equal: u64,
    /// The first one that doesn't.
    broken: Option<Broken>,
}

/// A checkpoint that a log contradicts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken {
    /// What it covers.
    pub(crate) size: u64,
    /// The records of the last one before that holds.
    equal: u64,
    /// The log's records.
    pub(crate) records: u64,
}

/// What a comparison came to.
#[derive(Debug)]
pub(crate) struct Compared {
    /// The records of the last one that holds.
    equal: u64,
    /// The first one that doesn't.
    pub(crate) broken: Option<Broken>,
}

impl Comparing {
    pub(crate) fn of(mut wanted: Vec<Checkpoint>) -> Self {
        wanted.sort_unstable_by_key(|checkpoint| (checkpoint.size, checkpoint.root));
        wanted.dedup_by_key(|checkpoint| (checkpoint.size, checkpoint.root));
        let wanted = wanted.into_iter().peekable();
        let mut new = Self { wanted, tree: Frontier::new(), records: 0, equal: 0, broken: None };
        new.look();
        new
    }

    /// Takes in the next record's leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        self.records = self.records.saturating_add(1);
        // Behind the last one, and behind one that doesn't hold, nothing more is to be found.
        if self.broken.is_none() && self.wanted.peek().is_some() {
            self.tree.push(leaf);
            self.look();
        }
    }

    fn look(&mut self) {
        let size = self.tree.size();
        while let Some(checkpoint) = self.wanted.next_if(|wanted| wanted.size == size) {
            if checkpoint.root == self.tree.root() {
                self.equal = size;
            } else {
                let (equal, records) = (self.equal, size);
                self.broken.get_or_insert(Broken { size, equal, records });
            }
        }
    }

    pub(crate) fn ended(mut self) -> Compared {
        let (equal, records) = (self.equal, self.records);
        let beyond = self.wanted.next().map(|beyond| Broken { size: beyond.size, equal, records });
        Compared { equal, broken: self.broken.or(beyond) }
    }
}

impl Kept {
    /// Adds what is in the text of a file. A note that was cut short, as by a loss of power, was
    /// never published whole and is passed over.
    ///
    /// # Errors
    /// It has notes of something else.
    pub fn add(&mut self, file: &str) -> Result<(), KeptFault> {
        for note in notes(file).filter(|note| !is_cut_short(note)) {
            match Checkpoint::unverified(&note) {
                Ok(checkpoint) => {
                    ledger(&checkpoint.origin)?;
                    self.origins.entry(checkpoint.origin).or_default().notes.insert(note);
                }
                Err(_) => {
                    let origin = note.lines().next().unwrap_or_default();
                    ledger(origin)?;
                    let of = self.origins.entry(origin.to_owned()).or_default();
                    of.unreadable = of.unreadable.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    /// Holds a log to all checkpoints that these keys should have signed. Whatever was recorded
    /// after a checkpoint is nothing to it.
    ///
    /// A log is read once for each origin, and a signature checked once for each different note.
    ///
    /// # Errors
    /// A key is of nothing that was kept.
    pub fn held(&self, log: &dyn EventLog, keys: &[VerifierKey]) -> Result<Vec<Held>, KeptFault> {
        if let Some(key) = keys.iter().find(|key| !self.origins.contains_key(key.name())) {
            return Err(KeptFault::Nothing(key.name().to_owned()));
        }
        let held = self.origins.iter().map(|(origin, of)| {
            let ledger = ledger(origin)?;
            let notes = of.notes.len().saturating_add(of.unreadable);
            let keys: Vec<VerifierKey> =
                keys.iter().filter(|key| key.name() == origin).cloned().collect();
            let verdict =
                if keys.is_empty() { HeldVerdict::NoKey } else { of.held(log, &ledger, &keys) };
            Ok(Held { origin: origin.clone(), ledger, notes, verdict })
        });
        held.collect()
    }
}

impl OfOrigin {
    fn held(&self, log: &dyn EventLog, ledger: &LedgerId, keys: &[VerifierKey]) -> HeldVerdict {
        let mut wanted = Vec::new();
        let mut findings = Findings { ledger, all: Vec::new() };
        let mut unbelieved: BTreeMap<String, usize> = BTreeMap::new();
        if self.unreadable > 0 {
            *unbelieved.entry(CheckpointFault::Form.to_string()).or_default() += self.unreadable;
        }
        for note in &self.notes {
            match Checkpoint::open(note, keys) {
                Ok(checkpoint) => wanted.push(checkpoint),
                Err(CheckpointFault::Note(NoteFault::Unknown(_))) => {
                    let fault = "the checkpoint is signed by another key than the given one";
                    *unbelieved.entry(fault.to_owned()).or_default() += 1;
                }
                Err(fault) => *unbelieved.entry(fault.to_string()).or_default() += 1,
            }
        }
        for (fault, count) in unbelieved {
            let more = if count > 1 { format!(" ({count} of them)") } else { String::new() };
            findings.add(None, format!("{fault}{more}"));
        }
        let mut comparing = Comparing::of(wanted);
        let read = pass(
            log,
            ledger,
            &Cut::END,
            |_, _| {},
            |_, leaf| {
                comparing.push(leaf);
                Ok::<_, ReadError>(())
            },
        );
        let compared = comparing.ended();
        match (read, compared.broken) {
            // A log that can't be read to its end has findings of its own besides.
            (Err(error), _) => {
                findings
                    .add(None, format!("the log can't be compared with the checkpoint: {error}"));
            }
            (Ok(_), Some(Broken { size, records, .. })) if size > records => findings.add(
                None,
                format!("the log has {records} records and the signed checkpoint covers {size}"),
            ),
            (Ok(_), Some(Broken { size, equal, .. })) => findings.add(
                Sequence::new(size),
                format!(
                    "the records from {} to {size} are not those that the signed checkpoint \
                     covers: one was changed, removed or inserted",
                    equal.saturating_add(1)
                ),
            ),
            (Ok(_), None) => {}
        }
        if findings.all.is_empty() {
            HeldVerdict::Holds { records: compared.equal }
        } else {
            HeldVerdict::Broken(findings.all)
        }
    }
}

struct Findings<'a> {
    ledger: &'a LedgerId,
    all: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, sequence: Option<Sequence>, detail: String) {
        let (ledger, kind) = (self.ledger.clone(), Kind::Checkpoint);
        self.all.push(Finding { ledger, sequence, kind, detail });
    }
}

/// The ledger that stands behind the last slash of an origin.
fn ledger(origin: &str) -> Result<LedgerId, KeptFault> {
    let name = origin.rsplit('/').next().unwrap_or(origin);
    LedgerId::new(name).map_err(|_| KeptFault::Form)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proof::{merkle::Hash, note::PrivateKey};

    use super::*;

    /// As many as a server signs in two months.
    const MANY: u64 = 100_000;

    fn leaf(number: u64) -> Hash {
        Hash::of_leaf(&number.to_be_bytes())
    }

    fn checkpoint(size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: "tests/main".to_owned(), size, root }
    }

    #[test]
    fn a_hundred_thousand_checkpoints_are_compared_in_one_pass_and_each_is_looked_at() {
        let mut tree = Frontier::new();
        let mut all = vec![];
        for number in 0..MANY {
            tree.push(leaf(number));
            all.push(checkpoint(number + 1, tree.root()));
        }
        let compared = |all: Vec<Checkpoint>, records: u64| {
            let mut comparing = Comparing::of(all);
            (0..records).for_each(|number| comparing.push(leaf(number)));
            comparing.ended()
        };
        let clean = compared([all.clone(), all.clone()].concat(), MANY + 1);
        assert_eq!((clean.equal, clean.broken.is_none()), (MANY, true));
        let mut edited = all.clone();
        edited[69_999].root = Hash::of_nothing();
        let broken = compared(edited, MANY).broken.unwrap();
        assert_eq!((broken.size, broken.equal), (70_000, 69_999));
        let short = compared(all, 5).broken.unwrap();
        assert_eq!((short.size, short.records), (6, 5));
    }

    #[test]
    fn files_are_walked_by_their_own_origins() {
        let signer = |name: &str| PrivateKey::of([1; 32]).signer(name).unwrap();
        let note = |name: &str| {
            let origin = name.to_owned();
            Checkpoint { origin, size: 3, root: Hash::of_nothing() }.sign(&signer(name))
        };
        let key = |name: &str| signer(name).verifier().clone();
        let log = event_store::memory::MemoryLog::new();
        let held = |file: &str, keys: &[VerifierKey]| {
            let mut kept = Kept::default();
            kept.add(file)?;
            let held = kept.held(&log, keys)?;
            let told = held.into_iter().map(|held| match held.verdict {
                HeldVerdict::Holds { records } => (held.origin, format!("{records}")),
                HeldVerdict::Broken(findings) => (held.origin, findings[0].detail.clone()),
                HeldVerdict::NoKey => (held.origin, "no key".to_owned()),
            });
            Ok::<BTreeSet<(String, String)>, KeptFault>(told.collect())
        };
        let (main, eu) = (note("a/main"), note("a/eu"));
        let file = format!("{main}\n{eu}\n{main}\n");
        let gone = "the log has 0 records and the signed checkpoint covers 3";
        let told = |of: &str, what: &str| (of.to_owned(), what.to_owned());
        let found = held(&file, &[key("a/main")]).unwrap();
        assert_eq!(found, BTreeSet::from([told("a/main", gone), told("a/eu", "no key")]));
        let torn = format!("{main}\n{}\n\n{eu}\n", &main[..main.len() - 9]);
        assert_eq!(held(&torn, &[key("a/main")]).unwrap(), found);
        assert!(matches!(held(&file, &[key("a/other")]), Err(KeptFault::Nothing(_))));
        let unreadable = main.replace("\n3\n", "\nthree\n");
        let found = held(&unreadable, &[key("a/main")]).unwrap();
        let form = CheckpointFault::Form.to_string();
        assert_eq!(found, BTreeSet::from([told("a/main", &form)]));
        let nameless = unreadable.replace("a/main", "a/m\u{e4}in ");
        assert!(matches!(held(&nameless, &[key("a/main")]), Err(KeptFault::Form)));
        let edited = main.replace("\n3\n", "\n4\n");
        let found = held(&edited, &[key("a/main")]).unwrap();
        assert!(found.first().unwrap().1.contains("wrong signature"), "{found:?}");
    }
}
