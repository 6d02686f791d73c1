//! `audit evidence`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use audit::{
    evidence::{EvidenceError, Which, evidence},
    proved::{ProveError, Published},
};
use clap::Args;
use domain::ids::{LedgerId, Origin, PaymentId};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    file::{Existing, written},
    source::{OfLedger, Source},
};
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
    /// The namespace of the id, where payments of several providers have it.
    #[arg(long)]
    origin: Option<String>,
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
    let origin = arguments.origin.as_deref().map(Origin::new).transpose();
    let origin = origin.map_err(|fault| Failed::usage(anyhow!("--origin {fault}")))?;
    let which = Which { payment: &payment, origin: origin.as_ref() };
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let published = published(arguments.checkpoint.as_deref(), &ledger)?;
    let mut shown = Shown::new("reading the log");
    let found = evidence(&*offline.log, &ledger, which, published.as_ref(), |done, total| {
        shown.at(done, total);
    });
    drop(shown);
    let found = found.map_err(|error| match &error {
        EvidenceError::Unknown { .. } | EvidenceError::Prove(ProveError::Inconsistent { .. }) => {
            Failed::absent(error)
        }
        EvidenceError::Ambiguous { .. } => Failed::usage(error),
        EvidenceError::Prove(_) | EvidenceError::Contradiction(_) | EvidenceError::TooLarge(_) => {
            Failed::unopened(error).context("gather evidence")
        }
    })?;
    let archive = found.archive().map_err(Failed::unopened)?;
    written(&arguments.out, Existing::Kept, &archive)?;
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
