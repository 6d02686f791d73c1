//! A document for a spreadsheet.
//!
//! Tables follow each other, each under a line with its key and one with its columns' keys, an empty
//! line between them; the first two say what the document was made from and what was asked. Lines
//! end with CR LF (RFC 4180).
//!
//! Every text stands in quotes and is guarded, so that it is no formula in any spreadsheet, whatever
//! separator that one takes (OWASP, "CSV injection"). Numbers stand bare: they are made here of
//! digits, one point and a minus sign alone, so they are numbers to a spreadsheet and nothing else.

use super::{Block, Cell, Document, Table, made_from};

/// What ends a line.
const END: &str = "\r\n";

pub(super) fn csv(document: &Document) -> String {
    let mut csv = String::new();
    named(&mut csv, "document", &[("title", document.title.clone())]);
    csv.push_str(END);
    named(&mut csv, "provenance", &made_from(&document.provenance));
    csv.push_str(END);
    named(&mut csv, "query", &document.query);
    for section in &document.sections {
        for block in &section.blocks {
            if let Block::Table(content) = block {
                csv.push_str(END);
                line(&mut csv, [quoted("table"), quoted(content.key), quoted(&section.title)]);
                table(&mut csv, content);
            }
        }
    }
    csv
}

/// A table of names and values.
fn named(csv: &mut String, key: &str, values: &[(&str, String)]) {
    line(csv, [quoted("table"), quoted(key)]);
    line(csv, [quoted("name"), quoted("value")]);
    for (name, value) in values {
        line(csv, [quoted(name), quoted(value)]);
    }
}

fn table(csv: &mut String, table: &Table) {
    line(csv, table.columns.iter().map(|column| quoted(column.key)));
    for row in &table.rows {
        line(csv, row.cells.iter().map(cell));
    }
}

/// A line of cells that are ready.
fn line(csv: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    csv.push_str(&cells.join(","));
    csv.push_str(END);
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => quoted(text),
        Cell::Count(count) => count.to_string(),
        Cell::Amount(amount) => amount.to_string(),
    }
}

/// A text as a cell: guarded, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", guarded(text).replace('"', "\"\""))
}

/// A text that no spreadsheet takes for a formula.
///
/// An apostrophe goes wherever a cell could begin, at the start and behind what some spreadsheet
/// may take for a separator, a quote or a line's end, if what follows there could begin a formula.
/// [`unguarded`] takes exactly these away.
#[must_use]
pub fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for (at, character) in text.char_indices() {
        if begins && needs_guard(text.get(at..).unwrap_or("")) {
            guarded.push(GUARD);
        }
        guarded.push(character);
        begins = is_boundary(character);
    }
    guarded
}

/// The text that [`guarded`] was given.
#[must_use]
pub fn unguarded(guarded: &str) -> String {
    let mut text = String::with_capacity(guarded.len());
    let mut begins = true;
    for character in guarded.chars() {
        if begins && character == GUARD {
            begins = false;
            continue;
        }
        text.push(character);
        begins = is_boundary(character);
    }
    text
}

/// What makes a spreadsheet take a cell for text.
const GUARD: char = '\'';

/// Whether a cell may begin behind this character, by some spreadsheet's settings.
fn is_boundary(character: char) -> bool {
    matches!(character, ',' | ';' | '|' | ':' | '"') || character.is_control()
}

/// Whether what stands here could begin a formula, or would be taken for a guard.
fn needs_guard(rest: &str) -> bool {
    let first = rest.chars().next();
    let begins = rest.trim_start_matches(|character: char| {
        character.is_whitespace() || super::text::is_command(character)
    });
    let formula = |character| {
        matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '−' | '%' | '|')
    };
    first == Some(GUARD)
        || first.is_some_and(char::is_control)
        || begins.chars().next().is_some_and(formula)
}
