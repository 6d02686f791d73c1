//! A journal for hledger, in which debits are positive and every transaction sums to zero.
//!
//! Everything is ASCII, since hledger reads by the locale, and of what others wrote only letters,
//! digits and a few marks stand as they are, the other bytes as `%` and two digits: so no text can
//! become a comment, a tag that sets a date, or a line of its own. Accounts and commodities are
//! declared, and a last transaction asserts what every account must have: `hledger check` adds up
//! on its own.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{self, Write},
};

use domain::calendar::Day;

use super::{
    End,
    books::{Asset, Moved, amount},
    entry::Entry,
    name::{Names, decimals},
};
use crate::reports::amount::Amount;

/// The tags that we wrote ourselves, which need no other alphabet.
const MOMENTS: [&str; 2] = ["recorded", "happened"];

pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "decimal-mark .")
}

pub(super) fn entry(out: &mut dyn Write, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
    if entry.transfers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} * ({}) {}", entry.day, entry.sequence, plain(&entry.what))?;
    for (name, words) in entry.words() {
        let words = if MOMENTS.contains(&name) { words } else { plain(&words) };
        writeln!(out, "    ; {name}: {words}")?;
    }
    for transfer in entry.transfers {
        let moved = Moved::of(transfer);
        let commodity = names.commodity(moved.asset);
        for (place, units) in [(&moved.debit, moved.units), (&moved.credit, -moved.units)] {
            let amount = amount(moved.asset, units);
            writeln!(out, "    {}  {amount} \"{commodity}\"", names.account(place))?;
        }
    }
    Ok(())
}

pub(super) fn end(out: &mut dyn Write, end: &End<'_>) -> io::Result<()> {
    let places = end.books.kept.keys();
    let accounts: BTreeSet<String> = places.clone().map(|place| end.names.account(place)).collect();
    let assets: BTreeSet<Asset> = places.map(super::books::Place::asset).collect();
    writeln!(out)?;
    for asset in assets {
        // With a point and all decimals, so that a number is read in one way only.
        let sample = Amount::new(0, decimals(asset));
        let point = if decimals(asset) == 0 { "." } else { "" };
        writeln!(out, "commodity {sample}{point} \"{}\"", end.names.commodity(asset))?;
        if asset == Asset::Credits {
            writeln!(out, "  ; unit: {}", plain(end.names.unit()))?;
        }
    }
    for account in accounts {
        writeln!(out, "account {account}")?;
    }
    if let Some(day) = end.books.last.map(|last| last.tomorrow().unwrap_or(last)) {
        balances(out, end, day)?;
    }
    for (name, value) in &end.facts {
        writeln!(out, "; {name}: {}", printed(value))?;
    }
    writeln!(out, "; end")
}

/// A transaction that moves nothing and says what is there.
fn balances(out: &mut dyn Write, end: &End<'_>, day: Day) -> io::Result<()> {
    writeln!(out, "\n{day} * balances")?;
    for (place, kept) in &end.books.kept {
        let (asset, account) = (place.asset(), end.names.account(place));
        let (balance, commodity) = (amount(asset, -kept.units), end.names.commodity(asset));
        writeln!(out, "    {account}  0 \"{commodity}\" = {balance} \"{commodity}\"")?;
    }
    writeln!(out)
}

/// A text of letters, digits and `._~/-`, the other bytes as `%` and two digits.
fn plain(text: &str) -> String {
    with(text, |byte| byte.is_ascii_alphanumeric() || b"._~/-".contains(&byte))
}

/// A text that can stand in a line that is a comment as a whole.
fn printed(text: &str) -> String {
    with(text, |byte| (byte.is_ascii_graphic() && byte != b'%') || byte == b' ')
}

/// A text of the bytes that are allowed, the others as `%` and two digits.
fn with(text: &str, allowed: fn(u8) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for byte in text.bytes() {
        if allowed(byte) {
            plain.push(char::from(byte));
        } else {
            let _ = write!(plain, "%{byte:02X}");
        }
    }
    plain
}
