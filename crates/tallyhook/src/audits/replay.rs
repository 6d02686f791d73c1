//! `audit replay`.

use audit::replay::replay;
use clap::Args;
use serde_json::{Value, json};
use server::offline::empty_views;

use super::source::Source;
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    source: Source,
}

pub(super) fn replayed(arguments: &ReplayArguments) -> Done {
    let source = &arguments.source;
    let offline = source.open()?;
    let ledgers = replay(&*offline.log, &empty_views(), |_, _| {})
        .map_err(|error| Failed::unopened(error).context("replay the log"))?;
    if source.json {
        let ledgers: Vec<Value> = ledgers
            .iter()
            .map(|replayed| {
                json!({
                    "ledger": replayed.ledger.as_str(),
                    "sequence": replayed.sequence.map(domain::ids::Sequence::get),
                    "digest": replayed.digest,
                })
            })
            .collect();
        print(&json!({"ok": true, "ledgers": ledgers}).to_string());
    } else {
        for replayed in ledgers {
            let sequence = replayed.sequence.map_or(0, domain::ids::Sequence::get);
            print(&format!("{}: records {sequence}, digest {}", replayed.ledger, replayed.digest));
        }
    }
    Ok(Exit::Clean)
}
