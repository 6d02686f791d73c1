//! `audit sample`.

use std::path::PathBuf;

use anyhow::anyhow;
use audit::{
    proved::ProveError,
    reports::layout::Format,
    sample::{Asked, COUNT_MAX, Weight, sample},
};
use clap::{Args, ValueEnum};

use super::{
    evidence::published,
    file::{Existing, written},
    source::{AsOf, OfLedger, Source},
};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct SampleArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    /// What the random numbers are made of: the same seed draws the same records.
    #[arg(long)]
    seed: String,
    /// How many draws; a record that is drawn twice stands there once.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=COUNT_MAX))]
    count: u64,
    /// What makes a record likely.
    #[arg(long, value_enum, default_value = "amount")]
    by: By,
    /// A file of signed checkpoints, of which the newest of the ledger is taken.
    #[arg(long, value_name = "FILE", requires = "proof")]
    checkpoint: Option<PathBuf>,
    /// Writes the proof that the records are in the log of the checkpoint; `tallyhook-verify`
    /// checks it.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    proof: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// The credits that it moves.
    Amount,
    /// Nothing: every record alike.
    Records,
}

pub(super) fn sampled(arguments: &SampleArguments) -> Done {
    let cut = arguments.as_of.cut()?;
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let published = published(arguments.checkpoint.as_deref(), &ledger)?;
    let asked = Asked {
        seed: &arguments.seed,
        count: arguments.count,
        weight: match arguments.by {
            By::Amount => Weight::Amount,
            By::Records => Weight::Records,
        },
        cut,
        published: published.as_ref(),
    };
    let mut shown = Shown::new("reading the log");
    let found = sample(&*offline.log, &ledger, &asked, |done, total| shown.at(done, total));
    drop(shown);
    let found = found.map_err(|error| {
        let failed = match error {
            ProveError::Inconsistent { .. } => Failed::absent(error),
            ProveError::Log(_) | ProveError::Range(_) | ProveError::NoCheckpoint { .. } => {
                Failed::unopened(error)
            }
        };
        failed.context("sample")
    })?;
    if let (Some(path), Some(bundle)) = (&arguments.proof, &found.proof) {
        written(path, Existing::Kept, bundle.to_text().as_bytes())?;
    }
    if found.population == 0 {
        return Err(Failed::absent(anyhow!("no record counts: there is nothing to draw from")));
    }
    let format = if arguments.source.json { Format::Json } else { Format::Text };
    print(found.document(&asked).render(format).trim_end());
    Ok(Exit::Clean)
}
