//! Finding records by any bytes that they were stored with: an id that no index has.
//!
//! Texts and ids stand in a record's form as they are, so the form of a record that names one
//! contains its bytes. Blocks without them are unpacked and never decoded, which is some ten times
//! faster than reading the records; several threads share the log.
//!
//! However many records have the bytes, none is kept: only what a caller picks from each.

use std::{collections::BTreeMap, num::NonZeroUsize, ops::ControlFlow, sync::Arc, thread};

use domain::{
    ids::{LedgerId, Sequence},
    input::{Input, Order},
    policy::Policy,
    record::Record,
};

use crate::{
    form,
    log::{EventLog, ReadError, Recorded},
};

/// How many records one thread looks through at a time. What it picks from these waits in memory.
const RANGE: u64 = 4_096;

/// How many records are read at once on the way to the first policy.
const RECORDS_AT_ONCE: usize = 256;

/// Where is looked for what.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'l> {
    /// The ledger.
    pub ledger: &'l LedgerId,
    /// The bytes of which a record's stored form has at least one. All records have the empty ones.
    pub needles: &'l [&'l [u8]],
    /// The record after which is looked; none: from the first on.
    pub after: Option<Sequence>,
    /// The last record that is looked at.
    pub last: Sequence,
}

/// Looks for records and gives `each` what `pick` makes of them: range by range in the log's order,
/// each with the last record that was looked at until then. What the bytes mean in a record is for
/// `pick` to see: it gets those too in which they are a part of another text.
///
/// # Errors
/// The log can't be read or is damaged there.
pub fn search<T: Send>(
    log: &dyn EventLog,
    looked: Looked<'_>,
    pick: impl Fn(&Recorded) -> Option<T> + Sync,
    mut each: impl FnMut(Sequence, Vec<T>),
) -> Result<(), ReadError> {
    let head = log.head(looked.ledger).map_or(0, |head| head.sequence.get());
    let last = looked.last.get().min(head);
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut start = looked.after.map_or(0, Sequence::get);
    while start < last {
        let step = usize::try_from(RANGE).unwrap_or(1);
        let ranges: Vec<(u64, Sequence)> = (start..last)
            .step_by(step)
            .take(threads)
            .filter_map(|first| {
                Some((first, Sequence::new(first.saturating_add(RANGE).min(last))?))
            })
            .collect();
        let of_each = thread::scope(|scope| {
            let pick = &pick;
            let looks = ranges.iter().map(|&(first, end)| {
                scope.spawn(move || within(log, looked, (Sequence::new(first), end), pick))
            });
            let looks: Vec<_> = looks.collect();
            let joined = looks.into_iter().map(|look| match look.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect::<Vec<_>>()
        });
        for ((_, end), found) in ranges.iter().zip(of_each) {
            each(*end, found?);
            start = end.get();
        }
    }
    Ok(())
}

fn within<T>(
    log: &dyn EventLog,
    looked: Looked<'_>,
    (after, last): (Option<Sequence>, Sequence),
    pick: impl Fn(&Recorded) -> Option<T>,
) -> Result<Vec<T>, ReadError> {
    let mut picked = Vec::new();
    log.search(looked.ledger, looked.needles, after, last, &mut |recorded| {
        picked.extend(pick(&recorded));
        ControlFlow::Continue(())
    })?;
    Ok(picked)
}

/// The records that put the versions of a ledger's policy in force, from the log alone. `progress`
/// is told how many records are looked through, and how many there are.
///
/// # Errors
/// The log can't be read or is damaged.
pub fn activations(
    log: &dyn EventLog,
    ledger: &LedgerId,
    mut progress: impl FnMut(u64, u64),
) -> Result<BTreeMap<u32, Sequence>, ReadError> {
    let Some((first, policy)) = first_policy(log, ledger)? else { return Ok(BTreeMap::new()) };
    let Some(head) = log.head(ledger) else { return Ok(BTreeMap::new()) };
    // Unit and decimals never change in a ledger, so the form of each version has those of the first.
    let unit = form::unit_of(&policy);
    let (needles, last) = ([unit.as_slice()], head.sequence);
    let looked = Looked { ledger, needles: &needles, after: Some(first), last };
    let mut found = BTreeMap::from([(policy.version, first)]);
    let pick = |recorded: &Recorded| {
        let record = recorded.record();
        Some((activated(record)?.version, record.sequence))
    };
    search(log, looked, pick, |up_to, versions| {
        found.extend(versions);
        progress(up_to.get(), last.get());
    })?;
    Ok(found)
}

/// The first policy that was put in force. What came before it could grant nothing, so it stands
/// near the log's beginning.
fn first_policy(
    log: &dyn EventLog,
    ledger: &LedgerId,
) -> Result<Option<(Sequence, Arc<Policy>)>, ReadError> {
    let mut after = None;
    loop {
        let records = log.scan(ledger, after, RECORDS_AT_ONCE)?;
        let Some(last) = records.last() else { return Ok(None) };
        after = Some(last.record().sequence);
        let mut records = records.iter().map(Recorded::record);
        let found = records.find_map(|record| Some((record.sequence, activated(record)?.clone())));
        if found.is_some() {
            return Ok(found);
        }
    }
}

fn activated(record: &Record) -> Option<&Arc<Policy>> {
    let Input::Command(command) = &record.input else { return None };
    let Order::ActivatePolicy { policy, .. } = &command.order else { return None };
    Some(policy)
}
