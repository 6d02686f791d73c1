//! The disk: how it syncs, what file system it has, how much room.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use server::checkup;

use super::check::Check;

/// How often each size is written and synced.
const SYNCS: u64 = 50;

/// The sizes that are written: a lone record's group, and a busy one's.
const SIZES: [usize; 2] = [4 * 1024, 64 * 1024];

/// A sync that takes less reached no disk.
const SYNC_MEDIAN_MIN: Duration = Duration::from_micros(20);

/// A sync that takes more is felt by whoever waits for an answer.
const SYNC_P99_MAX: Duration = Duration::from_millis(20);

/// With less free than this an operator wants to know.
const FREE_BYTES_WANTED: u64 = 1 << 30;

/// File systems by the number that the kernel gives them, with what is wrong with each.
const FILE_SYSTEMS: [(i128, &str, Option<&str>); 18] = [
    (0xef53, "ext", None),
    (0x5846_5342, "xfs", None),
    (0x9123_683e, "btrfs", None),
    (0x2fc1_2fc1, "zfs", None),
    (0xf2f5_2010, "f2fs", None),
    (0x0102_1994, "tmpfs", Some(IN_MEMORY)),
    (0x8584_58f6, "ramfs", Some(IN_MEMORY)),
    (0x794c_7630, "overlay", Some(OF_CONTAINER)),
    (0x6969, "nfs", Some(OVER_NETWORK)),
    (0x517b, "smb", Some(OVER_NETWORK)),
    (0xff53_4d42, "cifs", Some(OVER_NETWORK)),
    (0xfe53_4d42, "smb2", Some(OVER_NETWORK)),
    (0x0102_1997, "9p", Some(OVER_NETWORK)),
    (0x00c3_6400, "ceph", Some(OVER_NETWORK)),
    (0x5346_414f, "afs", Some(OVER_NETWORK)),
    (0x6573_5546, "fuse", Some(OVER_NETWORK)),
    (0x4d44, "fat", Some(OLD)),
    (0x2011_bab0, "exfat", Some(OLD)),
];

const IN_MEMORY: &str = "all records are lost when the machine stops: put the data on a disk";
const OF_CONTAINER: &str = "all records are lost with the container: put the data on a volume";
const OVER_NETWORK: &str =
    "locks and syncs over a network may not hold what they promise: put the data on a local disk";
const OLD: &str = "it keeps no journal and no permissions: put the data on ext4 or xfs";

/// How long syncs of a file in this directory take.
pub(super) fn syncs(dir: &Path) -> Vec<Check> {
    let bar = bar();
    let measured = SIZES.map(|size| (size, times(dir, size, &bar)));
    bar.finish_and_clear();
    let names = ["sync of 4 KiB", "sync of 64 KiB"];
    names.into_iter().zip(measured).map(|(name, (_, times))| judged(name, times)).collect()
}

/// On a terminal only; elsewhere nothing is shown.
fn bar() -> ProgressBar {
    let steps = SYNCS.saturating_mul(u64::try_from(SIZES.len()).unwrap_or(1));
    let bar = ProgressBar::new(steps).with_message("measuring syncs");
    match ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How long each write and sync of a file took that has no name: nothing of it stays behind.
fn times(dir: &Path, size: usize, bar: &ProgressBar) -> io::Result<Vec<Duration>> {
    let mut file: File = tempfile::tempfile_in(dir)?;
    let bytes = vec![0xa5; size];
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        times.push(started.elapsed());
        bar.inc(1);
    }
    Ok(times)
}

fn judged(name: &'static str, times: io::Result<Vec<Duration>>) -> Check {
    let mut times = match times {
        Ok(times) => times,
        Err(error) => {
            let remedy = "give the server's user a data folder that it may write to";
            return Check::fail(name, format!("a file can't be written: {error}"), remedy);
        }
    };
    times.sort_unstable();
    // Of fifty, the one above 99 of a hundred is the last.
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let p99 = times.last().copied().unwrap_or_default();
    let found = format!("median {} us, p99 {} us", median.as_micros(), p99.as_micros());
    if median < SYNC_MEDIAN_MIN {
        let remedy = "no disk is that fast: find out what answers before the data is safe (a file \
                      system in memory, a virtual disk that ignores syncs, a cache without battery)";
        Check::warn(name, found, remedy)
    } else if p99 > SYNC_P99_MAX {
        let remedy = "webhooks wait for it: use a faster disk, or one that others use less";
        Check::warn(name, found, remedy)
    } else {
        Check::pass(name, found)
    }
}

