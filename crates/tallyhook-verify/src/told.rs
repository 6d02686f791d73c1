//! What was found, in words and in JSON.

use proof::{
    bundle::{Books, Statement},
    checkpoint::Checkpoint,
    leaf::{Leaf, Movement},
    statement::Sums,
    verdict::Verdict,
};
use serde_json::{Value, json};

use crate::checked::{Checked, OfFile};

/// What no bundle proves, whatever holds.
pub(crate) const LIMITS: &str = "\
What this does not prove:
- that a record is true: only that it was in the log when the checkpoint was signed, and what it moved;
- that a statement has all records of the account: one that was left out is found only where its
  sums no longer fit, so ask for the statement again at a later checkpoint and compare, or let an
  auditor replay the log;
- anything after the checkpoint;
- that everybody was shown the same checkpoint: compare yours with what others have.
Nothing here proves more than the key: get it by another way than the files.";

/// In words.
pub(crate) fn to_people(results: &[OfFile]) -> String {
    let mut lines = Vec::new();
    for (file, result) in results {
        match result {
            Ok(checked) => {
                lines.push(format!("{}: holds", plain(file)));
                lines.extend(holding(checked).into_iter().map(|line| format!("  {line}")));
            }
            Err(why) => lines.push(format!("{}: DOES NOT HOLD: {}", plain(file), plain(why))),
        }
    }
    lines.push(String::new());
    lines.push(LIMITS.to_owned());
    lines.join("\n")
}

/// In JSON.
pub(crate) fn to_machines(results: &[OfFile]) -> String {
    let files = results.iter().map(|(file, result)| match result {
        Ok(Checked::Checkpoint(checkpoint)) => json!({
            "file": file, "ok": true, "checkpoint": listed(checkpoint), "older": null,
            "records": [], "statement": null,
        }),
        Ok(Checked::Bundle(verdict)) => json!({
            "file": file,
            "ok": true,
            "checkpoint": listed(verdict.checkpoint()),
            "older": verdict.older().map(listed),
            "records": verdict.records(),
            "statement": verdict.statement().map(|(statement, sums)| {
                stated(statement, verdict.records(), sums)
            }),
        }),
        Err(why) => json!({"file": file, "ok": false, "reason": why}),
    });
    let files: Vec<Value> = files.collect();
    let holds = results.iter().all(|(_, result)| result.is_ok());
    json!({"ok": holds, "files": files, "limits": LIMITS}).to_string()
}

fn listed(checkpoint: &Checkpoint) -> Value {
    json!({
        "origin": checkpoint.origin,
        "records": checkpoint.size,
        "root": checkpoint.root.to_string(),
    })
}

fn stated(statement: &Statement, records: &[Leaf], sums: &[Sums]) -> Value {
    let lines = records.iter().zip(sums).map(|(leaf, sums)| {
        json!({
            "sequence": leaf.sequence, "recorded_at": leaf.recorded_at, "books": sums.books(),
        })
    });
    json!({
        "account": statement.account,
        "opening": statement.opening,
        "closing": statement.closing,
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn holding(checked: &Checked) -> Vec<String> {
    let verdict = match checked {
        Checked::Checkpoint(checkpoint) => return vec![signed(checkpoint)],
        Checked::Bundle(verdict) => verdict,
    };
    let mut lines = vec![signed(verdict.checkpoint())];
    if let Some(older) = verdict.older() {
        lines.push(format!(
            "Its log goes on from the signed checkpoint of {} records: none of those was changed, \
             removed or inserted since.",
            older.size
        ));
    }
    match verdict.statement() {
        Some((statement, sums)) => lines.extend(statement_lines(verdict, statement, sums)),
        None => lines.extend(verdict.records().iter().flat_map(record_lines)),
    }
    lines
}

fn signed(checkpoint: &Checkpoint) -> String {
    format!(
        "The log {} had {} records when it was signed, root {}.",
        plain(&checkpoint.origin),
        checkpoint.size,
        checkpoint.root
    )
}

fn record_lines(leaf: &Leaf) -> Vec<String> {
    let moved = if leaf.movements.is_empty() { "moved nothing" } else { "moved:" };
    let mut lines = vec![format!(
        "Record {} of {} is in it, and {moved}",
        leaf.sequence,
        plain(&leaf.recorded_at)
    )];
    lines.extend(leaf.movements.iter().map(movement_line));
    lines
}

fn movement_line(movement: &Movement) -> String {
    let what = match &movement.currency {
        Some(currency) => format!("{} minor units of {}", plain(&movement.amount), plain(currency)),
        None => format!("{} credits", plain(&movement.amount)),
    };
    format!("  {what} from {} to {}", plain(&movement.from), plain(&movement.to))
}

fn statement_lines(verdict: &Verdict, statement: &Statement, sums: &[Sums]) -> Vec<String> {
    let Statement { account, opening, closing } = statement;
    let earlier = usize::try_from(opening.records).unwrap_or(usize::MAX);
    let mut lines = vec![
        format!("Statement of account {}: its sums hold.", plain(account)),
        format!("  opening, after {} earlier records: {}", opening.records, books(&opening.books)),
    ];
    let entries = verdict.records().iter().zip(sums).skip(earlier);
    lines.extend(entries.map(|(leaf, sums)| {
        let at = plain(&leaf.recorded_at);
        format!("  {at} record {}: then {}", leaf.sequence, books(&sums.books()))
    }));
    lines.push(format!("  closing: {}", books(&closing.books)));
    lines
}

fn books(books: &Books) -> String {
    let Books { paid, gift, held, owed, written_off } = books;
    format!("paid {paid}, gift {gift}, held {held}, owed {owed}, written off {written_off}")
}

/// A text on one line, whatever is in it: it comes from a file, and goes to a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(char::escape_debug)
        .collect::<String>()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}
