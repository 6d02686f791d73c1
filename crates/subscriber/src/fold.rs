//! What a message or a view of the API makes of what is known: the pure part.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use balance_events::{
    account_view::AccountView,
    envelope::Envelope,
    subject::{self},
};

use crate::{
    change::{Change, Kind, Repaired, Unreadable, UnreadableFault, Update},
    suspects::Suspects,
    table::{Table, Taken},
};

/// When a view is taken from the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// At once. Its message, which may be on its way, is passed over then.
    AtOnce,
    /// Once its message can't come any more, for those who want every message.
    OnceLost,
}

/// A message as it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) subject: &'a str,
    pub(crate) stream_sequence: u64,
    pub(crate) payload: &'a [u8],
}

/// The table's one writer.
pub(crate) struct Fold {
    table: Arc<Table>,
    repair: Repair,
    /// Whether the state at the start is complete: from then on, an account's first version is 1.
    is_complete: bool,
    heard: HashMap<String, Heard>,
    suspects: Suspects,
    /// The ledgers that had suspects at the last sweep.
    doubted: BTreeSet<String>,
}

/// What the stream has told of a ledger.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// The highest record. The publisher keeps their order, so what it had to tell of earlier ones
    /// has arrived or never will.
    record: u64,
    /// Whether anything came since the last sweep.
    is_recent: bool,
}

impl Fold {
    pub(crate) fn new(table: Arc<Table>, repair: Repair) -> Self {
        Self {
            table,
            repair,
            is_complete: false,
            heard: HashMap::new(),
            suspects: Suspects::default(),
            doubted: BTreeSet::new(),
        }
    }

    /// The stream is read from its state: the last message of each account first.
    pub(crate) fn start(&mut self) {
        self.is_complete = false;
        self.heard.clear();
        self.resume();
    }

    /// The stream is read on: the publisher gets its time to be back, too.
    pub(crate) fn resume(&mut self) {
        self.doubted.clear();
    }

    /// All that the stream had has arrived.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Takes a message and adds what it means to the updates.
    pub(crate) fn message(&mut self, arrived: Arrived<'_>, updates: &mut Vec<Update>) {
        let envelope = match read(arrived) {
            Ok(envelope) => envelope,
            Err(fault) => {
                updates.push(Update::Unreadable(Unreadable {
                    subject: arrived.subject.to_owned(),
                    stream_sequence: arrived.stream_sequence,
                    fault,
                }));
                return;
            }
        };
        // Those before it first: they may be about the same account.
        self.pass(&envelope.data.ledger, envelope.data.record, updates);
        let view = envelope.data.clone().into_view();
        if let Taken::Newer { view, known } = self.table.take(view) {
            let kind = self.kind(view.version, known);
            updates.push(Update::Change(Box::new(Change { envelope, kind })));
        }
    }

    fn kind(&self, version: u64, known: Option<u64>) -> Kind {
        let expected = known.map_or(1, |known| known.saturating_add(1));
        match (version.saturating_sub(expected), known) {
            (0, Some(_)) => Kind::Next,
            (0, None) => Kind::New,
            (_, None) if !self.is_complete => Kind::New,
            (missed, _) => Kind::Gap { missed },
        }
    }

    fn pass(&mut self, ledger: &str, record: u64, updates: &mut Vec<Update>) {
        let now = Heard { record, is_recent: true };
        match self.heard.get_mut(ledger) {
            Some(heard) if heard.record >= record => {
                heard.is_recent = true;
                return;
            }
            Some(heard) => *heard = now,
            None => drop(self.heard.insert(ledger.to_owned(), now)),
        }
        for view in self.suspects.before(ledger, record) {
            self.take(view, updates);
        }
    }

    /// Compares a view of the API with what is known.
    pub(crate) fn compare(&mut self, view: AccountView, updates: &mut Vec<Update>) {
        if self.table.version(&view.ledger, &view.account) >= Some(view.version) {
            return;
        }
        let passed = self.heard.get(&view.ledger).map_or(0, |heard| heard.record);
        if self.repair == Repair::AtOnce || view.sequence < passed {
            self.take(view, updates);
        } else {
            self.suspects.add(view);
        }
    }

    /// Whether there are views of the API whose messages may still come.
    pub(crate) fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// Takes those of ledgers of which nothing came since the last sweep: their messages would have
    /// come long ago. To be called now and then, while all that the stream has is here.
    pub(crate) fn sweep(&mut self, updates: &mut Vec<Update>) {
        for ledger in std::mem::take(&mut self.doubted) {
            if self.heard.get(&ledger).is_none_or(|heard| !heard.is_recent) {
                for view in self.suspects.of(&ledger) {
                    self.take(view, updates);
                }
            }
        }
        self.doubted = self.suspects.ledgers();
        self.heard.values_mut().for_each(|heard| heard.is_recent = false);
    }

    fn take(&self, view: AccountView, updates: &mut Vec<Update>) {
        if let Taken::Newer { view, known } = self.table.take(view) {
            let missed = view.version.saturating_sub(known.unwrap_or(0));
            updates.push(Update::Repaired(Repaired { view, missed }));
        }
    }
}

fn read(arrived: Arrived<'_>) -> Result<Envelope, UnreadableFault> {
    let envelope = Envelope::from_json(arrived.payload)?;
    let expected = subject::subject(&envelope.data.ledger, &envelope.data.account);
    if expected != arrived.subject {
        return Err(UnreadableFault::Subject { expected });
    }
    if envelope.data.version == 0 {
        return Err(UnreadableFault::Version);
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests;
