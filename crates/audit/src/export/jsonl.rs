//! Lines of JSON: one for each record that counts, and one at the end.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{
    End,
    books::{Moved, Place, amount, place_book},
    entry::Entry,
    name::Names,
};

pub(super) fn entry(out: &mut dyn Write, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
    let transfers = entry.transfers.iter().map(|transfer| {
        let moved = Moved::of(transfer);
        json!({
            "debit": book(&moved.debit),
            "credit": book(&moved.credit),
            "asset": names.asset(moved.asset),
            "amount": amount(moved.asset, moved.units).to_string(),
        })
    });
    let mut line = Map::new();
    line.insert("sequence".to_owned(), json!(entry.sequence));
    line.insert("what".to_owned(), json!(entry.what));
    line.extend(entry.words().map(|(name, text)| (name.to_owned(), Value::String(text))));
    line.insert("transfers".to_owned(), transfers.collect());
    writeln!(out, "{}", Value::Object(line))
}

fn book(place: &Place) -> Value {
    let (book, account) = place_book(place);
    match account {
        Some(account) => json!({"book": book, "account": account.as_str()}),
        None => json!({"book": book}),
    }
}

pub(super) fn end(out: &mut dyn Write, end: &End<'_>) -> io::Result<()> {
    let totals = end.books.totals().into_iter().map(|((asset, book), units)| {
        let balance = amount(asset, units).to_string();
        json!({"book": book, "asset": end.names.asset(asset), "balance": balance})
    });
    // A policy is told once for each version.
    let facts = end.facts.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let line = json!({"end": {
        "made_from": facts.collect::<Vec<_>>(),
        "totals": totals.collect::<Vec<_>>(),
    }});
    writeln!(out, "{line}")
}
