//! What one way of writing cost, and how it is printed.

use std::{path::Path, time::Duration};

use crate::Outcome;

/// What one way of writing cost.
pub(crate) struct Cost {
    pub(crate) records: u64,
    pub(crate) body_bytes: u64,
    /// How long writing took, without the time in which samples were made.
    pub(crate) wall: Duration,
    /// How long each commit took, from the moment at which its write began.
    pub(crate) commits: Vec<Duration>,
    pub(crate) written_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) resident_kib: u64,
}

pub(crate) fn print_head() {
    println!(
        "group  what   records/s   p50 ms   p99 ms   max ms   written/body   disk/body   resident"
    );
}

impl Cost {
    pub(crate) fn rate(&self) -> f64 {
        float(self.records) / self.wall.as_secs_f64()
    }

    pub(crate) fn print(&self, group: u64, what: &str) {
        let mut sorted = self.commits.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = sorted.len().saturating_mul(percent) / 100;
            let last = sorted.last().copied().unwrap_or_default();
            sorted.get(index).copied().unwrap_or(last).as_secs_f64() * 1000.0
        };
        let per_body = |bytes: u64| float(bytes) / float(self.body_bytes);
        let (p50, p99, max) = (at(50), at(99), at(100));
        let (written, disk) = (per_body(self.written_bytes), per_body(self.disk_bytes));
        let (rate, resident) = (self.rate(), self.resident_kib / 1024);
        println!(
            "{group:>5}  {what:<5} {rate:>10.0} {p50:>8.2} {p99:>8.2} {max:>8.2} {written:>14.2} \
             {disk:>11.2} {resident:>6} MiB"
        );
    }
}

/// The bytes that were written so far to the device on which a directory is, by anyone.
///
/// Not `write_bytes` of `/proc/self/io`: that counts the whole folio for each page that is written
/// again, which was three times what the device got.
pub(crate) fn written_to_device(dir: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt as _;

    let device = std::fs::metadata(dir)?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let text = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat"))?;
    let sectors = text.split_whitespace().nth(6).ok_or("no such field")?;
    Ok(sectors.parse::<u64>()?.saturating_mul(512))
}

/// What of this process is in memory, in KiB.
pub(crate) fn resident() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no such field")?;
    Ok(line.split_whitespace().next().ok_or("no value")?.parse()?)
}

pub(crate) fn disk_bytes(dir: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt as _;

    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let blocks = meta.blocks().saturating_mul(512);
        sum += if meta.is_dir() { disk_bytes(&entry.path())? } else { blocks };
    }
    Ok(sum)
}

pub(crate) fn float(number: u64) -> f64 {
    u32::try_from(number).map_or_else(
        |_| f64::from(u32::try_from(number >> 20).unwrap_or(u32::MAX)) * 1_048_576.0,
        f64::from,
    )
}
