//! The clock: whether it is kept right, and whether it stands before what was already recorded.

use std::{
    path::Path,
    time::{Duration, Instant, UNIX_EPOCH},
};

use domain::time::Timestamp;
use server::clock::{Clock as _, SystemClock};

use super::check::Check;

/// Made by systemd-timesyncd once the clock is synchronised.
const TIMESYNC: &str = "run/systemd/timesync/synchronized";

/// What other time services leave while they run, and what says how far they are.
const SERVICES: [(&str, &str); 4] = [
    ("run/chrony/chronyd.pid", "chronyc tracking"),
    ("run/chronyd.pid", "chronyc tracking"),
    ("run/ntpd.pid", "ntpq -p"),
    ("run/openntpd.pid", "ntpctl -s status"),
];

/// A clock may go so much wrong while the machine is looked at.
const STEP_MAX: Duration = Duration::from_millis(100);

/// A moment on both of the machine's clocks: the one that is set, and the one that only goes on.
pub(super) struct Both {
    wall: Timestamp,
    steady: Instant,
}

impl Both {
    pub(super) fn now() -> Self {
        Self { wall: SystemClock.now(), steady: Instant::now() }
    }
}

/// Whether something keeps the clock right. `root` is the machine's `/`.
pub(super) fn kept(root: &Path) -> Check {
    const NAME: &str = "clock synchronised";
    if root.join(TIMESYNC).exists() {
        return Check::pass(NAME, "systemd-timesyncd says so");
    }
    match SERVICES.iter().find(|(file, _)| root.join(file).exists()) {
        Some((file, command)) => {
            Check::pass(NAME, format!("/{file} is there; `{command}` says how well"))
        }
        None => Check::warn(
            NAME,
            "nothing here says so",
            "run systemd-timesyncd or chrony: deliveries are held against the clock, and due dates \
             follow it; in a container look at the host",
        ),
    }
}

/// Whether the clock was set while the machine was looked at.
pub(super) fn steady(before: &Both, after: &Both) -> Check {
    const NAME: &str = "clock steady";
    let micros = after.wall.micros().saturating_sub(before.wall.micros());
    let passed = after.steady.saturating_duration_since(before.steady);
    let went = Duration::from_micros(micros.unsigned_abs());
    let apart = if micros < 0 { went.saturating_add(passed) } else { went.abs_diff(passed) };
    if apart > STEP_MAX {
        let remedy = "let the time service slew it instead of stepping it";
        Check::warn(NAME, format!("it was set by {} ms meanwhile", apart.as_millis()), remedy)
    } else {
        Check::pass(NAME, "it went on evenly meanwhile")
    }
}

/// Whether the clock stands before the last time that the log's end was noted, which a running
/// server does every second.
pub(super) fn behind_note(data: &Path) -> Check {
    const NAME: &str = "clock after the last note";
    let noted = std::fs::metadata(data.join("high-water")).and_then(|file| file.modified());
    let noted = noted.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let noted = noted.and_then(|since| i64::try_from(since.as_micros()).ok());
    match noted.and_then(Timestamp::from_micros) {
        None => Check::skip(NAME, "nothing was noted yet", "start the server"),
        Some(noted) => after(NAME, noted),
    }
}

/// Whether the clock stands before a moment that has been.
pub(super) fn after(name: &'static str, been: Timestamp) -> Check {
    let now = SystemClock.now();
    if now < been {
        let found = format!("it is {now}, which is before {been}");
        let remedy = "set the clock: until it comes there, records are given the last one's time";
        Check::fail(name, found, remedy)
    } else {
        Check::pass(name, format!("{been}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::check::Verdict, *};

    #[test]
    fn a_clock_is_kept_when_something_says_so() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(kept(root.path()).verdict, Verdict::Warn);
        for file in SERVICES.iter().map(|(file, _)| *file).chain([TIMESYNC]) {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            assert_eq!(kept(root.path()).verdict, Verdict::Pass, "{file}");
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_step_of_the_clock_is_seen_in_both_directions() {
        let before = Both::now();
        let at = |micros: i64, millis: u64| Both {
            wall: Timestamp::from_micros(before.wall.micros() + micros).unwrap(),
            steady: before.steady + Duration::from_millis(millis),
        };
        for (micros, millis, expected) in [
            (1_000_000, 1_000, Verdict::Pass),
            (1_000_000, 901, Verdict::Pass),
            (1_000_000, 899, Verdict::Warn),
            (0, 200, Verdict::Warn),
            (-60_000_000, 60_000, Verdict::Warn),
        ] {
            assert_eq!(steady(&before, &at(micros, millis)).verdict, expected, "{micros} {millis}");
        }
    }

    #[test]
    fn a_clock_before_what_has_been_fails() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(behind_note(data.path()).verdict, Verdict::Skip);
        let path = data.path().join("high-water");
        fs::write(&path, "").unwrap();
        assert_eq!(behind_note(data.path()).verdict, Verdict::Pass);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(4_000_000_000)).unwrap();
        assert_eq!(behind_note(data.path()).verdict, Verdict::Fail);
    }
}
