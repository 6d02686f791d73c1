//! `audit checkpoint`, and what other audits need of checkpoints: one that is signed now, and those
//! that somebody kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use audit::{
    checkpoint::{CheckpointError, LOG_USUAL, Signed, Signing},
    kept::{self, Held},
};
use clap::Args;
use domain::ids::LedgerId;
use proof::{
    checkpoint::newest,
    note::{PrivateKey, VerifierKey},
};
use serde_json::json;
use server::{
    checkpoints::{FILE, KEY_FILE},
    offline::Offline,
};

use super::source::{OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct CheckpointArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    signed_by: SignedBy,
}

/// Who signs a checkpoint of a stopped server's log.
#[derive(Debug, Args)]
pub(crate) struct SignedBy {
    /// The file with the key that signs; the data folder's own where it is left out.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// The checkpoints that the server published, which the log must go on from; the data folder's
    /// own where it is left out, and a backup has none.
    #[arg(long, value_name = "FILE")]
    published: Option<PathBuf>,
    /// Says that no checkpoint was ever published of this log: nothing holds it to an earlier one.
    #[arg(long, conflicts_with = "published")]
    unpublished: bool,
    /// What the log is called, as [checkpoints] origin says; that of the published ones where it is
    /// left out.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

pub(super) fn shown(arguments: &CheckpointArguments) -> Done {
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let (signed, key) = arguments.signed_by.signed(&arguments.source, &offline, &ledger)?;
    if arguments.source.json {
        let answer = json!({
            "ok": true,
            "ledger": ledger.as_str(),
            "origin": signed.checkpoint.origin,
            "records": signed.checkpoint.size,
            "root": signed.checkpoint.root.to_string(),
            "key": key.to_string(),
            "note": signed.note,
        });
        print(&answer.to_string());
    } else {
        print(signed.note.trim_end());
    }
    Ok(Exit::Clean)
}

impl SignedBy {
    /// Signs the log as far as it goes, and gives the key that the note is believed by.
    pub(super) fn signed(
        &self,
        source: &Source,
        offline: &Offline,
        ledger: &LedgerId,
    ) -> Result<(Signed, VerifierKey), Failed> {
        let usual = |named: &Option<PathBuf>, name: &str| {
            named.clone().unwrap_or_else(|| source.folder().join(name))
        };
        let path = usual(&self.signing_key, KEY_FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            let what = format!(
                "read the key {}; a backup has none: pass the server's with --signing-key",
                path.display()
            );
            Failed::unopened(error).context(what)
        })?;
        let key = PrivateKey::parse(text.trim_end())
            .map_err(|fault| Failed::usage(anyhow!("{} {fault}", path.display())))?;
        let published = self.published(source)?;
        let log = self.origin.clone().unwrap_or_else(|| log_of(&published, ledger));
        let signing = Signing { key: &key, log: &log, published: &published };
        let mut bar = Shown::new("reading the log");
        let signed = Signed::of(&*offline.log, ledger, signing, |done, all| bar.at(done, all));
        let signed = signed.map_err(failed)?;
        let signer = key.signer(&signed.checkpoint.origin);
        let signer = signer.map_err(|fault| Failed::usage(anyhow!("--origin {fault}")))?;
        Ok((signed, signer.verifier().clone()))
    }
}

impl SignedBy {
    /// The text of the checkpoints that were published. Nothing is signed without them by mistake:
    /// they are what shows that the log is still the one that was signed.
    fn published(&self, source: &Source) -> Result<String, Failed> {
        let usual = source.folder().join(FILE);
        match &self.published {
            Some(path) => read(path),
            None if self.unpublished => Ok(String::new()),
            None if usual.exists() => read(&usual),
            None => Err(Failed::usage(anyhow!(
                "{} has no file of checkpoints, as a backup never has: pass the server's with \
                 --published, or say --unpublished where none was ever published",
                source.folder().display()
            ))),
        }
    }
}

/// What the log is called in the newest checkpoint of a ledger.
fn log_of(published: &str, ledger: &LedgerId) -> String {
    let own = newest(published, |found| found.ledger() == ledger.as_str());
    let log = own.and_then(|own| Some(own.checkpoint.origin.rsplit_once('/')?.0.to_owned()));
    log.unwrap_or_else(|| LOG_USUAL.to_owned())
}

/// A log that is not the one that was signed is a finding; the rest can't be read.
pub(super) fn failed(error: CheckpointError) -> Failed {
    match error {
        CheckpointError::Inconsistent { .. } | CheckpointError::Range(_) => Failed::absent(error),
        CheckpointError::Name(_) | CheckpointError::Older(_) => Failed::usage(error),
        CheckpointError::Read(_) => Failed::unopened(error).context("read the log"),
    }
}

pub(super) fn read(path: &Path) -> Result<String, Failed> {
    fs::read_to_string(path).map_err(|error| {
        Failed::unopened(error).context(format!("read the checkpoints {}", path.display()))
    })
}

/// The checkpoints that somebody kept, and the keys that they are believed by.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// A file with checkpoints that were signed earlier; may be repeated.
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Vec<PathBuf>,
    /// Whom they are believed from: name+id+key, as it was told when they were; may be repeated.
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    key: Vec<String>,
}

impl Kept {
    /// How each ledger that the checkpoints tell of stands to them, whether the log has it or not.
    pub(super) fn held(&self, offline: &Offline) -> Result<Vec<Held>, Failed> {
        let keys: Result<Vec<VerifierKey>, Failed> = self.key.iter().map(|key| of(key)).collect();
        let keys = keys?;
        let mut kept = kept::Kept::default();
        for path in &self.checkpoint {
            let added = kept.add(&read(path)?);
            added.map_err(|fault| {
                Failed::unopened(fault).context(format!("read {}", path.display()))
            })?;
        }
        kept.held(&*offline.log, &keys).map_err(Failed::usage)
    }
}

fn of(key: &str) -> Result<VerifierKey, Failed> {
    VerifierKey::parse(key).map_err(|fault| Failed::usage(anyhow!("--key {key:?} {fault}")))
}
