//! What every audit is asked: which data, which ledger, as of when, and how it answers.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use audit::cut::{Cut, Known};
use clap::Args;
use domain::{ids::LedgerId, time::Timestamp};
use event_store::backup::is_backup;
use server::offline::Offline;

use crate::exit::Failed;

/// Where the data are, and how to answer.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The data folder of a stopped server, or a backup.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Source {
    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.data
    }

    /// A folder that is not there is not made: an empty log would be clean.
    pub(super) fn open(&self) -> Result<Offline, Failed> {
        if !self.data.is_dir() {
            let error = anyhow!(
                "{} is no folder; pass the server's data folder with --data",
                self.data.display()
            );
            return Err(Failed::unopened(error));
        }
        Offline::open(&self.data).map_err(Failed::unopened)
    }

    /// A backup must stay what it says it is.
    pub(super) fn refuse_backup(&self, argument: &str) -> Result<(), Failed> {
        if is_backup(&self.data) {
            let data = self.data.display();
            return Err(Failed::usage(anyhow!(
                "{argument}: {data} is a backup; put it into another folder by `tallyhook restore`"
            )));
        }
        Ok(())
    }
}

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct OfLedger {
    /// The ledger.
    #[arg(long, default_value = "main")]
    ledger: String,
}

impl OfLedger {
    /// The ledger, which must have a record.
    pub(super) fn of(&self, offline: &Offline) -> Result<LedgerId, Failed> {
        let ledger = LedgerId::new(&self.ledger)
            .map_err(|fault| Failed::usage(anyhow!("--ledger {fault}")))?;
        if offline.log.head(&ledger).is_some() {
            return Ok(ledger);
        }
        let known = offline.log.ledgers().map_err(Failed::unopened)?;
        let known: Vec<&str> = known.iter().map(LedgerId::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Failed::usage(anyhow!("the log has no ledger {ledger}; it has: {known}")))
    }
}

/// As of when. Without any of these: as far as the log goes.
#[derive(Debug, Args)]
pub(crate) struct AsOf {
    /// What was known with this record, itself included.
    #[arg(long, value_name = "SEQUENCE", conflicts_with = "at")]
    at_sequence: Option<u64>,
    /// What was recorded by this moment (RFC 3339), itself included.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// Of that, what had happened by this moment (RFC 3339) at the provider, itself included;
    /// commands happen when they are recorded.
    #[arg(long, value_name = "MOMENT")]
    happened_by: Option<String>,
}

impl AsOf {
    /// The same as a query of the API.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let sequence = self.at_sequence.map(|sequence| ("at_sequence", sequence.to_string()));
        let at = self.at.clone().map(|at| ("at", at));
        let happened_by = self.happened_by.clone().map(|at| ("happened_by", at));
        [sequence, at, happened_by].into_iter().flatten().collect()
    }

    pub(crate) fn cut(&self) -> Result<Cut, Failed> {
        let known = match (self.at_sequence, &self.at) {
            (Some(sequence), _) => Known::Sequence(sequence),
            (None, Some(at)) => Known::RecordedAt(moment("--at", at)?),
            (None, None) => Known::All,
        };
        let happened = self.happened_by.as_deref();
        let happened = happened.map(|text| moment("--happened-by", text)).transpose()?;
        Ok(Cut { known, happened })
    }
}

/// A moment that an argument gives.
pub(super) fn moment(argument: &str, text: &str) -> Result<Timestamp, Failed> {
    Timestamp::parse(text).ok_or_else(|| {
        Failed::usage(anyhow!("{argument} {text:?} is no RFC 3339, such as 2026-07-01T00:00:00Z"))
    })
}
