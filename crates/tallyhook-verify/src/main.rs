//! `tallyhook-verify`: checks proofs and statements that somebody else gives out, with nothing but
//! the key that their checkpoints are believed by.
//!
//! [`checked`] says what a file proves, [`told`] says it to people and to programs.
//!
//! Never here: code of the server, a network, a clock.

mod checked;
mod told;

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use proof::note::VerifierKey;

use self::checked::{Expected, NoOlder, OfFile, Older, check};

/// Everything holds.
const CLEAN: u8 = 0;
/// Something doesn't hold.
const REFUSED: u8 = 1;
/// The arguments can't be used; clap's own faults have the same code.
const USAGE: u8 = 2;
/// A file can't be read.
const UNREAD: u8 = 3;

/// Checks proofs and statements of a Tallyhook log.
#[derive(Debug, Parser)]
#[command(version, after_long_help = told::LIMITS)]
struct Arguments {
    /// Whom checkpoints are believed from: name+id+key. Get it by another way than the files, and
    /// keep it; may be repeated, as when a key was changed.
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// A file with checkpoints that you kept: each bundle must be of the newest of its log there, or
    /// prove that it goes on from it.
    #[arg(long, value_name = "FILE")]
    older: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Bundles, as `tallyhook audit prove` and statements write them, or checkpoints.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(results) => {
            let holds = results.iter().all(|(_, result)| result.is_ok());
            let text = if arguments.json {
                told::to_machines(&results)
            } else {
                told::to_people(&results)
            };
            // Who closed the pipe has read enough.
            let _ = writeln!(io::stdout().lock(), "{text}");
            ExitCode::from(if holds { CLEAN } else { REFUSED })
        }
        Err(Failed { exit, why }) => {
            let _ = writeln!(io::stderr().lock(), "tallyhook-verify: {why}");
            ExitCode::from(exit)
        }
    }
}

/// What keeps it from checking anything.
struct Failed {
    exit: u8,
    why: String,
}

fn run(arguments: &Arguments) -> Result<Vec<OfFile>, Failed> {
    let key = |text: &String| {
        VerifierKey::parse(text)
            .map_err(|fault| Failed { exit: USAGE, why: format!("--key {text:?} {fault}") })
    };
    let keys: Result<Vec<VerifierKey>, Failed> = arguments.key.iter().map(key).collect();
    let keys = keys?;
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| Failed {
            exit: UNREAD,
            why: format!("read {}: {error}", path.display()),
        })
    };
    let older = arguments.older.as_ref().map(|path| {
        Older::read(&read(path)?, &keys).map_err(|fault| {
            let (exit, why) = match fault {
                NoOlder::Malformed(why) => (UNREAD, why),
                NoOlder::Unbelieved(why) => (REFUSED, why),
            };
            Failed { exit, why: format!("--older {}: {why}", path.display()) }
        })
    });
    let expected = Expected { keys, older: older.transpose()? };
    let checked = arguments.files.iter().map(|path| {
        let result = check(&read(path)?, &expected);
        Ok((path.display().to_string(), result))
    });
    checked.collect()
}
