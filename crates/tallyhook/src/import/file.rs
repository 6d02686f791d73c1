//! A file to import, read whole. The library for CSV is named here and nowhere else.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};
use domain::{credits::CREDITS_MAX, holding::Pair, ids::PaymentId};

use super::{
    fault::Fault,
    row::{self, Balance, Column, Measure, Row, Texts},
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
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.byte_records();
    let header = records.next().and_then(Result::ok).unwrap_or_default();
    let columns = columns(&header, &mut read.faults);
    for record in records {
        // Reading from memory never fails, and flexible lengths are no fault of the reader's.
        let Ok(record) = record else { break };
        line(&record, header.len(), &columns, measure, &mut read);
    }
    if read.rows.is_empty() && read.faults.is_empty() {
        let remedy = "write one payment or gift on each line after the first";
        read.faults.push(Fault::of(1, "the file has no lines to import", remedy));
    }
    repeated(&mut read);
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

fn line(
    record: &ByteRecord,
    fields: usize,
    columns: &BTreeMap<Column, usize>,
    measure: Measure,
    read: &mut Read,
) {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != fields {
        let (found, remedy) = (record.len(), "write a field, if an empty one, for every column");
        let problem = format!("has {found} fields, the first line has {fields}");
        read.faults.push(Fault::of(line, problem, remedy));
        return;
    }
    let mut texts = BTreeMap::new();
    for (column, place) in columns {
        match std::str::from_utf8(record.get(*place).unwrap_or_default()) {
            Ok(text) => {
                texts.insert(*column, text);
            }
            Err(_) => {
                let remedy = "save the file as UTF-8";
                read.faults.push(Fault::at(line, *column, "is not UTF-8", remedy));
            }
        }
    }
    if texts.len() < columns.len() {
        return;
    }
    let missing = |column: Column| column.is_optional().then_some("");
    let text = move |column: Column| texts.get(&column).copied().or_else(|| missing(column));
    let texts = Texts { line, text: Box::new(text) };
    if let Some(row) = row::read(&texts, measure, &mut read.faults) {
        read.rows.push(row);
    }
}

/// A payment stands on one line. A line that is faulty itself is told again once it is right.
fn repeated(read: &mut Read) {
    let mut first: BTreeMap<&PaymentId, u64> = BTreeMap::new();
    for row in &read.rows {
        let Balance::Payment(payment) = &row.balance else { continue };
        if let Some(line) = first.get(&payment.id) {
            let problem = format!("is that of line {line}");
            let remedy = "write each payment once";
            read.faults.push(Fault::at(row.line, Column::Payment, problem, remedy));
        } else {
            first.insert(&payment.id, row.line);
        }
    }
}

fn summed(read: &mut Read) {
    for row in &read.rows {
        let left = row.left();
        let sum = |sum: Pair| {
            Some(Pair { paid: sum.paid.plus(left.paid).ok()?, gift: sum.gift.plus(left.gift).ok()? })
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
