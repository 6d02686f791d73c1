//! `audit explain`.

use anyhow::anyhow;
use audit::explain::{Asked, ExplainError, explain};
use clap::Args;
use event_store::search::activations;

use super::source::{AsOf, OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// An account, a payment or order number, an event, a command's id or key, a request id, or #
    /// and a sequence.
    #[arg(required_unless_present_any = ["call_time", "model"])]
    id: Option<String>,
    /// Usage that says this call time, as it was written.
    #[arg(long, value_name = "TEXT")]
    call_time: Option<String>,
    /// Usage that says this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The namespace in which a payment is looked for; needed where several have one with this id.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// How many records are shown at most, the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 20, conflicts_with = "all")]
    records: usize,
    /// Shows all records.
    #[arg(long)]
    all: bool,
    /// Shows the bytes that came in, which may hold personal data.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    source: Source,
}

pub(super) fn explained(arguments: &ExplainArguments) -> Done {
    let cut = arguments.as_of.cut()?;
    if cut.happened.is_some() {
        return Err(Failed::usage(anyhow!(
            "an explanation follows what was known; use --at or --at-sequence, or `audit balance \
             --happened-by`"
        )));
    }
    let offline = arguments.source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    // From the log alone: what audits writes nothing that a later audit compares.
    let mut shown = Shown::new("look for policies");
    let activations = activations(&*offline.log, &ledger, |read, of| shown.at(read, of));
    drop(shown);
    let activations = activations
        .map_err(|error| Failed::unopened(error).context("look for the policies in the log"))?;
    let asked = Asked {
        id: arguments.id.clone(),
        call_time: arguments.call_time.clone(),
        model: arguments.model.clone(),
        origin: arguments.origin.clone(),
        known: cut.known,
        steps_max: if arguments.all { usize::MAX } else { arguments.records },
        raw: arguments.raw,
    };
    let explained = explain(&*offline.log, &ledger, &activations, &asked);
    let explanation = explained.map_err(|error| match error {
        ExplainError::Unknown { .. } => Failed::absent(error),
        ExplainError::NothingAsked | ExplainError::Ambiguous { .. } => Failed::usage(error),
        ExplainError::Read(_) | ExplainError::AsOf(_) | ExplainError::Unexplained { .. } => {
            Failed::unopened(error)
        }
    })?;
    print(&if arguments.source.json {
        explanation.json().to_string()
    } else {
        explanation.text().trim_end().to_owned()
    });
    Ok(Exit::Clean)
}
