//! `republish`: the way out when the stream of balance events and the log disagree.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::anyhow;
use clap::Args;
use domain::ids::Sequence;
use publisher::{
    follow::with_causes,
    mend::{Examined, MendFault, Remedy, examine, mend},
};
use serde_json::{Value, json};
use server::{
    config::{Config, Environment},
    offline::Offline,
};
use tokio::runtime;

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

/// How many places of foreign messages a person is shown.
const LISTED_MAX: usize = 10;

#[derive(Debug, Args)]
pub(crate) struct RepublishArguments {
    /// The configuration.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
    /// Does what it says, without asking.
    #[arg(long)]
    yes: bool,
    /// Allows that the stream is deleted and everything published again from the first record; does
    /// so even where the stream is as it should be.
    #[arg(long)]
    recreate: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// There is nothing to mend.
    InAccord,
    Mended,
    /// It was not allowed.
    NotMended,
}

pub(crate) fn republish(arguments: &RepublishArguments) -> Done {
    let config = Config::load(&arguments.config, &Environment::of_process());
    let config = config.map_err(Failed::usage)?;
    let broker = config.nats.as_ref().ok_or_else(|| {
        let path = arguments.config.display();
        Failed::usage(anyhow!("{path} has no [nats], so there is no stream; add it"))
    })?;
    let broker = broker.publishing();
    let offline = Offline::open(&config.data).map_err(|error| {
        Failed::unopened(error).context("open the log; stop the server before `republish`")
    })?;
    let views = offline.store.views();
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failed::unopened)?;

    let mut shown = Shown::new("reading the stream");
    let mut progress = |done, total| shown.at(done, total);
    let examined = examine(&broker, &*offline.log, &*views, &mut progress);
    let examined = runtime.block_on(examined).map_err(failed)?;
    drop(shown);

    let needed = examined.remedy();
    let remedy = if arguments.recreate { Remedy::Recreate } else { needed };
    if !arguments.json {
        print(&told(&examined, remedy));
    }
    let outcome = if remedy == Remedy::Nothing {
        Outcome::InAccord
    } else if is_allowed(arguments, remedy) {
        runtime.block_on(mend(&broker, &*views, &examined, remedy)).map_err(failed)?;
        Outcome::Mended
    } else {
        Outcome::NotMended
    };
    print(&if arguments.json {
        listed(&examined, remedy, outcome).to_string()
    } else {
        ended(remedy, outcome).to_owned()
    });
    Ok(match outcome {
        Outcome::InAccord | Outcome::Mended => Exit::Clean,
        Outcome::NotMended => Exit::Findings,
    })
}

fn failed(fault: MendFault) -> Failed {
    Failed::unopened(anyhow!(with_causes(&fault)))
}

/// Whether a person agrees: by `--yes`, or asked on a terminal. Deleting the stream needs to have
/// been named.
fn is_allowed(arguments: &RepublishArguments, remedy: Remedy) -> bool {
    if remedy == Remedy::Recreate && !arguments.recreate {
        return false;
    }
    if arguments.yes {
        return true;
    }
    let (input, error) = (io::stdin(), io::stderr());
    if arguments.json || !input.is_terminal() || !error.is_terminal() {
        return false;
    }
    let _ = write!(error.lock(), "Do it? Write yes: ");
    let _ = error.lock().flush();
    let mut answer = String::new();
    input.lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

const fn name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Nothing => "nothing",
        Remedy::Resume => "resume",
        Remedy::Clean => "clean",
        Remedy::Recreate => "recreate",
    }
}

fn number(sequence: Option<Sequence>) -> u64 {
    sequence.map_or(0, Sequence::get)
}

