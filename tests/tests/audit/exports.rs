//! The four exports tell the same: read back by other programs' rules, each gives every book of every
//! account, and bean-check and hledger find nothing wrong with theirs. No text becomes more than text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use audit::{
    cut::{Cut, Known},
    export::{Form, Place, Query, export, name::decoded, place_book},
    reports::{Axis, layout::unguarded},
};
use domain::{
    decision::{CreditBook, Transfer},
    ids::{AccountId, Actor, IdempotencyKey, LedgerId, OperationId, Text},
    input::{Input, Order},
    record::Record,
};
use event_store::{
    log::{Append, EventLog},
    memory::MemoryLog,
};
use serde_json::Value;
use tallyhook_tests::{dice::Dice, environment, history::ledger, merchant::Merchant};

use crate::{drawn::drawn, made::Made};

const FORMS: [Form; 4] = [Form::Jsonl, Form::Csv, Form::Beancount, Form::Hledger];

const END: Query = Query { cut: Cut::END, axis: Axis::Recorded };

/// A book by asset (`credits` or a currency), name and account, in units of nine decimals: its
/// credits less its debits.
type Books = BTreeMap<(String, String, Option<String>), i128>;

fn exported(log: &dyn EventLog, ledger: &LedgerId, query: &Query, form: Form) -> String {
    let mut out = Vec::new();
    export(log, ledger, (query, form), &mut out, |_, _| ()).unwrap();
    String::from_utf8(out).unwrap()
}

fn post(books: &mut Books, asset: &str, (book, account): (&str, Option<&str>), units: i128) {
    let asset = if asset.starts_with("credits") || asset.starts_with("CREDITS") {
        "credits"
    } else {
        asset.trim_start_matches("money:")
    };
    let place = (asset.to_owned(), book.to_owned(), account.map(str::to_owned));
    *books.entry(place).or_default() += units;
}

/// An amount with nine decimals, without its point.
fn units(amount: &str) -> i128 {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    assert!(fraction.len() <= 9, "{amount}");
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

/// The books by the records themselves.
fn of_records<'r>(records: impl Iterator<Item = &'r Record>) -> Books {
    let mut books = Books::new();
    for transfer in records.flat_map(|record| &record.decision.transfers) {
        let (places, asset, moved) = match transfer {
            Transfer::Credits { debit, credit, amount } => {
                let places = [debit, credit].map(|book| Place::Credits(CreditBook::clone(book)));
                (places, "credits".to_owned(), amount.billionths())
            }
            Transfer::Money { debit, credit, currency, amount } => {
                let places = [debit, credit].map(|book| Place::Money(*book, *currency));
                let unit = 10_i128.pow(9 - u32::from(currency.decimals()));
                (places, currency.to_string(), i128::from(amount.get()) * unit)
            }
        };
        for (place, moved) in places.iter().zip([-moved, moved]) {
            let (book, account) = place_book(place);
            post(&mut books, &asset, (book, account.map(AccountId::as_str)), moved);
        }
    }
    books
}

fn of_jsonl(text: &str) -> Books {
    let mut books = Books::new();
    let mut lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let end = lines.pop().unwrap();
    for line in &lines {
        for transfer in line["transfers"].as_array().unwrap() {
            let amount = units(transfer["amount"].as_str().unwrap());
            for (side, moved) in [("debit", -amount), ("credit", amount)] {
                let place = &transfer[side];
                let book = (place["book"].as_str().unwrap(), place["account"].as_str());
                post(&mut books, transfer["asset"].as_str().unwrap(), book, moved);
            }
        }
    }
    let totals = end["end"]["totals"].as_array().unwrap().iter().map(|total| {
        let of = |key: &str| total[key].as_str().unwrap().to_owned();
        (of("asset"), of("book"), of("balance"))
    });
    agree(&books, totals);
    books
}

