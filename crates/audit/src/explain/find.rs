//! What an id names. Accounts are in an index; all else is looked for by its bytes, and a record
//! counts only where these bytes are the whole of something.
//!
//! One id may name several things: a command's key is often the request id of its usage too. All
//! that match are found, so that none hides another. Of what is found only sequences are kept.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    ids::{AccountId, CustomerId, EventKey, OperationId, Origin, PaymentKey, Sequence},
    input::Input,
    notice::Notice,
    record::Record,
};
use event_store::{
    log::{ReadError, Recorded},
    search::{Looked, search},
};
use uuid::Uuid;

use super::{Also, Asked, ExplainError, Place, step::metadata};
use crate::{history, names};

/// The names of metadata that have questions of their own.
const CALL_TIME: &str = "call_time";
const MODEL: &str = "model";

/// What an id names.
pub(super) enum Named {
    Account(AccountId),
    /// A payment with all records that are about it, oldest first, and what else the id is.
    Payment(PaymentKey, Vec<Sequence>, Vec<Also>),
    /// Records and what the id is to them.
    Records(String, Newest),
}

/// The newest of rising sequences, and how many came before these.
pub(super) struct Newest {
    most: usize,
    pub(super) sequences: VecDeque<Sequence>,
    pub(super) earlier: u64,
}

impl Newest {
    const fn of(most: usize) -> Self {
        Self { most, sequences: VecDeque::new(), earlier: 0 }
    }

    fn push(&mut self, sequence: Sequence) {
        self.sequences.push_back(sequence);
        if self.sequences.len() > self.most {
            self.sequences.pop_front();
            self.earlier = self.earlier.saturating_add(1);
        }
    }

    fn named(self, by: impl FnOnce() -> String) -> Option<Named> {
        let any = self.earlier > 0 || !self.sequences.is_empty();
        any.then(|| Named::Records(by(), self))
    }
}

/// What is asked for, if it is known.
pub(super) fn named(place: &Place<'_>, asked: &Asked) -> Result<Option<Named>, ExplainError> {
    let Some(id) = &asked.id else { return Ok(used(place, asked)?) };
    if let Some(number) = id.strip_prefix('#') {
        return Ok(record(place, number)?);
    }
    if let Some(account) = account(place, id)? {
        if usage_is_asked(asked) {
            return Ok(used_by(place, &account, asked)?);
        }
        return Ok(Some(Named::Account(account)));
    }
    searched(place, id, asked)
}

const fn usage_is_asked(asked: &Asked) -> bool {
    asked.call_time.is_some() || asked.model.is_some()
}

fn account(place: &Place<'_>, id: &str) -> Result<Option<AccountId>, ReadError> {
    let Ok(account) = AccountId::new(id) else { return Ok(None) };
    let mut known = false;
    let first = place.log.by_account(place.ledger, &account, None, 1)?;
    if let Some(sequence) = first.first()
        && let Some(recorded) = place.log.read(place.ledger, *sequence)?
    {
        known = place.cut.knows(recorded.record()) && recorded.record().decision.touches(&account);
    }
    Ok(known.then_some(account))
}

fn record(place: &Place<'_>, number: &str) -> Result<Option<Named>, ReadError> {
    let sequence = number.parse().ok().and_then(Sequence::new);
    let Some(sequence) = sequence else { return Ok(None) };
    let recorded = place.log.read(place.ledger, sequence)?;
    let recorded = recorded.filter(|recorded| place.cut.knows(recorded.record()));
    Ok(recorded.map(|_| {
        let newest = Newest { most: 1, sequences: VecDeque::from([sequence]), earlier: 0 };
        Named::Records("its sequence".to_owned(), newest)
    }))
}

/// What an id is to one record.
struct Match {
    sequence: Sequence,
    kinds: [bool; KINDS.len()],
    payments: Vec<PaymentKey>,
}

impl Match {
    fn of(record: &Record, id: &str, asked: &Asked) -> Option<Self> {
        let kinds = KINDS.map(|(_, is)| is(record, id));
        let mut payments: Vec<PaymentKey> = Vec::new();
        if usage_is_asked(asked) {
            // A payment is no usage.
            return (says(record, asked) && kinds.contains(&true)).then_some(Self {
                sequence: record.sequence,
                kinds,
                payments,
            });
        }
        let is_asked = |origin: &Origin| {
            asked.origin.as_ref().is_none_or(|asked| asked.as_str() == origin.as_str())
        };
        for key in names::payments(record).filter(|key| key.id.as_str() == id) {
            if is_asked(&key.origin) && !payments.contains(key) {
                payments.push(key.clone());
            }
        }
        let any = kinds.contains(&true) || !payments.is_empty();
        any.then_some(Self { sequence: record.sequence, kinds, payments })
    }
}

