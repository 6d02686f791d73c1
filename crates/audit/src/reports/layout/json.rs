//! A document as JSON.

use serde_json::{Map, Value, json};

use super::{Block, Cell, Document, Row, Section, Table, Weight, facts};

pub(super) fn json(document: &Document) -> Value {
    let facts = facts::made_from(&document.provenance).into_iter();
    let mut provenance: Map<String, Value> =
        facts.map(|fact| (fact.key.to_owned(), Value::String(fact.value))).collect();
    provenance.insert("records".to_owned(), json!(document.provenance.records));
    let policies: Vec<Value> = document.provenance.policies.iter().map(policy).collect();
    provenance.insert("policies".to_owned(), Value::Array(policies));
    let query: Map<String, Value> = document
        .query
        .iter()
        .map(|(name, value)| (name.replace(' ', "_"), Value::String(value.clone())))
        .collect();
    json!({
        "title": document.title,
        "provenance": provenance,
        "query": query,
        "sections": document.sections.iter().map(section).collect::<Vec<_>>(),
    })
}

fn policy(policy: &crate::cut::PolicyInForce) -> Value {
    json!({
        "name": policy.name,
        "version": policy.version,
        "effective_from": policy.effective_from.to_string(),
        "activated": policy.activated.get(),
        "sha256": policy.file.to_string(),
    })
}

fn section(section: &Section) -> Value {
    let words: Vec<&str> = section
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Words(words) => Some(words.as_str()),
            Block::Table(_) | Block::Chart(_) => None,
        })
        .collect();
    let tables: Map<String, Value> = section
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Table(table) => Some((table.key.to_owned(), rows(table))),
            Block::Words(_) | Block::Chart(_) => None,
        })
        .collect();
    json!({"title": section.title, "words": words, "tables": tables})
}

fn rows(table: &Table) -> Value {
    Value::Array(table.rows.iter().map(|row| named(table, row)).collect())
}

fn named(table: &Table, row: &Row) -> Value {
    let cells = table.columns.iter().zip(&row.cells);
    let mut named: Map<String, Value> =
        cells.map(|(column, cell)| (column.key.to_owned(), value(cell))).collect();
    if row.weight == Weight::Total {
        named.insert("is_total".to_owned(), Value::Bool(true));
    }
    Value::Object(named)
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(text) => Value::String(text.clone()),
        Cell::Count(count) => json!(count),
        Cell::Amount(amount) => Value::String(amount.to_string()),
    }
}
