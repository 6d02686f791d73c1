//! Filling one way with records.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use domain::ids::Sequence;

use crate::{
    Outcome,
    figures::{Cost, disk_bytes, resident, written_to_device},
    group,
    ways::Way,
};

/// So many records are made before they are written: making them is not measured.
const RECORDS_AT_ONCE: u64 = 16_384;

/// Writes so many records in groups of one size and leaves the way open behind it.
pub(crate) fn fill(way: Way, size: u64, records: u64, dir: &Path) -> Outcome<Cost> {
    // What others wrote before is not counted.
    rustix::fs::sync();
    let mut opened = way.open(dir)?;
    let mut next = Sequence::FIRST;
    let mut cost = Cost {
        records: records / size * size,
        body_bytes: 0,
        wall: Duration::ZERO,
        commits: Vec::new(),
        written_bytes: written_to_device(dir)?,
        disk_bytes: 0,
        resident_kib: 0,
    };
    let mut left = records / size;
    while left > 0 {
        let now = left.min(RECORDS_AT_ONCE.div_ceil(size));
        left -= now;
        let groups: Vec<_> = (0..now).map(|_| group(size, &mut next)).collect::<Outcome<_>>()?;
        let bodies = groups.iter().flatten().map(|append| append.body.len()).sum::<usize>();
        cost.body_bytes += u64::try_from(bodies)?;
        let begin = Instant::now();
        cost.commits.extend(opened.write(groups)?);
        opened.rest()?;
        cost.wall += begin.elapsed();
    }
    cost.written_bytes = written_to_device(dir)?.saturating_sub(cost.written_bytes);
    cost.disk_bytes = disk_bytes(dir)?;
    cost.resident_kib = resident()?;
    // What closing would write is not lost: the directory goes, or the process is killed.
    std::mem::forget(opened);
    Ok(cost)
}