/// What file system a directory is on.
pub(super) fn file_system(dir: &Path) -> Check {
    const NAME: &str = "file system";
    match rustix::fs::statfs(dir) {
        Ok(found) => known(i128::from(found.f_type)),
        Err(error) => Check::skip(NAME, format!("it can't be told: {error}"), "look at `mount`"),
    }
}

fn known(number: i128) -> Check {
    const NAME: &str = "file system";
    // Some machines say the number with a sign.
    let number = number & 0xffff_ffff;
    match FILE_SYSTEMS.iter().find(|(known, ..)| *known == number) {
        Some((_, name, None)) => Check::pass(NAME, *name),
        Some((_, name, Some(remedy))) => Check::warn(NAME, *name, *remedy),
        None => Check::pass(NAME, format!("number {number:#x}, which is not known here")),
    }
}

/// How much room there is, and whether the reserve is there.
pub(super) fn room(dir: &Path, running: bool) -> Vec<Check> {
    let space = checkup::space(dir);
    let free = match (space.free(), space.admit(0)) {
        (Err(error), _) => {
            Check::skip("free space", format!("it can't be told: {error}"), "look at `df`")
        }
        (Ok(_), Err(full)) => Check::fail("free space", full.to_string(), "no records are taken"),
        (Ok(free), Ok(())) => {
            let found = format!("{} MiB", free >> 20);
            if free < FREE_BYTES_WANTED {
                Check::warn("free space", found, "make room before the disk is full")
            } else {
                Check::pass("free space", found)
            }
        }
    };
    let size = checkup::RESERVE >> 20;
    let reserve = match (space.has_reserve(), running) {
        (true, _) => Check::pass("reserve", format!("{size} MiB")),
        (false, false) => Check::skip("reserve", "a running server makes it", "start the server"),
        (false, true) => Check::warn(
            "reserve",
            "it is not there",
            "the server makes it again once there is room; if there is, its log says what is wrong",
        ),
    };
    vec![free, reserve]
}

#[cfg(test)]
mod tests {
    use super::{super::check::Verdict, *};

    fn fifty(usual: u64, last: u64) -> io::Result<Vec<Duration>> {
        let mut micros = vec![usual; 49];
        micros.insert(7, last);
        Ok(micros.into_iter().map(Duration::from_micros).collect())
    }

    #[test]
    fn syncs_that_are_too_fast_or_too_slow_are_warned_of() {
        for (times, expected) in [
            (fifty(200, 900), Verdict::Pass),
            (fifty(20, 20_000), Verdict::Pass),
            (fifty(19, 900), Verdict::Warn),
            (fifty(200, 20_001), Verdict::Warn),
            (Err(io::ErrorKind::PermissionDenied.into()), Verdict::Fail),
        ] {
            let check = judged("sync", times);
            assert_eq!(check.verdict, expected, "{check:?}");
        }
        assert!(judged("sync", fifty(200, 900)).told().contains("median 200 us, p99 900 us"));
    }

    #[test]
    fn file_systems_that_lose_records_are_warned_of() {
        for (number, expected) in [
            (0xef53, Verdict::Pass),
            (0x0102_1994, Verdict::Warn),
            (0x6969, Verdict::Warn),
            // cifs where the number has a sign.
            (-0x00ac_b2be, Verdict::Warn),
            (0x1234, Verdict::Pass),
        ] {
            assert_eq!(known(number).verdict, expected, "{number:#x}");
        }
    }

    #[test]
    fn measuring_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(syncs(dir.path()).len(), 2);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let absent = syncs(&dir.path().join("absent"));
        assert!(absent.iter().all(|check| check.verdict == Verdict::Fail), "{absent:?}");
    }
}
