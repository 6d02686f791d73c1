//! The log itself: how far it was noted against how far it is. Needs a stopped server.

use std::path::Path;

use server::offline::Offline;

use super::{check::Check, clock};

const NAME: &str = "log against high-water";

/// Opens the log as a start does, which also cleans up after a crash.
pub(super) fn opened(data: &Path) -> Vec<Check> {
    let offline = match Offline::open(data) {
        Ok(offline) => offline,
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            return vec![Check::fail(NAME, error, "the server would not start: see above")];
        }
    };
    let ledgers = match offline.log.ledgers() {
        Ok(ledgers) => ledgers,
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            return vec![Check::fail(NAME, error, "look deeper with `tallyhook audit verify`")];
        }
    };
    let heads: Vec<_> = ledgers.iter().filter_map(|ledger| offline.log.head(ledger)).collect();
    let records = heads.iter().fold(0_u64, |sum, head| sum.saturating_add(head.sequence.get()));
    let found = format!("ledgers {}, records {records}: nothing that was noted lacks", heads.len());
    let mut checks = vec![Check::pass(NAME, found)];
    checks.extend(
        heads
            .iter()
            .map(|head| head.recorded_at)
            .max()
            .map(|last| clock::after("clock after the last record", last)),
    );
    checks
}

/// Says why the log was not opened.
pub(super) fn not_opened(running: bool) -> Check {
    if running {
        let remedy = "nothing to do: it was held against it at the start; stop the server and pass \
                      --log to do it again";
        Check::skip(NAME, "the server is running", remedy)
    } else {
        Check::skip(
            NAME,
            "the log was not opened",
            "pass --log: opening it writes to it as a start does",
        )
    }
}
