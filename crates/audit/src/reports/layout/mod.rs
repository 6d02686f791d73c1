//! What a report looks like, apart from what it says.
//!
//! A document names what it was made from and what was asked, then shows tables, charts and words.
//! Every renderer shows all of that; nothing in a document can become markup, a spreadsheet's
//! formula or a terminal's command, whatever a customer or a provider wrote.

mod chart;
mod csv;
mod facts;
mod html;
mod json;
mod text;

#[cfg(test)]
mod tests;

pub use csv::{guarded, unguarded};
pub(crate) use {
    csv::quoted,
    text::{is_command, shown},
};

use domain::time::Timestamp;

use super::amount::Amount;
use crate::cut::{Cut, Known, Provenance};

/// A report, statement or answer, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub title: String,
    /// What it was made from.
    pub provenance: Provenance,
    /// What was asked, by name, in order; [`asked`] gives the part of the cut.
    pub query: Vec<(&'static str, String)>,
    /// What it says.
    pub sections: Vec<Section>,
}

/// A part of a document under its own heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// One thing that a section shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A sentence or more.
    Words(String),
    /// A table.
    Table(Table),
    /// A chart of what a table says, for the eye: HTML draws it, text has a line for each value, and
    /// JSON and CSV have the table alone.
    Chart(Chart),
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name by which JSON and CSV know it: letters, digits and `_`.
    pub key: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name by which JSON and CSV know it: letters, digits and `_`.
    pub key: &'static str,
    /// The name that a person reads.
    pub name: &'static str,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The cells, one for each column.
    pub cells: Vec<Cell>,
    /// Whether it sums up others.
    pub weight: Weight,
}

/// What a row is among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One of many.
    Line,
    /// The sum of others.
    Total,
}

/// What stands in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words, a name, an id, a moment.
    Text(String),
    /// A number of things.
    Count(u64),
    /// An amount.
    Amount(Amount),
}

/// A chart: one value of each series for each label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// How.
    pub shape: Shape,
    /// What stands along the horizontal axis, in order.
    pub labels: Vec<String>,
    /// What is shown.
    pub series: Vec<Series>,
}

/// How a chart shows values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A bar for each value, those of one label side by side.
    Bars,
    /// A line that keeps each value until the next: a balance.
    Steps,
}

/// The values of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Of what.
    pub name: String,
    /// One for each label.
    pub values: Vec<Amount>,
}

/// The forms that a document can be rendered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a spreadsheet.
    Csv,
    /// For a program.
    Json,
    /// For people: one file with all that it needs.
    Html,
}

impl Format {
    /// The end of the name of a file in this form.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

impl Document {
    /// The document in a form; it ends with a line's end. The same document gives the same bytes.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => text::text(self),
            Format::Csv => csv::csv(self),
            Format::Json => {
                let mut text = self.json().to_string();
                text.push('\n');
                text
            }
            Format::Html => html::html(self),
        }
    }

    /// The document as JSON: tables by their keys, rows by their columns' keys, amounts as strings.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        json::json(self)
    }
}

impl Section {
    /// A section.
    #[must_use]
    pub fn new(title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { title: title.into(), blocks }
    }
}

impl Block {
    /// Words.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }
}

impl Table {
    /// A table without rows; the columns are their keys and names.
    #[must_use]
    pub fn new(key: &'static str, columns: &[(&'static str, &'static str)]) -> Self {
        let columns = columns.iter().map(|(key, name)| Column { key, name }).collect();
        Self { key, columns, rows: Vec::new() }
    }

    /// Adds a row, one of many.
    pub fn line(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row { cells, weight: Weight::Line });
    }

    /// Adds a row that sums up others.
    pub fn total(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row { cells, weight: Weight::Total });
    }
}

impl Cell {
    /// Words, a name or an id.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A moment, in RFC 3339 and UTC.
    #[must_use]
    pub fn moment(moment: Timestamp) -> Self {
        Self::Text(moment.to_string())
    }

    /// Words, or nothing.
    #[must_use]
    pub fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }
}

impl From<Amount> for Cell {
    fn from(amount: Amount) -> Self {
        Self::Amount(amount)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

/// What a cut asks for, beyond the number of records that the provenance names anyway: so a report
/// of the whole log is byte by byte the report of the longer log at that sequence.
#[must_use]
pub fn asked(cut: &Cut) -> Vec<(&'static str, String)> {
    let known = match cut.known {
        Known::All | Known::Sequence(_) => None,
        Known::RecordedAt(moment) => Some(("recorded by", moment.to_string())),
    };
    let happened = cut.happened.map(|moment| ("happened by", moment.to_string()));
    known.into_iter().chain(happened).collect()
}

/// What something was made from, by the names that JSON and CSV know: each version of the policy by
/// itself.
pub(crate) fn made_from(provenance: &Provenance) -> Vec<(&'static str, String)> {
    let facts = facts::made_from(provenance).into_iter().map(|fact| (fact.key, fact.value));
    facts.chain(facts::policies(provenance).into_iter().map(|policy| ("policy", policy))).collect()
}