/// What the records with an id's bytes are about: a payment before all else, since it tells most.
fn searched(place: &Place<'_>, id: &str, asked: &Asked) -> Result<Option<Named>, ExplainError> {
    let mut needles = vec![id.as_bytes().to_vec(), stored(id)];
    needles.dedup();
    needles.extend(id.parse().ok().map(|uuid: Uuid| uuid.as_bytes().to_vec()));
    let mut payments: BTreeMap<PaymentKey, Vec<Sequence>> = BTreeMap::new();
    let mut also: Vec<(&str, Option<Also>)> = KINDS.iter().map(|(by, _)| (*by, None)).collect();
    let mut newest = Newest::of(asked.steps_max);
    known(
        place,
        &needles,
        |record| Match::of(record, id, asked),
        |found| {
            for key in found.payments {
                payments.entry(key).or_default().push(found.sequence);
            }
            for ((by, also), _) in also.iter_mut().zip(found.kinds).filter(|(_, is)| *is) {
                let also = also.get_or_insert_with(|| Also::none(by));
                also.records = also.records.saturating_add(1);
                also.newest = found.sequence;
            }
            if found.kinds.contains(&true) {
                newest.push(found.sequence);
            }
        },
    )?;
    if payments.len() > 1 {
        let origins = payments.into_keys().map(|key| key.origin).collect();
        return Err(ExplainError::Ambiguous { origins });
    }
    let also: Vec<Also> = also.into_iter().filter_map(|(_, also)| also).collect();
    if let Some((key, records)) = payments.pop_first() {
        return Ok(Some(Named::Payment(key, records, also)));
    }
    Ok(newest.named(|| {
        let by: Vec<&str> = also.iter().map(|also| also.by).collect();
        by.join(" and ")
    }))
}

/// Whether an id is a certain thing to a record.
type Is = fn(&Record, &str) -> bool;

/// What an id can be to a record, in the order in which it is looked for.
const KINDS: [(&str, Is); 6] = [
    ("the id of a command", has_operation),
    ("the idempotency key of a command", has_key),
    ("the id of an event", has_event),
    ("the id of an adjustment", has_adjustment),
    ("what usage says of itself", has_metadata),
    ("the id of a customer", has_customer),
];

fn has_operation(record: &Record, id: &str) -> bool {
    id.parse().is_ok_and(|uuid: Uuid| names::names_operation(record, OperationId(uuid)))
}

fn has_key(record: &Record, id: &str) -> bool {
    matches!(&record.input, Input::Command(command) if command.key.as_str() == id)
}

fn has_event(record: &Record, id: &str) -> bool {
    let event = names::delivery(record).map(|delivery| &delivery.event);
    matches!(event, Some(EventKey::Event { id: own, .. }) if own.as_str() == id)
}

fn has_adjustment(record: &Record, id: &str) -> bool {
    let notice = names::delivery(record).and_then(|delivery| delivery.notice.as_ref().ok());
    matches!(notice, Some(Notice::Adjustment(own)) if own.id.as_str() == id)
}

fn has_customer(record: &Record, id: &str) -> bool {
    let notice = names::delivery(record).and_then(|delivery| delivery.notice.as_ref().ok());
    let customer: Option<&CustomerId> = notice.and_then(|notice| match notice {
        Notice::Purchase(purchase) => purchase.customer.as_ref(),
        Notice::Adjustment(adjustment) => adjustment.customer.as_ref(),
        Notice::Nothing => None,
    });
    customer.is_some_and(|customer| customer.as_str() == id)
}

fn has_metadata(record: &Record, value: &str) -> bool {
    metadata(record).iter().any(|(_, said)| said == value)
}

/// Usage that says a call time or a model, of any account.
fn used(place: &Place<'_>, asked: &Asked) -> Result<Option<Named>, ReadError> {
    // The call time is said by fewer.
    let Some(value) = asked.call_time.as_ref().or(asked.model.as_ref()) else { return Ok(None) };
    let mut newest = Newest::of(asked.steps_max);
    let own = |record: &Record| says(record, asked).then_some(record.sequence);
    known(place, &[stored(value)], own, |sequence| newest.push(sequence))?;
    Ok(newest.named(|| "what usage says of itself".to_owned()))
}

/// Usage of one account that says a call time or a model.
fn used_by(
    place: &Place<'_>,
    account: &AccountId,
    asked: &Asked,
) -> Result<Option<Named>, ReadError> {
    let mut newest = Newest::of(asked.steps_max);
    history::each(place.log, place.ledger, account, &place.cut, |recorded| {
        if says(recorded.record(), asked) {
            newest.push(recorded.record().sequence);
        }
        Ok::<(), ReadError>(())
    })?;
    Ok(newest.named(|| format!("what usage of account {account} says of itself")))
}

/// Whether usage says all that is asked.
fn says(record: &Record, asked: &Asked) -> bool {
    let said = metadata(record);
    let is = |name: &str, wanted: &Option<String>| {
        let has = |wanted: &String| said.iter().any(|(own, value)| own == name && value == wanted);
        wanted.as_ref().is_none_or(has)
    };
    is(CALL_TIME, &asked.call_time) && is(MODEL, &asked.model)
}

/// The bytes with which a text of metadata is stored: those of its JSON, without the quotes.
fn stored(value: &str) -> Vec<u8> {
    let json = serde_json::Value::from(value).to_string();
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value).as_bytes().to_vec()
}

/// Picks from the records that have one of these bytes and are known, in the log's order.
fn known<T: Send>(
    place: &Place<'_>,
    needles: &[Vec<u8>],
    pick: impl Fn(&Record) -> Option<T> + Sync,
    each: impl FnMut(T),
) -> Result<(), ReadError> {
    let needles: Vec<&[u8]> = needles.iter().map(Vec::as_slice).collect();
    let Some(last) = place.last.filter(|_| needles.iter().all(|needle| !needle.is_empty())) else {
        return Ok(());
    };
    let looked = Looked { ledger: place.ledger, needles: &needles, after: None, last };
    let mut each = each;
    let pick = |recorded: &Recorded| pick(recorded.record());
    search(place.log, looked, pick, |_, found| found.into_iter().for_each(&mut each))
}