fn of_csv(text: &str) -> Books {
    let mut books = Books::new();
    let mut rows = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = rows.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|known| known == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let of = |row: &csv::StringRecord, name: &str| unguarded(&row[at(name)]);
    for row in rows.iter().filter(|row| &row[0] == "transfer") {
        let amount = units(&of(row, "amount"));
        for (side, moved) in [("debit", -amount), ("credit", amount)] {
            let account = of(row, &format!("{side}_account"));
            let account = Some(account).filter(|account| !account.is_empty());
            let book = of(row, &format!("{side}_book"));
            post(&mut books, &of(row, "asset"), (&book, account.as_deref()), moved);
        }
    }
    let totals = rows.iter().filter(|row| &row[0] == "total");
    agree(&books, totals.map(|row| (of(row, "asset"), of(row, "what"), of(row, "amount"))));
    assert_eq!(&rows.last().unwrap()[0], "end");
    books
}

/// The totals that an export tells are the sums of what it tells.
fn agree(books: &Books, totals: impl Iterator<Item = (String, String, String)>) {
    let mut told = Books::new();
    for (asset, book, balance) in totals {
        post(&mut told, &asset, (&book, None), units(&balance));
    }
    let mut summed = Books::new();
    for ((asset, book, _), moved) in books {
        post(&mut summed, asset, (book, None), *moved);
    }
    assert_eq!(told, summed);
}

