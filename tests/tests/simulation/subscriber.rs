//! Who listens to the stream: from its first message or a later one, restarted now and then.

use std::collections::BTreeMap;

use balance_events::envelope::Envelope;

use crate::broker::{Kept, MemoryBroker};

/// One subscriber: how far it is, and what it knows of each account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subscriber {
    /// How many messages it has had.
    next: usize,
    /// The most it ever had: what is before may come again after a restart.
    most: usize,
    versions: BTreeMap<String, u64>,
}

/// How a subscriber starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// It forgot everything and begins with the first message.
    Anew,
    /// It remembers the accounts, and takes up some messages before the last that it had.
    Repeats(usize),
}

impl Subscriber {
    pub(crate) fn restart(&mut self, how: Restart) {
        match how {
            Restart::Anew => *self = Self::default(),
            Restart::Repeats(messages) => self.next = self.next.saturating_sub(messages),
        }
    }

    /// Takes at most so many messages. Each account's versions are gapless from 1, in order, once.
    pub(crate) fn listen(&mut self, broker: &MemoryBroker, most: usize) -> Result<(), String> {
        for Kept { body, subject, .. } in broker.messages(self.next, most) {
            let envelope = Envelope::from_json(&body).map_err(|error| error.to_string())?;
            let version = envelope.data.version;
            let known = self.versions.entry(subject.clone()).or_default();
            let again = self.next < self.most && version <= *known;
            if !again && version != *known + 1 {
                return Err(format!(
                    "a subscriber of {subject} has version {version} after {known}"
                ));
            }
            *known = version.max(*known);
            self.next += 1;
            self.most = self.most.max(self.next);
        }
        Ok(())
    }

    /// Whether it has had everything.
    pub(crate) fn has_all(&self, broker: &MemoryBroker) -> bool {
        self.next == broker.len()
    }
}
