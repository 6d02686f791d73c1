//! What a file must be, fault by fault.

use domain::{credits::Credits, time::Timestamp};

use super::{
    Keys,
    file::{self, Read},
    row::{Balance, Column, Measure},
};

const HEADER: &str =
    "account,payment,paid_at,currency,amount,tax,paid_granted,paid_left,gift_granted,gift_left";

/// A good line.
const LINE: &str = "alice,txn_1,2025-01-31T12:00:00+08:00,USD,10.00,2,1000,400,100,25";

/// A gift that no payment stands for.
const GIFT: &str = "bob,,,,,,0,0,20,5.5";

fn read(text: impl AsRef<[u8]>) -> Read {
    let now = Timestamp::parse("2026-09-01T00:00:00Z").unwrap();
    file::read(text.as_ref(), Measure { decimals: 2, now })
}

fn lines(lines: &[&str]) -> Read {
    read(format!("{HEADER}\n{}\n", lines.join("\n")))
}

/// The good line with another text in one column.
fn with(column: Column, text: &str) -> String {
    changed(LINE, column, text)
}

fn changed(line: &str, column: Column, text: &str) -> String {
    let place = HEADER.split(',').position(|name| name == column.name()).unwrap();
    let mut fields: Vec<&str> = line.split(',').collect();
    fields[place] = text;
    fields.join(",")
}

/// What is told, each with a remedy.
fn told(read: &Read) -> Vec<(u64, Option<Column>, &str)> {
    assert!(read.faults.iter().all(|fault| !fault.remedy.is_empty()), "{read:?}");
    let each = read.faults.iter();
    each.map(|fault| (fault.line, fault.column, fault.problem.as_str())).collect()
}

fn credits(text: &str) -> Credits {
    Credits::parse(text, 9).unwrap()
}

#[test]
fn a_good_file_is_read_as_it_is_written() {
    let read = lines(&[LINE, GIFT]);
    assert_eq!(read.faults, []);
    assert_eq!((read.left.paid, read.left.gift), (credits("400"), credits("30.5")));
    let [payment, gift] = read.rows.as_slice() else { panic!("{read:?}") };
    assert_eq!((payment.line, payment.account.as_str()), (2, "alice"));
    let Balance::Payment(paid) = &payment.balance else { panic!("{payment:?}") };
    assert_eq!(paid.id.as_str(), "txn_1");
    assert_eq!(paid.paid_at.to_string(), "2025-01-31T04:00:00Z");
    assert_eq!((paid.net.get(), paid.tax.get()), (1_000, 200));
    assert_eq!((paid.granted.paid, paid.granted.gift), (credits("1000"), credits("100")));
    assert_eq!((paid.left.paid, paid.left.gift), (credits("400"), credits("25")));
    assert_eq!((gift.line, gift.account.as_str()), (3, "bob"));
    assert_eq!(gift.balance, Balance::Gift(credits("5.5")));
}

#[test]
fn columns_stand_in_any_order_and_some_may_lack() {
    let text = "paid_left,amount,account,currency,payment,paid_granted,paid_at\n\
                0,500,alice,JPY,txn_1,5,2025-01-31T12:00:00Z\n";
    let read = read(text);
    assert_eq!(read.faults, []);
    let Balance::Payment(paid) = &read.rows[0].balance else { panic!("{read:?}") };
    assert_eq!((paid.net.get(), paid.tax.get()), (500, 0));
    assert_eq!((paid.left.paid, paid.granted.gift), (Credits::ZERO, Credits::ZERO));
}

#[test]
fn a_spreadsheets_marks_quotes_and_line_ends_do_not_matter() {
    let quoted = LINE.replace("alice", "\"alice \"\"the\"\" first, of two\"");
    for mark in ["", "\u{feff}"] {
        for end in ["\n", "\r\n", "\r"] {
            let read = read(format!("{mark}{HEADER}{end}{quoted}{end}{end}{GIFT}"));
            assert_eq!(read.faults, [], "{end:?}");
            assert_eq!(read.rows[0].account.as_str(), "alice \"the\" first, of two");
            let lines: Vec<u64> = read.rows.iter().map(|row| row.line).collect();
            assert_eq!(lines, [2, 4], "{mark:?} {end:?}");
        }
    }
}

