//! `audit`: offline, on a stopped server's data or a backup. One file for each command.

mod balance;
mod checkpoint;
mod diff;
mod evidence;
mod explain;
mod export;
mod file;
mod prove;
mod reconcile;
mod replay;
mod report;
mod sample;
pub(crate) mod source;
mod statement;
mod verify;

use clap::Subcommand;

use crate::Done;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Checks every stored value, the hash chain, the fold and every decision.
    Verify(verify::VerifyArguments),
    /// Signs the tree over a ledger's records and prints the checkpoint.
    Checkpoint(checkpoint::CheckpointArguments),
    /// Writes what proves to outsiders that records are in the log, and that it was not changed.
    Prove(prove::ProveArguments),
    /// Folds the log from its first record and prints a digest of the result by ledger.
    Replay(replay::ReplayArguments),
    /// Writes a ledger's movements for other programs: lines of JSON, CSV, beancount, hledger.
    ///
    /// The totals of the four are equal, and each ends with what it was made from. Exit codes: 0
    /// written; 2 wrong usage; 3 something could not be opened or written.
    Export(export::ExportArguments),
    /// Adds up a ledger: roll-forward, aged receivables, open disputes, exceptions, refund cases.
    ///
    /// The same log and the same arguments give the same bytes on every machine. Exit codes: 0 every
    /// difference is zero; 1 one is not; 2 wrong usage; 3 something could not be opened or written.
    Report(report::ReportArguments),
    /// Decides history again under another policy, in memory, and says what would be different.
    ///
    /// Exit codes: 0 nothing; 1 something; 2 wrong usage or a faulty policy; 3 the log could not be
    /// opened.
    Diff(diff::DiffArguments),
    /// Draws a random sample of records that anybody can draw again, weighted by amount.
    ///
    /// Exit codes: 0 drawn; 1 there is nothing to draw from, or the log is not the one that was
    /// signed; 2 wrong usage; 3 something could not be opened or written.
    Sample(sample::SampleArguments),
    /// Gathers what can be shown of a payment, to contest a chargeback, into a zip archive.
    ///
    /// Exit codes: 0 written; 1 the ledger does not know the payment, or the log is not the one that
    /// was signed; 2 wrong usage; 3 something could not be opened or written.
    Evidence(evidence::EvidenceArguments),
    /// Compares the log with the provider's own lists of events, payments and adjustments.
    ///
    /// Says what never arrived, what the provider does not know, what differs, and which types of
    /// events nobody sends here. A server's data are open to it alone: ask a backup of them, and
    /// bring what is missing into the running server by --import.
    ///
    /// Exit codes: 0 all agrees; 1 findings; 2 wrong usage; 3 something could not be opened or
    /// reached.
    Reconcile(Box<reconcile::ReconcileArguments>),
    /// Explains why a balance, a payment or a record is as it is, down to the bytes that came in.
    ///
    /// Takes an account, a payment or order number, an event, a command, a request id, or # and a
    /// sequence; usage is found by its call time and model, too. What is shown of a balance sums up
    /// to it: lots from what was decided, the balance from what moved, compared after every record.
    ///
    /// Exit codes: 0 explained; 1 nothing is known by that; 2 wrong usage; 3 the log could not be
    /// opened or read, or lots and balance differ.
    Explain(explain::ExplainArguments),
    /// Makes an account's statement: what it had, what each record moved, what it has.
    ///
    /// A period is of the time of recording or, with --by happened, of the time at the provider.
    /// What it closes with is not made from its lines, so a difference would show.
    ///
    /// Exit codes: 0 the difference is zero; 1 it is not, or there is no such account; 2 wrong
    /// usage; 3 the log could not be opened or read.
    Statement(statement::StatementArguments),
    /// Shows the balance of one account or of all, now or at any moment of the past.
    ///
    /// The past has two axes: what was known (--at-sequence, --at) and, of that, what had happened
    /// at the provider (--happened-by). A balance by what had happened may be below zero: usage
    /// counts from when it was recorded, a purchase from when it was paid.
    Balance(balance::BalanceArguments),
}

pub(crate) fn audit(command: &AuditCommand) -> Done {
    match command {
        AuditCommand::Verify(arguments) => verify::verified(arguments),
        AuditCommand::Checkpoint(arguments) => checkpoint::shown(arguments),
        AuditCommand::Prove(arguments) => prove::proved(arguments),
        AuditCommand::Replay(arguments) => replay::replayed(arguments),
        AuditCommand::Export(arguments) => export::exported(arguments),
        AuditCommand::Report(arguments) => report::reported(arguments),
        AuditCommand::Diff(arguments) => diff::differed(arguments),
        AuditCommand::Sample(arguments) => sample::sampled(arguments),
        AuditCommand::Evidence(arguments) => evidence::gathered(arguments),
        AuditCommand::Reconcile(arguments) => reconcile::reconciled(arguments),
        AuditCommand::Explain(arguments) => explain::explained(arguments),
        AuditCommand::Statement(arguments) => statement::stated(arguments),
        AuditCommand::Balance(arguments) => balance::shown(arguments),
    }
}
