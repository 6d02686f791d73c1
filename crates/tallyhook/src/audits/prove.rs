//! `audit prove`.

use std::{fs, path::PathBuf};

use anyhow::anyhow;
use clap::Args;
use domain::ids::Sequence;
use proof::checkpoint::newest;
use serde_json::json;

use super::{
    checkpoint::{SignedBy, failed, read},
    source::{OfLedger, Source},
};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    signed_by: SignedBy,
    /// The record to prove; may be repeated.
    #[arg(long, value_name = "SEQUENCE", required_unless_present = "from_checkpoint")]
    sequence: Vec<u64>,
    /// Proves that the log goes on from a checkpoint that somebody kept: a file with its note, of
    /// several the newest.
    #[arg(long, value_name = "FILE")]
    from_checkpoint: Option<PathBuf>,
    /// Where the bundle goes, for `tallyhook-verify`; standard output where it is left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn proved(arguments: &ProveArguments) -> Done {
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let sequences: Option<Vec<Sequence>> =
        arguments.sequence.iter().map(|sequence| Sequence::new(*sequence)).collect();
    let sequences =
        sequences.ok_or_else(|| Failed::usage(anyhow!("--sequence 0: the first record is 1")))?;
    let older = arguments.from_checkpoint.as_deref().map(|path| {
        let file = read(path)?;
        let newest = newest(&file, |found| found.ledger() == ledger.as_str());
        let newest = newest.map(|newest| newest.note);
        let path = path.display();
        newest.ok_or_else(|| Failed::usage(anyhow!("{path} has no checkpoint of ledger {ledger}")))
    });
    let older = older.transpose()?;
    let (signed, key) = arguments.signed_by.signed(&arguments.source, &offline, &ledger)?;
    let bundle = signed.bundle(&*offline.log, &sequences, older.as_deref()).map_err(failed)?;
    let text = bundle.to_text();
    let Some(out) = &arguments.out else {
        print(text.trim_end());
        return Ok(Exit::Clean);
    };
    fs::write(out, text)
        .map_err(|error| Failed::unopened(error).context(format!("write {}", out.display())))?;
    if arguments.source.json {
        let answer = json!({
            "ok": true,
            "out": out,
            "records": signed.checkpoint.size,
            "root": signed.checkpoint.root.to_string(),
            "key": key.to_string(),
        });
        print(&answer.to_string());
    } else {
        print(&format!("{}: check it with `tallyhook-verify --key {key}`", out.display()));
    }
    Ok(Exit::Clean)
}
