//! What must be in the stream: one message for each account that a record changes, in order, once,
//! with what the account is then.

use std::collections::BTreeMap;

use balance_events::{
    envelope::{BalanceChange, Envelope},
    subject::{MessageId, subject},
};
use bytes::Bytes;
use domain::{account::Status, ids::AccountId, record::Record};
use tallyhook_tests::{
    history::ledger,
    naive::{Picture, Standing},
};

use super::equal;
use crate::{
    broker::{Kept, MemoryBroker},
    coverage::Coverage,
    provider::{PERSON, SECRETS},
    trace::Trace,
};

/// The messages that must be there, as far as records are known, and those that were.
#[derive(Default)]
pub(crate) struct Messages {
    expected: Vec<Expected>,
    versions: BTreeMap<AccountId, u64>,
    /// The bytes of each message when it was stored first.
    first: Vec<Bytes>,
    /// How many of those in the stream were looked at.
    seen: usize,
}

/// One message.
struct Expected {
    record: u64,
    account: AccountId,
    version: u64,
    standing: Standing,
}

impl Messages {
    /// A record was learned.
    pub(super) fn expect(
        &mut self,
        record: &Record,
        before: &Picture,
        after: &Picture,
    ) -> Result<(), String> {
        let told = record.decision.accounts();
        for (account, standing) in &after.accounts {
            let changed = before.accounts.get(account).is_none_or(|was| {
                (&was.freezes, was.closed, was.books)
                    != (&standing.freezes, standing.closed, standing.books)
            });
            if changed && !told.contains(account) {
                return Err(format!("the change of {account} is not told"));
            }
        }
        for account in told {
            let standing = after.accounts.get(&account).ok_or("a change of no account is told")?;
            let version = self.versions.entry(account.clone()).or_default();
            *version += 1;
            let (version, standing) = (*version, standing.clone());
            self.expected.push(Expected {
                record: record.sequence.get(),
                account,
                version,
                standing,
            });
        }
        Ok(())
    }

    /// How many records changed an account.
    pub(super) fn version(&self, account: &AccountId) -> u64 {
        self.versions.get(account).copied().unwrap_or(0)
    }

    /// How many messages there must be.
    pub(crate) fn len(&self) -> usize {
        self.expected.len()
    }

    /// What is new in the stream is what must come next, to the byte what it was if it was there
    /// before.
    pub(crate) fn check(
        &mut self,
        broker: &MemoryBroker,
        (trace, covered): (&mut Trace, &mut Coverage),
    ) -> Result<(), String> {
        self.seen = self.seen.min(broker.len());
        for kept in broker.messages(self.seen, usize::MAX) {
            let place = self.seen;
            let expected = self.expected.get(place);
            let expected = expected.ok_or_else(|| format!("{} is one too many", kept.id))?;
            match self.first.get(place) {
                Some(first) => {
                    covered.reach("published-again-the-same");
                    equal("the bytes of a message that is published again", &kept.body, first)?;
                }
                None => {
                    expected.is(&kept).map_err(|what| format!("message {}: {what}", kept.id))?;
                    self.first.push(kept.body.clone());
                }
            }
            covered.reach("published");
            trace.bytes(kept.id.as_bytes());
            trace.bytes(&kept.body);
            self.seen += 1;
        }
        Ok(())
    }
}

impl Expected {
    fn is(&self, kept: &Kept) -> Result<(), String> {
        let text = std::str::from_utf8(&kept.body).map_err(|error| error.to_string())?;
        if text.contains(PERSON) || SECRETS.iter().any(|secret| text.contains(secret)) {
            return Err("it names what nobody may see".to_owned());
        }
        let envelope = Envelope::from_json(&kept.body).map_err(|error| error.to_string())?;
        let data = &envelope.data;
        let id = MessageId {
            ledger: ledger().to_string(),
            sequence: self.record,
            account: self.account.to_string(),
        };
        equal("id", &kept.id, &id.to_string())?;
        equal("subject", &kept.subject, &subject(ledger().as_str(), self.account.as_str()))?;
        equal("version", (data.version, data.record), (self.version, self.record))?;
        let standing = &self.standing;
        let books = &standing.books;
        let names = [&data.paid, &data.gift, &data.held, &data.owed, &data.written_off];
        let known = [books.free.paid, books.free.gift, books.held, books.owed, books.written_off];
        for (shown, known) in names.into_iter().zip(known) {
            equal("an amount", billionths(shown), Some(known))?;
        }
        equal("available", billionths(&data.available), Some(standing.available()))?;
        let status = status(standing.status());
        equal("status", &*data.status, status)?;
        let can_spend = status == "active" && standing.available() > 0;
        equal("can_spend", data.can_spend, can_spend)?;
        freezes(data, standing)
    }
}

fn freezes(data: &BalanceChange, standing: &Standing) -> Result<(), String> {
    let shown = data.freezes.iter().map(|freeze| (freeze.id.clone(), freeze.since.clone()));
    let known = standing.freezes.iter();
    let known = known.map(|(id, (since, _))| (id.to_string(), since.to_string()));
    equal("freezes", shown.collect::<Vec<_>>(), known.collect())
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}

/// A decimal as it is shown, with at most nine places.
fn billionths(text: &str) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<9}").parse().ok()
}