#[test]
fn every_fault_of_a_field_is_named_with_its_line() {
    let long = "x".repeat(300);
    for (column, text, problem) in [
        (Column::Account, "", "is empty"),
        (Column::Account, &long, "must have at most 128 bytes"),
        (Column::Account, " alice", "has blanks around it"),
        (Column::Account, "ali\tce", "has a line break or another control character"),
        (Column::Payment, &long, "must have at most 255 bytes"),
        (Column::PaidAt, "", "is empty"),
        (Column::PaidAt, "2025-01-31", "is no moment in RFC 3339"),
        (Column::PaidAt, "2025-01-31T12:00:00", "is no moment in RFC 3339"),
        (Column::PaidAt, "31.01.2025", "is no moment in RFC 3339"),
        (Column::PaidAt, "2026-09-01T00:00:01Z", "is in the future"),
        (Column::Currency, "", "is empty"),
        (Column::Currency, "usd", "is no currency that the ledger knows"),
        (Column::Currency, "XBT", "is no currency that the ledger knows"),
        (Column::Amount, "", "is empty"),
        (Column::Amount, "0", "is zero"),
        (Column::Amount, "-1", "is no plain decimal number"),
        (Column::Amount, "1e3", "is no plain decimal number"),
        (Column::Amount, "$10", "is no plain decimal number"),
        (Column::Amount, "10.005", "has more decimals than USD, which has 2"),
        (Column::Amount, "99999999999999999999", "is too large"),
        (Column::Tax, "x", "is no plain decimal number"),
        (Column::Tax, "0.001", "has more decimals than USD, which has 2"),
        (Column::PaidGranted, "", "is empty"),
        (Column::PaidGranted, "many", "is no plain decimal number"),
        (
            Column::PaidGranted,
            "1000.001",
            "has more decimals than the ledger's credits, which have 2",
        ),
        (Column::PaidGranted, "1000000000000001", "is too large"),
        (Column::PaidGranted, "399.99", "is above paid_granted"),
        (Column::PaidLeft, "", "is empty"),
        (Column::PaidLeft, "-1", "is below zero"),
        (Column::PaidLeft, "1000.01", "is above paid_granted"),
        (Column::GiftGranted, "24", "is above gift_granted"),
        (Column::GiftGranted, "", "is above gift_granted"),
        (Column::GiftLeft, "101", "is above gift_granted"),
        (Column::GiftLeft, "-0.01", "is below zero"),
    ] {
        let read = lines(&[LINE.replace("txn_1", "txn_0").as_str(), &with(column, text)]);
        let at = if problem.starts_with("is above paid") {
            Column::PaidLeft
        } else if problem.starts_with("is above gift") {
            Column::GiftLeft
        } else {
            column
        };
        assert_eq!(told(&read), [(3, Some(at), problem)], "{column} {text:?}");
        assert_eq!(read.rows.len(), 1);
        let shown = read.faults[0].to_string();
        assert!(shown.starts_with(&format!("line 3: {at}: {problem}; ")), "{shown}");
        assert!(text.len() < 7 || !shown.contains(text), "the text may be personal: {shown}");
    }
}

#[test]
fn nothing_granted_is_no_payment() {
    let none = changed(&with(Column::PaidGranted, "0"), Column::PaidLeft, "0");
    assert_eq!(told(&lines(&[&none])), [(2, Some(Column::PaidGranted), "is zero")]);
}

#[test]
fn a_line_without_a_payment_is_a_gift_and_nothing_else() {
    for (column, text, problem) in [
        (Column::PaidGranted, "1", "is above zero in a line without a payment"),
        (Column::PaidLeft, "1", "is above zero in a line without a payment"),
        (Column::Amount, "10", "is money in a line without a payment"),
        (Column::Tax, "1", "is money in a line without a payment"),
        (Column::GiftLeft, "0", "is zero in a line without a payment"),
        (Column::GiftLeft, "20.01", "is above gift_granted"),
        (Column::GiftLeft, "x", "is no plain decimal number"),
        (Column::Account, "", "is empty"),
    ] {
        let read = lines(&[&changed(GIFT, column, text)]);
        assert_eq!(told(&read), [(2, Some(column), problem)], "{column} {text:?}");
    }
    let zero = changed(&changed(GIFT, Column::Amount, "0.00"), Column::PaidGranted, "");
    assert_eq!(lines(&[&zero]).faults, []);
}

#[test]
fn all_faults_of_all_lines_are_told_at_once() {
    let first = with(Column::Currency, "xxx").replace("10.00", "a").replace(",400,", ",1001,");
    let second = with(Column::Account, " ").replace(",100,25", ",1,2").replace("txn_1", "txn_2");
    let expected = [
        (2, Some(Column::Currency), "is no currency that the ledger knows"),
        (2, Some(Column::Amount), "is no plain decimal number"),
        (2, Some(Column::PaidLeft), "is above paid_granted"),
        (3, Some(Column::Account), "has blanks around it"),
        (3, Some(Column::GiftLeft), "is above gift_granted"),
    ];
    let read = lines(&[&first, &second, GIFT]);
    assert_eq!(told(&read), expected);
    assert_eq!(read.rows.len(), 1, "the good line is checked on");
}

