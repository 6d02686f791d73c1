//! A file to import, read whole. The library for CSV is named here and nowhere else.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};
use domain::{credits::CREDITS_MAX, holding::Pair};

use super::{
    fault::Fault,
    row::{self, Column, Measure, Row, Texts},
};

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The lines with nothing wrong in themselves.
    pub(super) rows: Vec<Row>,
    /// Everything that is wrong, in the order of the lines.
    pub(super) faults: Vec<Fault>,
    /// What is left, by kind.
    pub(super) left: Pair,
}

/// Reads a file and says everything that is wrong with it.
pub(super) fn read(bytes: &[u8], measure: Measure) -> Read {
    let mut read = Read { rows: Vec::new(), faults: Vec::new(), left: Pair::ZERO };
    if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        let remedy = "close every quote, and double those inside a field";
        read.faults.push(Fault::of(1, "the file has a quote that is never closed", remedy));
    }
    // Lines of other lengths are told as faults, not as the end of the file.
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.byte_records();
    let header = records.next().and_then(Result::ok).unwrap_or_default();
    let columns = columns(&header, &mut read.faults);
    let fields = header.len();
    let mut lines = Lines { columns, fields, measure, payments: BTreeMap::new() };
    let mut counted = Counted { bytes, passed: 0, line: 1 };
    // Reading from memory never fails, and flexible lengths are no fault of the reader's.
    for record in records.map_while(Result::ok) {
        lines.take(&record, counted.line_of(&record), &mut read);
    }
    if read.rows.is_empty() && read.faults.is_empty() {
        let remedy = "write one payment or gift on each line after the first";
        read.faults.push(Fault::of(1, "the file has no lines to import", remedy));
    }
    summed(&mut read);
    read.faults.sort_by_key(|fault| fault.line);
    read
}

/// Which columns there are, and where.
fn columns(header: &ByteRecord, faults: &mut Vec<Fault>) -> BTreeMap<Column, usize> {
    let mut columns = BTreeMap::new();
    for (place, name) in header.iter().enumerate() {
        let number = place.saturating_add(1);
        let known = Column::ALL.into_iter().find(|column| column.name().as_bytes() == name);
        match known {
            Some(column) if columns.contains_key(&column) => {
                faults.push(Fault::at(1, column, "is there twice", "leave one of them out"));
            }
            Some(column) => {
                columns.insert(column, place);
            }
            None => {
                let problem = format!("column {number} is unknown");
                let remedy = format!("leave it out, or name it one of {}", names(Column::ALL));
                faults.push(Fault::of(1, problem, remedy));
            }
        }
    }
    let lacking = |column: &Column| !column.is_optional() && !columns.contains_key(column);
    for column in Column::ALL.into_iter().filter(lacking) {
        let remedy = "name it in the first line; columns are separated by commas";
        faults.push(Fault::at(1, column, "is missing", remedy));
    }
    columns
}

fn names(columns: impl IntoIterator<Item = Column>) -> String {
    columns.into_iter().map(Column::name).collect::<Vec<_>>().join(", ")
}

/// What lines are read by.
struct Lines {
    columns: BTreeMap<Column, usize>,
    /// How many fields each must have.
    fields: usize,
    measure: Measure,
    /// Where each payment stands first.
    payments: BTreeMap<String, u64>,
}

impl Lines {
    fn take(&mut self, record: &ByteRecord, line: u64, read: &mut Read) {
        let before = read.faults.len();
        if record.len() != self.fields {
            let problem =
                format!("has {} fields, the first line has {}", record.len(), self.fields);
            let remedy = "write a field, if an empty one, for every column";
            read.faults.push(Fault::of(line, problem, remedy));
            return;
        }
        let mut texts = BTreeMap::new();
        for (column, place) in &self.columns {
            if let Ok(text) = std::str::from_utf8(record.get(*place).unwrap_or_default()) {
                texts.insert(*column, text);
            } else {
                let remedy = "save the file as UTF-8";
                read.faults.push(Fault::at(line, *column, "is not UTF-8", remedy));
            }
        }
        if let Some(payment) = texts.get(&Column::Payment).filter(|text| !text.is_empty()) {
            self.once(payment, line, &mut read.faults);
        }
        let row = row::read(Texts { line, texts }, self.measure, &mut read.faults);
        if read.faults.len() == before {
            read.rows.extend(row);
        }
    }

    /// A payment stands on one line.
    fn once(&mut self, payment: &str, line: u64, faults: &mut Vec<Fault>) {
        if let Some(first) = self.payments.get(payment) {
            let problem = format!("is that of line {first}");
            faults.push(Fault::at(line, Column::Payment, problem, "write each payment once"));
        } else {
            self.payments.insert(payment.to_owned(), line);
        }
    }
}

/// Counts lines as an editor does: the library's own count misses those that end with a carriage
/// return, and blank ones before a record.
struct Counted<'b> {
    bytes: &'b [u8],
    /// How many bytes were looked at.
    passed: usize,
    /// The line of the next one, from 1.
    line: u64,
}

impl Counted<'_> {
    /// The line on which a record begins, which is not before the last one asked for.
    fn line_of(&mut self, record: &ByteRecord) -> u64 {
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.passed) {
            // Line ends between records are told to stand before the next one.
            if self.passed >= start && !matches!(byte, b'\n' | b'\r') {
                break;
            }
            self.passed = self.passed.saturating_add(1);
            let ends =
                *byte == b'\n' || (*byte == b'\r' && self.bytes.get(self.passed) != Some(&b'\n'));
            if ends {
                self.line = self.line.saturating_add(1);
            }
        }
        self.line
    }
}

fn summed(read: &mut Read) {
    for row in &read.rows {
        let left = row.left();
        let sum = |sum: Pair| {
            Some(Pair {
                paid: sum.paid.plus(left.paid).ok()?,
                gift: sum.gift.plus(left.gift).ok()?,
            })
        };
        if let Some(sum) = sum(read.left) {
            read.left = sum;
        } else {
            let problem = "what is left on all lines adds up to too much";
            let remedy = format!("check the amounts; a ledger has at most {CREDITS_MAX} credits");
            read.faults.push(Fault::of(row.line, problem, remedy));
            return;
        }
    }
}
