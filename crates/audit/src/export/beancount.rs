//! A ledger for beancount, in which debits are positive and every transaction sums to zero.
//!
//! Accounts are opened behind the transactions, since beancount sorts by date, and the last lines
//! say what every account must have: `bean-check` adds up on its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use domain::calendar::Day;

use super::{
    End,
    books::{Asset, Moved, amount},
    entry::Entry,
    name::Names,
};

pub(super) fn head(out: &mut dyn Write, names: &Names) -> io::Result<()> {
    writeln!(out, "option \"title\" {}", text(&format!("Tallyhook {}", names.ledger())))
}

pub(super) fn entry(out: &mut dyn Write, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
    if entry.transfers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} * {}", entry.day, text(&entry.what))?;
    writeln!(out, "  sequence: {}", entry.sequence)?;
    for (name, words) in entry.words() {
        writeln!(out, "  {name}: {}", text(&words))?;
    }
    for transfer in entry.transfers {
        let moved = Moved::of(transfer);
        let commodity = names.commodity(moved.asset);
        for (place, units) in [(&moved.debit, moved.units), (&moved.credit, -moved.units)] {
            let amount = amount(moved.asset, units);
            writeln!(out, "  {}  {amount} {commodity}", names.account(place))?;
        }
    }
    Ok(())
}

pub(super) fn end(out: &mut dyn Write, end: &End<'_>) -> io::Result<()> {
    let mut accounts: BTreeMap<String, (Day, BTreeSet<String>)> = BTreeMap::new();
    let mut assets: BTreeMap<Asset, Day> = BTreeMap::new();
    for (place, kept) in &end.books.kept {
        let account = accounts.entry(end.names.account(place));
        let (first, commodities) = account.or_insert((kept.first, BTreeSet::new()));
        *first = kept.first.min(*first);
        commodities.insert(end.names.commodity(place.asset()));
        let since = assets.entry(place.asset()).or_insert(kept.first);
        *since = kept.first.min(*since);
    }
    writeln!(out)?;
    for (asset, since) in assets {
        writeln!(out, "{since} commodity {}", end.names.commodity(asset))?;
        if asset == Asset::Credits {
            writeln!(out, "  unit: {}", text(end.names.unit()))?;
        }
    }
    for (account, (first, commodities)) in accounts {
        let commodities: Vec<String> = commodities.into_iter().collect();
        writeln!(out, "{first} open {account} {}", commodities.join(","))?;
    }
    // A balance is that of the day's beginning.
    if let Some(day) = end.books.last.and_then(Day::tomorrow) {
        for (place, kept) in &end.books.kept {
            let (asset, account) = (place.asset(), end.names.account(place));
            let (balance, commodity) = (amount(asset, -kept.units), end.names.commodity(asset));
            writeln!(out, "{day} balance {account}  {balance} ~ 0 {commodity}")?;
        }
    }
    for (name, value) in &end.facts {
        writeln!(out, "; {name}: {}", plain(value))?;
    }
    writeln!(out, "; end")
}

/// A text in quotes, on one line.
fn text(text: &str) -> String {
    let text = plain(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// A text without what ends a line or can't be seen.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if crate::reports::layout::is_command(character) {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}
