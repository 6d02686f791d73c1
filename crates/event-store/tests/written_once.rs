//! How much sled writes for a block. Alone in its file: it reads what its process wrote.

#[expect(dead_code, reason = "the crate's own tests and the benchmark use the rest")]
mod samples;

use std::{error::Error, sync::Arc};

use domain::ids::{LedgerId, Sequence};
use event_store::{
    log::Append,
    sled::{Options, SledStore},
};
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};

const GROUPS: u64 = 120;
const GROUP: u64 = 160;
const BODY_BYTES: usize = 256;

/// The bytes that this process wrote to files so far.
fn written() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let line = text.lines().find_map(|line| line.strip_prefix("wchar: ")).ok_or("no such field")?;
    Ok(line.parse()?)
}

#[test]
fn blocks_are_written_about_once() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let runs = Options { run_records: 4000, ..Options::STANDARD };
    let store = SledStore::open(dir.path(), runs)?;
    let ledger = LedgerId::new("main")?;
    // Random, so that a body takes its size.
    let mut random = StdRng::seed_from_u64(1);
    let before = written()?;
    for number in 0..GROUPS {
        let mut group = Vec::new();
        for at in number * GROUP + 1..=(number + 1) * GROUP {
            let mut body = vec![0; BODY_BYTES];
            random.fill_bytes(&mut body);
            let sequence = Sequence::new(at).ok_or("no sequence")?;
            let key = format!("key-{at}");
            let record = samples::debit(&ledger, &key, sequence, "a", &body)?;
            group.push(Append { ledger: ledger.clone(), record, body: Arc::from(body) });
        }
        store.log().append(&group)?;
    }
    let bodies = GROUPS * GROUP * u64::try_from(BODY_BYTES)?;
    let percent = (written()? - before) * 100 / bodies;
    // Bodies, records, index runs and what sled adds; without fences it is 360.
    assert!((100..170).contains(&percent), "{percent} % of the bodies' bytes were written");
    Ok(())
}
