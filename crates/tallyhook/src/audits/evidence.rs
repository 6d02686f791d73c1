//! `audit evidence`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use audit::{
    evidence::{EvidenceError, evidence},
    proved::Published,
};
use clap::Args;
use domain::ids::{LedgerId, PaymentId};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::source::{OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct EvidenceArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    /// The payment, by the provider's id.
    payment: String,
    /// The archive to write; one that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A file of signed checkpoints, of which the newest of the ledger is taken: proves that the
    /// records are in its log.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

pub(super) fn gathered(arguments: &EvidenceArguments) -> Done {
    let payment = PaymentId::new(&arguments.payment)
        .map_err(|fault| Failed::usage(anyhow!("PAYMENT {fault}")))?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let published = published(arguments.checkpoint.as_deref(), &ledger)?;
    let mut shown = Shown::new("reading the log");
    let found = evidence(&*offline.log, &ledger, &payment, published.as_ref(), |done, total| {
        shown.at(done, total);
    });
    drop(shown);
    let found = found.map_err(|error| match &error {
        EvidenceError::Unknown { .. } => Failed::absent(error),
        EvidenceError::Prove(_) | EvidenceError::Contradiction(_) | EvidenceError::TooLarge(_) => {
            Failed::unopened(error).context("gather evidence")
        }
    })?;
    let archive = found.archive().map_err(Failed::unopened)?;
    written(&arguments.out, &archive)?;
    let digest = hex::encode(Sha256::digest(&archive));
    if arguments.source.json {
        let files: Vec<&String> = found.files.keys().collect();
        print(
            &json!({
                "ok": true,
                "out": arguments.out.display().to_string(),
                "sha256": digest,
                "files": files,
                "records": found.records.iter().map(|one| one.get()).collect::<Vec<_>>(),
                "missing": found.missing,
            })
            .to_string(),
        );
    } else {
        let mut lines = vec![format!(
            "wrote {}: {} files, {} records, sha256 {digest}",
            arguments.out.display(),
            found.files.len(),
            found.records.len()
        )];
        lines.extend(found.missing.iter().map(|missing| format!("missing: {missing}")));
        print(&lines.join("\n"));
    }
    Ok(Exit::Clean)
}

/// The newest checkpoint of a ledger in a file of them; none where no file is given.
pub(super) fn published(
    path: Option<&Path>,
    ledger: &LedgerId,
) -> Result<Option<Published>, Failed> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failed::unopened(error).context(format!("read {name}")))?;
    let newest = Published::newest(&text, ledger);
    newest.map(Some).map_err(|error| Failed::usage(error).context(format!("read {name}")))
}

/// Writes a file that must not be there yet.
pub(super) fn written(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    use std::io::Write as _;

    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(|error| Failed::unopened(error).context(format!("write {}", path.display())))
}