#[test]
fn a_payment_stands_on_one_line() {
    let faulty = with(Column::Currency, "?");
    let read = lines(&[&faulty, GIFT, LINE, GIFT, LINE]);
    let expected = [
        (2, Some(Column::Currency), "is no currency that the ledger knows"),
        (4, Some(Column::Payment), "is that of line 2"),
        (6, Some(Column::Payment), "is that of line 2"),
    ];
    assert_eq!(told(&read), expected);
}

#[test]
fn columns_that_are_unknown_missing_or_twice_are_named() {
    let header = HEADER.replace("payment", "transaction").replace("tax", "amount");
    let found = read(format!("{header}\n{LINE}\n"));
    let expected = [
        (1, None, "column 2 is unknown"),
        (1, Some(Column::Amount), "is there twice"),
        (1, Some(Column::Payment), "is missing"),
    ];
    assert_eq!(told(&found), expected);
    assert!(found.faults[0].remedy.contains("payment"), "{found:?}");
    // The columns that are there are checked all the same.
    let found = read(format!("{header}\n{}\n", with(Column::PaidLeft, "?")));
    assert_eq!(
        told(&found).last(),
        Some(&(2, Some(Column::PaidLeft), "is no plain decimal number"))
    );
    let semicolons = read(HEADER.replace(',', ";"));
    assert_eq!(semicolons.faults.len(), 8, "{semicolons:?}");
    assert!(semicolons.faults[1].remedy.contains("commas"), "{semicolons:?}");
}

#[test]
fn lines_of_another_length_are_named() {
    let short = LINE.rsplit_once(',').unwrap().0;
    let read = lines(&[&format!("{LINE},"), short, GIFT]);
    let expected = [
        (2, None, "has 11 fields, the first line has 10"),
        (3, None, "has 9 fields, the first line has 10"),
    ];
    assert_eq!(told(&read), expected);
    assert_eq!(read.rows.len(), 1);
}

#[test]
fn a_file_that_is_not_utf_8_is_named() {
    let mut latin = format!("{HEADER}\n").into_bytes();
    latin.extend(LINE.as_bytes().iter().map(|byte| if *byte == b'c' { 0xE9 } else { *byte }));
    assert_eq!(told(&read(&latin)), [(2, Some(Column::Account), "is not UTF-8")]);
    let wide: Vec<u8> = HEADER.bytes().flat_map(|byte| [byte, 0]).collect();
    assert!(!read(&wide).faults.is_empty());
}

#[test]
fn a_quote_that_is_never_closed_is_named() {
    let read = lines(&[&LINE.replace("alice", "\"alice"), GIFT]);
    assert_eq!(told(&read)[0], (1, None, "the file has a quote that is never closed"));
    let inside = lines(&[&LINE.replace("alice", "\"ali\nce\""), &with(Column::PaidAt, "x")]);
    let expected = [
        (2, Some(Column::Account), "has a line break or another control character"),
        (4, Some(Column::Payment), "is that of line 2"),
        (4, Some(Column::PaidAt), "is no moment in RFC 3339"),
    ];
    assert_eq!(told(&inside), expected, "lines are counted in the file");
}

#[test]
fn a_file_without_lines_is_a_fault() {
    for text in ["", "\n", HEADER, "\u{feff}"] {
        let read = read(text);
        assert!(!read.faults.is_empty(), "{text:?}");
        assert!(read.rows.is_empty());
    }
}

#[test]
fn what_is_left_in_all_has_a_limit() {
    let most = LINE.replace(",1000,400,100,25", ",1000000000000000,1000000000000000,0,0");
    let read = lines(&[&most, &LINE.replace("txn_1", "txn_2")]);
    assert_eq!(told(&read), [(3, None, "what is left on all lines adds up to too much")]);
}

#[test]
fn keys_are_of_the_files_bytes_and_the_line() {
    let (one, other) = (Keys::new(b"a"), Keys::new(b"b"));
    assert_eq!(one.of(7).unwrap().as_str(), "import:ca978112ca1bbdca:7");
    assert_ne!(one.of(7).unwrap(), other.of(7).unwrap());
    assert_ne!(one.of(7).unwrap(), one.of(8).unwrap());
}
