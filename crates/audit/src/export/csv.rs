//! CSV (RFC 4180): a row for each transfer, then the totals of the books, what it was made from, and
//! a last row that says that it is whole.
//!
//! Texts stand in quotes and are guarded, numbers stand bare: see [`crate::reports::layout`].

use std::io::{self, Write};

use super::{
    End,
    books::{Moved, amount, place_book},
    entry::Entry,
    name::Names,
};
use crate::reports::layout::quoted;

const COLUMNS: &str = "kind,sequence,recorded_at,happened_at,what,reference,payment,note,\
                       debit_book,debit_account,credit_book,credit_account,asset,amount,chain";

/// The cells between the note and the asset, and behind the amount, of a row that is no transfer.
const NO_BOOKS: &str = ",,,,";

pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{COLUMNS}\r\n")
}

pub(super) fn entry(out: &mut dyn Write, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
    let moment = |moment: domain::time::Timestamp| quoted(&moment.to_string());
    let before = format!(
        "transfer,{},{},{},{},{},{},{}",
        entry.sequence,
        moment(entry.recorded_at),
        moment(entry.happened_at),
        quoted(&entry.what),
        quoted(&entry.reference),
        quoted(entry.payment.as_deref().unwrap_or("")),
        quoted(entry.note.unwrap_or("")),
    );
    for transfer in entry.transfers {
        let moved = Moved::of(transfer);
        write!(out, "{before}")?;
        for place in [&moved.debit, &moved.credit] {
            let (book, account) = place_book(place);
            let account = account.map_or("", |account| account.as_str());
            write!(out, ",{},{}", quoted(book), quoted(account))?;
        }
        let asset = quoted(&names.asset(moved.asset));
        let amount = amount(moved.asset, moved.units);
        write!(out, ",{asset},{amount},{}\r\n", quoted(&entry.chain))?;
    }
    Ok(())
}

pub(super) fn end(out: &mut dyn Write, end: &End<'_>) -> io::Result<()> {
    for ((asset, book), units) in end.books.totals() {
        let (book, name) = (quoted(book), quoted(&end.names.asset(asset)));
        let balance = amount(asset, units);
        write!(out, "total,,,,{book},,,{NO_BOOKS},{name},{balance},\r\n")?;
    }
    for (name, value) in &end.facts {
        let (name, value) = (quoted(name), quoted(value));
        write!(out, "made_from,,,,{name},,,{value}{NO_BOOKS},,,\r\n")?;
    }
    write!(out, "end,,,,,,,{NO_BOOKS},,,\r\n")
}
