//! `audit`: offline, on a stopped server's data or a backup. One file for each command.

mod replay;
mod source;
mod verify;

use clap::Subcommand;

use crate::Done;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Checks every stored value, the hash chain, the fold and every decision.
    Verify(verify::VerifyArguments),
    /// Folds the log from its first record and prints a digest of the result by ledger.
    Replay(replay::ReplayArguments),
}

pub(crate) fn audit(command: &AuditCommand) -> Done {
    match command {
        AuditCommand::Verify(arguments) => verify::verified(arguments),
        AuditCommand::Replay(arguments) => replay::replayed(arguments),
    }
}
