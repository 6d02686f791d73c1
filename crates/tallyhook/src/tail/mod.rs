//! `tail`: follows balance events in a terminal.
//!
//! [`publisher::follow`] reads the stream and stays connected; [`line`] says what a person is
//! shown of an event.

mod line;

use std::{
    io::{self, IsTerminal as _, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use balance_events::envelope::{Envelope, EventType};
use clap::{Args, ValueEnum};
use publisher::{
    access::Access,
    follow::{Heard, Start, follow, subjects, with_causes},
};
use server::config::{Config, Environment};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::{
    Done,
    exit::{Exit, Failed},
};
use line::Lines;

/// Set, nothing is coloured: see no-color.org.
const NO_COLOUR: &str = "NO_COLOR";

#[derive(Debug, Args)]
pub(crate) struct TailArguments {
    /// The configuration, whose [nats] says where the broker is.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
    /// A broker without a configuration, such as nats://127.0.0.1:4222.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    nats: Option<String>,
    /// Only this ledger; may be given again.
    #[arg(long)]
    ledger: Vec<String>,
    /// Only this account; may be given again.
    #[arg(long)]
    account: Vec<String>,
    /// Only events of this type; may be given again.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<Type>,
    /// From this record of each ledger on, from this time on (RFC 3339), from now on, or from the
    /// start of the stream.
    #[arg(long, value_name = "RECORD|TIME|now|start", default_value = "now")]
    since: String,
    /// Begins with the newest event of each account: how all of them stand.
    #[arg(long, conflicts_with = "since")]
    last: bool,
    /// Ends after so many events.
    #[arg(long, visible_alias = "count", value_name = "N")]
    limit: Option<u64>,
    /// Prints each event as it was published, one line of JSON each.
    #[arg(long)]
    json: bool,
}

/// What happened to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    Closed,
    Frozen,
    Unfrozen,
    Changed,
}

impl Type {
    const fn of(event_type: EventType) -> Self {
        match event_type {
            EventType::AccountClosed => Self::Closed,
            EventType::AccountFrozen => Self::Frozen,
            EventType::AccountUnfrozen => Self::Unfrozen,
            EventType::BalanceChanged => Self::Changed,
        }
    }
}

pub(crate) fn tail(arguments: &TailArguments) -> Done {
    if arguments.limit == Some(0) {
        return Ok(Exit::Clean);
    }
    let environment = Environment::of_process();
    let access = access(arguments, &environment)?;
    let (start, first_record) = start(arguments)?;
    let subjects = subjects(&arguments.ledger, &arguments.account);
    let colours =
        io::stdout().is_terminal() && environment.get(NO_COLOUR).is_none_or(str::is_empty);
    let mut shown =
        Shown { arguments, first_record, left: arguments.limit, lines: Lines::new(colours) };
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failed::unopened)?.block_on(async {
        let (mut interrupted, mut terminated) = (
            signal(SignalKind::interrupt()).map_err(Failed::unopened)?,
            signal(SignalKind::terminate()).map_err(Failed::unopened)?,
        );
        tokio::select! {
            followed = follow(&access, &start, &subjects, |heard| shown.hear(heard)) => {
                followed
                    .map(|()| Exit::Clean)
                    .map_err(|fault| Failed::unopened(anyhow!(with_causes(&fault))))
            }
            _ = interrupted.recv() => Ok(Exit::Clean),
            _ = terminated.recv() => Ok(Exit::Clean),
        }
    })
}

fn access(arguments: &TailArguments, environment: &Environment) -> Result<Access, Failed> {
    if let Some(url) = &arguments.nats {
        return Access::of(url).map_err(|fault| {
            Failed::usage(anyhow!("--nats {fault}; write nats://127.0.0.1:4222"))
        });
    }
    configured(&arguments.config, environment)
}

/// The broker of a configuration.
fn configured(path: &Path, environment: &Environment) -> Result<Access, Failed> {
    let config = Config::load(path, environment).map_err(Failed::usage)?;
    config.nats.map(|nats| nats.access).ok_or_else(|| {
        Failed::usage(anyhow!("{} has no [nats]; add it, or pass --nats URL", path.display()))
    })
}

/// Where following begins, and the first record that is shown.
fn start(arguments: &TailArguments) -> Result<(Start, u64), Failed> {
    if arguments.last {
        return Ok((Start::NewestOfEach, 0));
    }
    match arguments.since.as_str() {
        "now" => Ok((Start::Now, 0)),
        "start" => Ok((Start::First, 0)),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
            let record =
                text.parse().map_err(|_| Failed::usage(anyhow!("--since {text}: too large")))?;
            Ok((Start::First, record))
        }
        time => match domain::time::Timestamp::parse(time) {
            Some(time) => Ok((Start::Since(time.to_string()), 0)),
            None => Err(Failed::usage(anyhow!(
                "--since {time}: is no record, no time such as 2026-07-03T00:00:00Z, nor now or start"
            ))),
        },
    }
}

/// What is shown, and how much of it.
struct Shown<'a> {
    arguments: &'a TailArguments,
    first_record: u64,
    left: Option<u64>,
    lines: Lines,
}

impl Shown<'_> {
    fn hear(&mut self, heard: Heard) -> ControlFlow<()> {
        match heard {
            Heard::NoStream => tell("there is no stream yet; waiting for the first event"),
            Heard::Following => tell("following"),
            Heard::MadeAnew => {
                tell("the stream was made anew or restored; going on with what it has")
            }
            Heard::Lost(reason) => tell(&format!("the connection is lost, trying again: {reason}")),
            Heard::Event(body) => return self.event(&body),
        }
        ControlFlow::Continue(())
    }

    fn event(&mut self, body: &[u8]) -> ControlFlow<()> {
        let Ok(event) = Envelope::from_json(body) else {
            tell("a message is no balance event; somebody else publishes to the stream");
            return ControlFlow::Continue(());
        };
        let types = &self.arguments.types;
        let is_wanted = types.is_empty() || types.contains(&Type::of(event.event_type));
        if !is_wanted || event.data.record < self.first_record {
            return ControlFlow::Continue(());
        }
        let mut out = io::stdout().lock();
        let written = if self.arguments.json {
            out.write_all(body).and_then(|()| out.write_all(b"\n"))
        } else {
            out.write_all(self.lines.of(&event).as_bytes())
        };
        // Nobody reads any more: as good an end as any.
        if written.and_then(|()| out.flush()).is_err() {
            return ControlFlow::Break(());
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Tells a person what becomes of the connection.
fn tell(what: &str) {
    let _ = writeln!(io::stderr().lock(), "tallyhook: {what}");
}