/// What is so, and what would mend it.
fn told(examined: &Examined, remedy: Remedy) -> String {
    let mut lines = Vec::new();
    match &examined.stream {
        None => lines.push("stream: absent; the server makes it".to_owned()),
        Some(stream) => {
            lines.push(format!("stream: {} messages", stream.messages));
            if let Some(what) = &stream.unfit {
                lines.push(format!("stream: it has {what}"));
            }
            if stream.foreign_count > 0 {
                let places = stream.foreign.iter().take(LISTED_MAX).map(ToString::to_string);
                let places = places.collect::<Vec<_>>().join(", ");
                lines.push(format!(
                    "stream: {} messages that tallyhook did not publish, at {places}{}; find out who \
                     may publish there",
                    stream.foreign_count,
                    if stream.foreign.len() > LISTED_MAX { ", ..." } else { "" },
                ));
            }
            if stream.of_other_ledgers > 0 {
                lines.push(format!(
                    "stream: {} messages of ledgers that this log does not have",
                    stream.of_other_ledgers
                ));
            }
        }
    }
    for (ledger, standing) in &examined.ledgers {
        lines.push(format!(
            "ledger {ledger}: {} messages up to record {} are as they should be; the log ends at \
             record {}, and record {} was acknowledged",
            standing.messages,
            number(standing.published),
            number(standing.head),
            number(standing.acknowledged),
        ));
        if let Some(broken) = &standing.broken {
            let expected = match broken.expected {
                Some(expected) => format!("that of record {expected} should be there"),
                None => "the log ends before".to_owned(),
            };
            lines.push(format!(
                "ledger {ledger}: message {} of the stream is of record {}, but {expected}",
                broken.message, broken.found
            ));
        }
    }
    lines.push(proposal(examined, remedy));
    lines.join("\n")
}

fn proposal(examined: &Examined, remedy: Remedy) -> String {
    match remedy {
        Remedy::Nothing => "Stream and log agree.".to_owned(),
        Remedy::Resume => {
            "To do: forget how far was published. The server then publishes what the \
                           stream lacks after its last message; versions go on without a gap."
                .to_owned()
        }
        Remedy::Clean => {
            "To do: remove the messages that tallyhook did not publish, and forget how \
                          far was published. The server then publishes what the stream lacks after \
                          its last message."
                .to_owned()
        }
        Remedy::Recreate => {
            let others = examined.stream.as_ref().map_or(0, |stream| stream.of_other_ledgers);
            let warning = if others > 0 {
                format!(
                    " This also deletes {others} messages of ledgers that this log does not have: \
                     republish those from their own server too."
                )
            } else {
                String::new()
            };
            format!(
                "To do: delete the stream with its consumers, and forget how far was published. The \
                 server then makes it anew and publishes everything from the first record; \
                 subscribers see every version again.{warning}"
            )
        }
    }
}

const fn ended(remedy: Remedy, outcome: Outcome) -> &'static str {
    match (outcome, remedy) {
        (Outcome::InAccord, _) => "Nothing was changed.",
        (Outcome::Mended, _) => "Done. Start the server: it publishes what lacks.",
        (Outcome::NotMended, Remedy::Recreate) => {
            "Nothing was changed. Pass --recreate --yes to delete the stream and publish it anew."
        }
        (Outcome::NotMended, Remedy::Nothing | Remedy::Resume | Remedy::Clean) => {
            "Nothing was changed. Pass --yes to do it."
        }
    }
}

fn listed(examined: &Examined, remedy: Remedy, outcome: Outcome) -> Value {
    let ledgers = examined.ledgers.iter().map(|(ledger, standing)| {
        let broken = standing.broken.as_ref().map(|broken| {
            json!({
                "message": broken.message,
                "found": broken.found.get(),
                "expected": broken.expected.map(Sequence::get),
            })
        });
        json!({
            "ledger": ledger.as_str(),
            "messages": standing.messages,
            "published": number(standing.published),
            "acknowledged": number(standing.acknowledged),
            "log": number(standing.head),
            "broken": broken,
        })
    });
    let stream = examined.stream.as_ref().map(|stream| {
        json!({
            "messages": stream.messages,
            "unfit": stream.unfit,
            "foreign": stream.foreign,
            "foreign_count": stream.foreign_count,
            "of_other_ledgers": stream.of_other_ledgers,
        })
    });
    json!({
        "ok": outcome != Outcome::NotMended,
        "remedy": name(remedy),
        "mended": outcome == Outcome::Mended,
        "stream": stream,
        "ledgers": ledgers.collect::<Vec<_>>(),
    })
}