/// Postings of beancount or hledger: `  Account  12.5 COMMODITY`, in which debits are positive.
fn of_postings(text: &str) -> Books {
    let mut books = Books::new();
    for line in text.lines().filter(|line| line.starts_with("  ") && line.contains(":Ledger-")) {
        let [account, amount] = line.trim().split("  ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let (amount, commodity) = amount.split_once(' ').unwrap();
        // Balances that are asserted move nothing.
        let commodity = commodity.split(' ').next().unwrap().trim_matches('"');
        let name: Vec<&str> = account.split(':').collect();
        let book = match name[2] {
            "WrittenOff" => "written_off".to_owned(),
            "ChargedBack" => "charged_back".to_owned(),
            plain => plain.to_lowercase(),
        };
        let account = name.get(3).map(|account| account.strip_prefix("Account-").unwrap());
        let account = account.map(|account| decoded(account).unwrap());
        post(&mut books, commodity, (&book, account.as_deref()), -units(amount));
    }
    books
}

/// All four exports, which must tell the same books.
fn check(log: &dyn EventLog, ledger: &LedgerId, query: &Query) -> [String; 4] {
    let records = log.scan(ledger, None, usize::MAX).unwrap();
    let counting = records.iter().map(|recorded| recorded.record());
    let expected = of_records(counting.filter(|record| query.cut.counts(record)));
    let texts = FORMS.map(|form| exported(log, ledger, query, form));
    let [jsonl, csv, beancount, hledger] = &texts;
    assert_eq!(of_jsonl(jsonl), expected);
    assert_eq!(of_csv(csv), expected);
    assert_eq!(of_postings(beancount), expected);
    assert_eq!(of_postings(hledger), expected);
    texts
}

#[test]
fn exports_of_random_courses_tell_the_same_books() {
    for seed in 0..200 {
        let (drawn, mut dice) = (drawn(seed), Dice::new(seed ^ 0xe9_90));
        let last = dice.pick(&drawn.records);
        let known =
            dice.pick(&[Known::All, Known::RecordedAt(last.recorded_at), Known::Sequence(7)]);
        let happened = dice.chance(30).then_some(last.recorded_at);
        let axis = dice.pick(&[Axis::Recorded, Axis::Happened]);
        let query = Query { cut: Cut { known, happened }, axis };
        check(&drawn.log, &ledger(), &query);
    }
}

/// Runs bean-check and hledger on exports; says so where they are missing.
fn accepted(folder: &Path, [_, _, beancount, hledger]: &[String; 4]) {
    let Some(tools) = environment::ledger_tools() else { return };
    let run = |program: &str, arguments: &[&str], file: &str| {
        let mut command = Command::new(tools.join(program));
        // hledger reads by the locale: any will do.
        let command = command.env("LC_ALL", "C").current_dir(folder);
        if program == "hledger" {
            command.args(["-f", file]).args(arguments)
        } else {
            command.arg(file)
        };
        let done = command.output().expect("the program starts");
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(done.status.success() && said == ["", ""], "{program}: {said:?}");
    };
    fs::write(folder.join("export.beancount"), beancount).unwrap();
    fs::write(folder.join("export.hledger"), hledger).unwrap();
    run("bean-check", &[], "export.beancount");
    run("hledger", &["check", "--strict", "ordereddates"], "export.hledger");
}

#[test]
fn other_programs_accept_a_merchants_ledger() {
    let made = Made::by(Merchant::new(11, 2_000).unwrap().with_exceptions());
    let folder = tempfile::tempdir().unwrap();
    accepted(folder.path(), &check(&*made.log, &made.ledger, &END));
}

#[test]
fn other_programs_find_an_amount_that_was_changed() {
    let Some(tools) = environment::ledger_tools() else { return };
    let made = Made::by(Merchant::new(12, 300).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for (form, program) in [(Form::Beancount, "bean-check"), (Form::Hledger, "hledger")] {
        let text = exported(&*made.log, &made.ledger, &END, form);
        // Both sides of one transaction, so that it still sums to zero.
        let place = text.find("Equity:Ledger-main:Sold  ").unwrap();
        let transaction = text[place..].lines().take(2).collect::<Vec<_>>().join("\n");
        let changed = text.replacen(&transaction, &transaction.replace("00 ", "01 "), 1);
        assert_ne!(text, changed);
        let file = folder.path().join(program);
        fs::write(&file, changed).unwrap();
        let mut command = Command::new(tools.join(program));
        let command = command.env("LC_ALL", "C");
        if form == Form::Hledger {
            command.arg("-f").arg(&file).args(["check"])
        } else {
            command.arg(&file)
        };
        let done = command.output().unwrap();
        assert!(!done.status.success(), "{program} accepted what was changed");
    }
}

/// Ids and reasons that would like to be a directive, a formula, a comment, a tag or another line.
const HOSTILE: [&str; 14] = [
    "=HYPERLINK(\"http://evil\",\"x\")",
    "x\";=1+1;\"",
    "a\n2026-01-01 open Assets:Evil",
    "a\r\n2026-01-01 * evil\n    Assets:Evil  1 USD\n    Assets:Evil2",
    "\"\n2026-01-01 balance Equity:Evil  7 USD\n; \"",
    "\\\" \\",
    "; date:2020-01-01, type:X",
    "include /etc/passwd",
    "a:b:c",
    "a  1 USD",
    "(virtual)",
    "Ünïcödé 客户 \u{202e}\u{1f4b0}",
    "-1",
    "@SUM(A1)\t=1",
];

/// A course's records, its accounts, keys, reasons and event types replaced by hostile ones.
fn hostile(seed: u64) -> Vec<Record> {
    let mut records = drawn(seed).records;
    let named = |account: &AccountId| {
        let known = ["alice", "bob", "ctm_1", "ctm_2"];
        let place = known.iter().position(|known| *known == account.as_str()).unwrap_or(4);
        let seed = usize::try_from(seed).unwrap();
        AccountId::new(HOSTILE[(place + 5 * seed) % HOSTILE.len()]).unwrap()
    };
    for (place, record) in records.iter_mut().enumerate() {
        let text = HOSTILE[place % HOSTILE.len()];
        for transfer in &mut record.decision.transfers {
            let Transfer::Credits { debit, credit, .. } = transfer else { continue };
            for book in [debit, credit] {
                if let CreditBook::Customer(account, _) = book {
                    *account = named(account);
                }
            }
        }
        match &mut record.input {
            Input::Delivery(delivery) => delivery.event_type = Some(text.into()),
            Input::Command(command) => {
                command.key = IdempotencyKey::new(text).unwrap();
                command.id = OperationId::of(&ledger(), &command.key);
                command.actor = Actor::new(text).unwrap();
                if let Order::ActivatePolicy { policy, .. } = &mut command.order {
                    let policy = std::sync::Arc::make_mut(policy);
                    policy.name = Text::new(text).unwrap();
                    policy.unit = Text::new(HOSTILE[0]).unwrap();
                } else if let Order::Grant { reason, .. } | Order::WriteOff { reason, .. } =
                    &mut command.order
                {
                    *reason = Text::new(text).unwrap();
                }
            }
        }
    }
    records
}

#[test]
fn hostile_texts_stay_texts() {
    let (mut seen, folder) = (BTreeSet::new(), tempfile::tempdir().unwrap());
    for seed in 0..24 {
        let log = MemoryLog::new();
        let append = |record: Record| Append { ledger: ledger(), record, body: [].into() };
        log.append(&hostile(seed).into_iter().map(append).collect::<Vec<_>>()).unwrap();
        let texts = check(&log, &ledger(), &END);
        let [jsonl, csv, beancount, hledger] = &texts;
        seen.extend(of_jsonl(jsonl).into_keys().filter_map(|(_, _, account)| account));
        no_formula(csv);
        for text in [beancount, hledger] {
            assert!(!text.contains('\r') && !text.contains('\u{202e}'));
            for line in text.lines() {
                assert!(line.is_empty() || is_ours(line), "{line}");
            }
        }
        assert!(hledger.is_ascii());
        if seed < 4 {
            accepted(folder.path(), &texts);
        }
    }
    assert!(seen.len() > 10, "{} hostile accounts have balances: {seen:?}", seen.len());
}

/// Whether a line begins as those do that exports write.
fn is_ours(line: &str) -> bool {
    let begins = |some: &[&str]| some.iter().any(|own| line.starts_with(own));
    if begins(&["option ", "; ", "  ", "decimal-mark ", "commodity "]) {
        return true;
    }
    let account = |name: &str| {
        let mut parts = name.split(' ').next().unwrap().split(':');
        let roots = ["Assets", "Equity", "Expenses", "Income", "Liabilities"];
        roots.contains(&parts.next().unwrap()) && parts.next() == Some("Ledger-main")
    };
    if let Some(name) = line.strip_prefix("account ") {
        return account(name);
    }
    let (date, directive) = line.split_once(' ').unwrap();
    let dated = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let (verb, rest) = directive.split_once(' ').unwrap();
    dated
        && match verb {
            "open" | "balance" => account(rest),
            "*" => true,
            "commodity" => !rest.contains(' '),
            _ => false,
        }
}

/// Every cell is a plain number, or begins no formula whatever a spreadsheet takes for a separator.
fn no_formula(text: &str) {
    let mut rows = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    for row in rows.records().map(Result::unwrap) {
        for cell in &row {
            let number = cell.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
            let parts = cell.split([',', ';', '\t', '|', '"', '\r', '\n']);
            let begins = |part: &str| part.trim_start().starts_with(['=', '+', '-', '@']);
            assert!(number || !parts.into_iter().any(begins), "{cell:?}");
        }
    }
}

#[test]
fn an_export_that_was_cut_short_shows() {
    let drawn = drawn(3);
    for (form, end) in FORMS.into_iter().zip(["{\"end\":", "end,", "; end", "; end"]) {
        let text = exported(&drawn.log, &ledger(), &END, form);
        assert!(text.lines().last().unwrap().starts_with(end), "{form:?}");
        let again = exported(&drawn.log, &ledger(), &END, form);
        assert_eq!(text, again, "{form:?}");
    }
}
