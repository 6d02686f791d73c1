//! What the disk alone allows: the same bytes appended to a plain file, synced group by group.

use std::{fs::File, io::Write as _, time::Instant};

use anyhow::{Context, Result};

use crate::{figures::Figures, folder, requests::Batch};

/// Appends the bodies of a batch in groups and syncs each with fdatasync. A body's latency is that
/// of its group.
pub(crate) fn append(batch: &Batch, group: usize) -> Result<Figures> {
    let folder = folder()?;
    let mut file = File::create(folder.path().join("raw")).context("make a raw file")?;
    let mut latencies = Vec::with_capacity(batch.len());
    let mut bodies = batch.bodies().peekable();
    let mut buffer = Vec::new();
    let started = Instant::now();
    while bodies.peek().is_some() {
        let begun = Instant::now();
        buffer.clear();
        let mut count: usize = 0;
        for body in bodies.by_ref().take(group) {
            buffer.extend_from_slice(body);
            count = count.saturating_add(1);
        }
        file.write_all(&buffer)?;
        file.sync_data()?;
        let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        latencies.extend(std::iter::repeat_n(micros, count));
    }
    Ok(Figures::new(started.elapsed(), latencies))
}
