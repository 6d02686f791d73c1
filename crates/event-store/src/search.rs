//! Finding records by any bytes that they were stored with: an id that no index has.
//!
//! Texts and ids stand in a record's form as they are, so the form of a record that names one
//! contains its bytes. Blocks without them are unpacked and never decoded, which is some ten times
//! faster than reading the records; several threads share the log.

use std::{num::NonZeroUsize, thread};

use domain::ids::{LedgerId, Sequence};

use crate::log::{EventLog, ReadError, Recorded};

/// How many records one thread looks through at a time.
const RANGE: u64 = 16_384;

/// The records of a ledger whose stored form contains `needle`, in order, the first `limit` or so:
/// there may be more of the same range. What the bytes mean there is for the caller to see: a record
/// is found too where they are a part of another text.
///
/// # Errors
/// The log can't be read or is damaged there.
pub fn search(
    log: &dyn EventLog,
    ledger: &LedgerId,
    needle: &[u8],
    limit: usize,
) -> Result<Vec<Recorded>, ReadError> {
    let last = log.head(ledger).map_or(0, |head| head.sequence.get());
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut found = Vec::new();
    let mut start = 0;
    while start < last && found.len() < limit {
        let ranges: Vec<u64> =
            (start..last).step_by(usize::try_from(RANGE).unwrap_or(1)).take(threads).collect();
        let of_each = thread::scope(|scope| {
            let looks = ranges.iter().map(|&first| {
                let (after, end) = (Sequence::new(first), first.saturating_add(RANGE).min(last));
                let end = Sequence::new(end).unwrap_or(Sequence::FIRST);
                scope.spawn(move || log.search(ledger, needle, after, end))
            });
            let looks: Vec<_> = looks.collect();
            let joined = looks.into_iter().map(|look| match look.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect::<Vec<_>>()
        });
        for part in of_each {
            found.extend(part?);
        }
        start = ranges.last().map_or(last, |first| first.saturating_add(RANGE));
    }
    Ok(found)
}
