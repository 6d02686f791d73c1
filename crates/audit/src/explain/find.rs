//! What an id names. Accounts and commands are in an index; all else is looked for by its bytes, and
//! a record counts only where these bytes are the whole of something.

use domain::{
    entities::Key,
    ids::{AccountId, CustomerId, EventKey, IdempotencyKey, OperationId, PaymentKey, Sequence},
    input::Input,
    notice::Notice,
    record::Record,
};
use event_store::{
    log::{ReadError, Recorded},
    search::search,
};
use uuid::Uuid;

use super::{Asked, Place, step::metadata};
use crate::{history, names};

/// So many records with some bytes tell what these bytes are; those of a payment are all read then.
const FOUND_MAX: usize = 10_000;

/// The names of metadata that have questions of their own.
const CALL_TIME: &str = "call_time";
const MODEL: &str = "model";

/// What an id names.
pub(super) enum Named {
    Account(AccountId),
    /// A payment with all records that are about it, oldest first.
    Payment(PaymentKey, Vec<Recorded>),
    /// Records, oldest first, and what the id is to them.
    Records(String, Vec<Recorded>),
}

/// What is asked for, if it is known.
pub(super) fn named(place: &Place<'_>, asked: &Asked) -> Result<Option<Named>, ReadError> {
    let Some(id) = &asked.id else { return used(place, asked) };
    if let Some(number) = id.strip_prefix('#') {
        return record(place, number);
    }
    if let Some(account) = account(place, id)? {
        if asked.call_time.is_some() || asked.model.is_some() {
            return used_by(place, &account, asked);
        }
        return Ok(Some(Named::Account(account)));
    }
    if let Some(found) = record(place, id)? {
        return Ok(Some(found));
    }
    let found = match by_key(place, id)? {
        Some(found) => Some(found),
        None => searched(place, id)?,
    };
    Ok(found.and_then(|found| says_all(found, asked)))
}

/// Of records, those whose usage says what else is asked.
fn says_all(found: Named, asked: &Asked) -> Option<Named> {
    if asked.call_time.is_none() && asked.model.is_none() {
        return Some(found);
    }
    let Named::Records(by, mut records) = found else { return None };
    records.retain(|recorded| says(recorded.record(), asked));
    (!records.is_empty()).then_some(Named::Records(by, records))
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
    Ok(recorded.map(|recorded| Named::Records("its sequence".to_owned(), vec![recorded])))
}

/// The command that has this idempotency key.
fn by_key(place: &Place<'_>, id: &str) -> Result<Option<Named>, ReadError> {
    let Ok(key) = IdempotencyKey::new(id) else { return Ok(None) };
    let Some(sequence) = place.log.find(place.ledger, &Key::Command(key.clone()))? else {
        return Ok(None);
    };
    let recorded = place.log.read(place.ledger, sequence)?.filter(|recorded| {
        let has = matches!(&recorded.record().input, Input::Command(own) if own.key == key);
        has && place.cut.knows(recorded.record())
    });
    Ok(recorded.map(|recorded| Named::Records("its idempotency key".to_owned(), vec![recorded])))
}

/// What the records with these bytes are about: a payment first, since it tells most.
fn searched(place: &Place<'_>, id: &str) -> Result<Option<Named>, ReadError> {
    if let Ok(uuid) = id.parse::<Uuid>() {
        let operation = OperationId(uuid);
        let found = known(place, uuid.as_bytes())?;
        let found = keep(found, |record| names::names_operation(record, operation));
        if !found.is_empty() {
            return Ok(Some(Named::Records("the id of a command".to_owned(), found)));
        }
    }
    let found = known(place, id.as_bytes())?;
    let payment = found.iter().find_map(|recorded| {
        names::payments(recorded.record()).find(|key| key.id.as_str() == id).cloned()
    });
    if let Some(key) = payment {
        let all = if found.len() < FOUND_MAX { found } else { every(place, id.as_bytes())? };
        let records = keep(all, |record| names::payments(record).any(|named| *named == key));
        return Ok(Some(Named::Payment(key, records)));
    }
    for (by, is) in KINDS {
        let records: Vec<Recorded> =
            found.iter().filter(|recorded| is(recorded.record(), id)).cloned().collect();
        if !records.is_empty() {
            return Ok(Some(Named::Records((*by).to_owned(), records)));
        }
    }
    Ok(None)
}

/// Whether an id is a certain thing to a record.
type Is = fn(&Record, &str) -> bool;

/// What an id can be to a record, in the order in which it is looked for.
const KINDS: &[(&str, Is)] = &[
    ("the id of an event", has_event),
    ("the id of an adjustment", has_adjustment),
    ("what usage says of itself", has_metadata),
    ("the id of a customer", has_customer),
];

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
    let found = known(place, &stored(value))?;
    let found = keep(found, |record| says(record, asked));
    Ok((!found.is_empty()).then(|| Named::Records("what usage says of itself".to_owned(), found)))
}

/// Usage of one account that says a call time or a model.
fn used_by(
    place: &Place<'_>,
    account: &AccountId,
    asked: &Asked,
) -> Result<Option<Named>, ReadError> {
    let mut found = Vec::new();
    history::each(place.log, place.ledger, account, &place.cut, |recorded| {
        if says(recorded.record(), asked) {
            found.push(recorded.clone());
        }
        Ok::<(), ReadError>(())
    })?;
    let by = format!("what usage of account {account} says of itself");
    Ok((!found.is_empty()).then_some(Named::Records(by, found)))
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

/// The first records that have these bytes and are known.
fn known(place: &Place<'_>, needle: &[u8]) -> Result<Vec<Recorded>, ReadError> {
    if needle.is_empty() { Ok(Vec::new()) } else { at_most(place, needle, FOUND_MAX) }
}

/// All records that have these bytes and are known.
fn every(place: &Place<'_>, needle: &[u8]) -> Result<Vec<Recorded>, ReadError> {
    at_most(place, needle, usize::MAX)
}

fn at_most(place: &Place<'_>, needle: &[u8], most: usize) -> Result<Vec<Recorded>, ReadError> {
    let mut found = search(place.log, place.ledger, needle, most)?;
    found.retain(|recorded| place.cut.knows(recorded.record()));
    Ok(found)
}

fn keep(found: Vec<Recorded>, is: impl Fn(&Record) -> bool) -> Vec<Recorded> {
    found.into_iter().filter(|recorded| is(recorded.record())).collect()
}
