//! The one binary: `serve`, and the commands around it.
//!
//! Exit codes: 0 done and clean; 1 done, with findings, faults or refusals; 2 wrong usage or
//! configuration; 3 something could not be opened or reached.

mod account;
mod api;
mod audits;
mod backup;
mod case;
mod checks;
mod client;
mod doctor;
mod erase;
mod exit;
mod import;
mod init;
mod policy;
mod policy_activate;
mod policy_test;
mod progress;
mod republish;
mod restore;
mod serve;
mod tail;
mod token;
mod trigger;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns payment webhooks into prepaid-credit balances that an auditor can trust.
///
/// Exit codes: 0 done and clean; 1 done, with findings, faults or refusals; 2 wrong usage or
/// configuration; 3 something could not be opened or reached.
#[derive(Debug, Parser)]
#[command(name = "tallyhook", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves webhooks and the API until SIGTERM or SIGINT.
    ///
    /// Prints one line of JSON with both addresses when ready. Logs go to standard error; the
    /// environment variable TALLYHOOK_LOG says how much (error, warn, info, debug).
    Serve {
        /// The configuration.
        #[arg(long, default_value = "tallyhook.toml")]
        config: PathBuf,
    },
    /// Writes a commented configuration and first policies; never overwrites.
    Init {
        /// Into this folder.
        #[arg(long, default_value = ".")]
        directory: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(checks::ConfigCommand),
    /// Looks at policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Makes bearer tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Shows an account, of a running server or of a stopped one's data.
    Account(account::AccountArguments),
    /// Works on refund cases of a running server.
    #[command(subcommand)]
    Case(case::CaseCommand),
    /// Imports opening balances of customers from before Tallyhook.
    ///
    /// The whole file is checked, here and against the server, before anything is recorded. The
    /// same command on the same file goes on where an earlier one broke off.
    ///
    /// Exit codes: 0 all rows are in the ledger (with --check: can be); 1 faults or refusals; 2
    /// wrong usage; 3 the file could not be read or the server not reached.
    Import(import::ImportArguments),
    /// Posts signed webhooks of a scenario to a running server.
    Trigger(trigger::TriggerArguments),
    /// Copies the log, of a running server or of a stopped one's data, into an empty folder.
    ///
    /// Every stored value is checked while it is copied; a damaged one stops the backup. The copy
    /// is the log as it was when the backup began, whatever comes in meanwhile, and `tallyhook audit
    /// verify --data FOLDER` checks it where it lies. Without --server and --data, the configuration
    /// says where the data are, and a server that runs there is asked for them.
    ///
    /// Exit codes: 0 made; 1 a value is damaged, or the log does not go on after the earlier
    /// backup; 2 wrong usage; 3 something could not be opened, reached or written.
    Backup(backup::BackupArguments),
    /// Makes a data folder from a full backup and its increments.
    ///
    /// Exit codes: 0 restored; 1 a backup is damaged, or --verify has findings; 2 wrong usage; 3
    /// something could not be opened or written.
    Restore(restore::RestoreArguments),
    /// Looks at the machine: the disk, the clock, the files, the broker, and says what is wrong.
    ///
    /// Works beside a running server, and changes nothing: it writes one file without a name to
    /// measure the disk. Exit codes: 0 nothing fails; 1 something fails; 2 wrong usage; 3 the
    /// configuration can't be read.
    Doctor(doctor::DoctorArguments),
    /// Follows balance events on NATS, each change of each account as it is published.
    ///
    /// Events go to standard output; what becomes of the connection is told on standard error. It
    /// connects again by itself and goes on after the last event that it had.
    ///
    /// Exit codes: 0 ended by --limit, by Ctrl-C or because nobody reads any more; 2 wrong usage or
    /// configuration; 3 the broker could not be reached, or refuses.
    Tail(tail::TailArguments),
    /// Brings the stream of balance events back into accord with a stopped server's log.
    ///
    /// Holds every message of the stream against the log, says what is wrong and what would mend it,
    /// and does that with --yes: the server then publishes what lacks when it starts, in order. It
    /// publishes nothing itself.
    ///
    /// Exit codes: 0 mended, or nothing to mend; 1 something is wrong, and was not mended because
    /// --yes or --recreate is missing; 2 wrong usage or configuration; 3 the log or the broker could
    /// not be opened or reached.
    Republish(republish::RepublishArguments),
    /// Checks a stopped server's log.
    #[command(subcommand)]
    Audit(audits::AuditCommand),
    /// Erases personal data from a stopped server's log: the raw bodies of records.
    ///
    /// The records stay, with all that decides, and one more says which bodies went, why and by
    /// whom. Backups hold the bodies until they expire. A run that was cut short is finished by the
    /// next one.
    ///
    /// Exit codes: 0 done, or nothing was left to erase; 1 there is no such ledger or account; 2
    /// wrong usage or configuration; 3 the log could not be opened or written.
    Erase(erase::EraseArguments),
}

fn main() -> std::process::ExitCode {
    let done = match Cli::parse().command {
        Command::Serve { config } => serve::serve(&config),
        Command::Init { directory, json } => init::init(&directory, json),
        Command::Config(command) => checks::config(&command),
        Command::Policy(command) => policy::policy(&command),
        Command::Token(command) => token::token(&command),
        Command::Account(arguments) => account::account(&arguments),
        Command::Case(command) => case::case(&command),
        Command::Import(arguments) => import::import(&arguments),
        Command::Trigger(arguments) => trigger::trigger(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => restore::restore(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Tail(arguments) => tail::tail(&arguments),
        Command::Republish(arguments) => republish::republish(&arguments),
        Command::Audit(command) => audits::audit(&command),
        Command::Erase(arguments) => erase::erase_bodies(&arguments),
    };
    done.unwrap_or_else(exit::told).into()
}

/// Prints to standard output. A reader that went away is no fault of ours.
fn print(text: &str) {
    use std::io::Write as _;

    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// What every command ends with.
type Done = Result<Exit, exit::Failed>;
