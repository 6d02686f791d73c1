//! A ledger's movements in the forms that other programs read: lines of JSON, CSV, beancount, hledger.
//!
//! All four tell the same: every transfer of every record that counts, in order, with the totals of
//! the books at the end. A form ends with what it was made from, so a file that was cut short shows.
//! Names of accounts and commodities are mapped to what beancount and hledger take, and no two to
//! one ([`name`]); nothing that a customer or a provider wrote can become a directive or a formula.
//!
//! Never here: a clock, a locale, a sum that is rounded.

pub mod name;

mod beancount;
mod books;
mod csv;
mod entry;
mod hledger;
mod jsonl;

use std::io::{self, Write};

use domain::{
    ids::LedgerId,
    input::{Input, Order},
    record::Record,
};
use event_store::log::{EventLog, ReadError};

pub use self::books::{Place, place_book};
use self::{books::Books, entry::Entry, name::Names};
use crate::{
    cut::{Cut, Provenance},
    pass::pass,
    reports::Axis,
};

/// The forms that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line of JSON for each record, and one at the end.
    Jsonl,
    /// A row for each transfer.
    Csv,
    /// A transaction for each record that moved something, and balances that `bean-check` checks.
    Beancount,
    /// The same as a journal that `hledger check` checks.
    Hledger,
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// As of when.
    pub cut: Cut,
    /// By which time transactions are dated.
    pub axis: Axis,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// What it was made from.
    pub provenance: Provenance,
    /// How many records count.
    pub records: u64,
    /// How many transfers they have.
    pub transfers: u64,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log can't be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it is written to fails.
    #[error("write the export")]
    Write(#[from] io::Error),
}

/// Writes a ledger's movements. `progress` is told how many records are read, and how many there
/// are.
///
/// # Errors
/// The log can't be read, or `out` fails; what was written then lacks its end.
pub fn export(
    log: &dyn EventLog,
    ledger: &LedgerId,
    (query, form): (&Query, Form),
    out: &mut dyn Write,
    progress: impl FnMut(u64, u64),
) -> Result<Exported, ExportError> {
    let mut export = Export {
        form,
        out,
        names: Names::new(ledger),
        books: Books::default(),
        records: 0,
        transfers: 0,
    };
    export.head()?;
    let provenance = pass(log, ledger, &query.cut, progress, |recorded, _| {
        let record = recorded.record();
        export.names.learn(record);
        if query.cut.counts(record) {
            let chain = recorded.hash().to_string();
            export.add(&Entry::of(record, query.axis.moment(record), chain))?;
        }
        Ok::<(), ExportError>(())
    })?;
    let (records, transfers) = (export.records, export.transfers);
    export.end(query, &provenance)?;
    Ok(Exported { provenance, records, transfers })
}

/// An export under way.
struct Export<'o> {
    form: Form,
    out: &'o mut dyn Write,
    names: Names,
    books: Books,
    records: u64,
    transfers: u64,
}

impl Export<'_> {
    fn head(&mut self) -> io::Result<()> {
        match self.form {
            Form::Jsonl => Ok(()),
            Form::Csv => csv::head(self.out),
            Form::Beancount => beancount::head(self.out, &self.names),
            Form::Hledger => hledger::head(self.out),
        }
    }

    fn add(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.records += 1;
        for transfer in entry.transfers {
            self.transfers += 1;
            self.books.post(transfer, entry.day);
        }
        match self.form {
            Form::Jsonl => jsonl::entry(self.out, &self.names, entry),
            Form::Csv => csv::entry(self.out, &self.names, entry),
            Form::Beancount => beancount::entry(self.out, &self.names, entry),
            Form::Hledger => hledger::entry(self.out, &self.names, entry),
        }
    }

    fn end(self, query: &Query, provenance: &Provenance) -> io::Result<()> {
        let mut facts = crate::reports::layout::made_from(provenance);
        facts.push(("dated by", query.axis.name().to_owned()));
        facts.extend(crate::reports::layout::asked(&query.cut));
        facts.push(("counted records", self.records.to_string()));
        facts.push(("transfers", self.transfers.to_string()));
        let end = End { facts, names: &self.names, books: &self.books };
        match self.form {
            Form::Jsonl => jsonl::end(self.out, &end),
            Form::Csv => csv::end(self.out, &end),
            Form::Beancount => beancount::end(self.out, &end),
            Form::Hledger => hledger::end(self.out, &end),
        }?;
        self.out.flush()
    }
}

/// What stands at the end of an export.
struct End<'e> {
    /// What it was made from, by name.
    facts: Vec<(&'static str, String)>,
    names: &'e Names,
    books: &'e Books,
}

impl Names {
    /// Learns the unit of credits, which never changes in a ledger.
    fn learn(&mut self, record: &Record) {
        if let Input::Command(command) = &record.input
            && let Order::ActivatePolicy { policy, .. } = &command.order
        {
            self.set_unit(policy.unit.as_str());
        }
    }
}
