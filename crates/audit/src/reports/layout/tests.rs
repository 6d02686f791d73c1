//! What a hostile text can't become, and what every form says.

use domain::ids::{Digest, LedgerId, Sequence};
use proof::merkle::Frontier;
use proptest::prelude::*;

use super::*;
use crate::cut::PolicyInForce;

/// Names that would like to be something else.
const HOSTILE: [&str; 9] = [
    "=HYPERLINK(\"http://evil\",\"x\")",
    "+1",
    "-1",
    "@SUM(A1)",
    "a\";=1+1;\"",
    "\t=1",
    "</td><script>alert(1)</script>",
    "\u{1b}[2J\u{202e}abc",
    "'=1",
];

fn document(text: &str) -> Document {
    let mut table = Table::new("things", &[("name", "Name"), ("amount", "Amount")]);
    table.line(vec![Cell::text(text), Amount::new(-1_250, 2).into()]);
    table.line(vec![Cell::Empty, Amount::new(5, 0).into()]);
    table.total(vec![Cell::text("total"), Cell::Count(7)]);
    let chart = Chart {
        title: text.to_owned(),
        shape: Shape::Bars,
        labels: vec![text.to_owned(), "b".to_owned()],
        series: vec![Series {
            name: text.to_owned(),
            values: vec![Amount::new(-1_250, 2), Amount::new(i128::MAX, 0)],
        }],
    };
    Document {
        title: text.to_owned(),
        provenance: Provenance {
            ledger: LedgerId::new("main").unwrap(),
            records: 7,
            root: Frontier::new().root(),
            recorded_at: Some(Timestamp::EPOCH),
            policies: vec![PolicyInForce {
                name: text.to_owned(),
                version: 3,
                effective_from: Timestamp::EPOCH,
                file: Digest([7; 32]),
                activated: Sequence::FIRST,
            }],
            unit: "credit".to_owned(),
        },
        query: vec![("account", text.to_owned())],
        sections: vec![Section::new(
            text,
            vec![Block::words(text), Block::Table(table), Block::Chart(chart)],
        )],
    }
}

/// The cells of a CSV, read by another's rules (RFC 4180).
fn cells(csv: &str) -> Vec<Vec<(bool, String)>> {
    let mut rows = vec![vec![]];
    let mut rest = csv;
    while !rest.is_empty() {
        let (quoted, cell);
        if let Some(mut inner) = rest.strip_prefix('"') {
            let mut text = String::new();
            loop {
                let end = inner.find('"').unwrap();
                text.push_str(&inner[..end]);
                inner = &inner[end + 1..];
                let Some(more) = inner.strip_prefix('"') else { break };
                text.push('"');
                inner = more;
            }
            (quoted, cell, rest) = (true, text, inner);
        } else {
            let end = rest.find([',', '\r']).unwrap();
            (quoted, cell, rest) = (false, rest[..end].to_owned(), &rest[end..]);
        }
        rows.last_mut().unwrap().push((quoted, cell));
        if let Some(next) = rest.strip_prefix("\r\n") {
            rows.push(vec![]);
            rest = next;
        } else {
            rest = rest.strip_prefix(',').expect("a comma or a line's end follows a cell");
        }
    }
    rows
}

#[test]
fn every_form_names_what_it_was_made_from() {
    for format in [Format::Text, Format::Csv, Format::Json, Format::Html] {
        let rendered = document("a report").render(format);
        let root = Frontier::new().root().to_string();
        let digest = "07".repeat(32);
        let version = concat!("tallyhook ", env!("CARGO_PKG_VERSION"));
        for named in ["main", root.as_str(), version, digest.as_str(), "1970-01-01T00:00:00Z"] {
            assert!(rendered.contains(named), "{format:?} lacks {named}:\n{rendered}");
        }
        assert_eq!(rendered, document("a report").render(format), "{format:?} differs");
    }
}

#[test]
fn amounts_stand_at_their_points_in_a_terminal() {
    let rendered = document("x").render(Format::Text);
    let at = rendered.find("Name").unwrap();
    let table: Vec<&str> = rendered[at..].lines().take(6).collect();
    assert_eq!(
        table,
        [
            "Name   Amount",
            "-------------",
            "x      -12.50",
            "         5",
            "-------------",
            "total    7",
        ]
    );
}

#[test]
fn charts_are_lines_with_bars_in_a_terminal() {
    let mut document = document("x");
    let labels = ["0-30 days", "31-60 days"].map(str::to_owned).into();
    let values = vec![
        ("Owed", vec![Amount::new(75, 1), Amount::new(0, 0)]),
        ("Paid", vec![Amount::new(-15, 0), Amount::new(1, 2)]),
    ];
    let series = values.into_iter().map(|(name, values)| Series { name: name.to_owned(), values });
    let series = series.collect();
    let chart = Chart { title: "By age".to_owned(), shape: Shape::Bars, labels, series };
    document.sections = vec![Section::new("Ages", vec![Block::Chart(chart)])];
    let rendered = document.render(Format::Text);
    let at = rendered.find("By age").unwrap();
    assert_eq!(
        rendered[at..].lines().collect::<Vec<_>>(),
        [
            "By age".to_owned(),
            format!("0-30 days   Owed    7.5   {}", "#".repeat(20)),
            format!("0-30 days   Paid  -15     {}", "#".repeat(40)),
            "31-60 days  Owed    0".to_owned(),
            "31-60 days  Paid    0.01  #".to_owned(),
        ]
    );
}

#[test]
fn a_hostile_text_is_no_markup() {
    let plain = document("x").render(Format::Html);
    let tags = |html: &str| html.matches('<').count();
    for text in HOSTILE {
        let rendered = document(text).render(Format::Html);
        assert_eq!(tags(&rendered), tags(&plain), "{text:?} made a tag:\n{rendered}");
        assert!(!rendered.contains(['\u{1b}', '\u{202e}']), "{text:?} kept a command");
        for outside in ["http-equiv=\"refresh", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!rendered.contains(outside), "{text:?}: {outside}");
        }
    }
}

#[test]
fn a_hostile_text_is_no_command_to_a_terminal() {
    for text in HOSTILE {
        let rendered = document(text).render(Format::Text);
        let commands = |character: char| character.is_control() && character != '\n';
        assert!(!rendered.contains(commands), "{text:?}:\n{rendered:?}");
        assert!(!rendered.contains('\u{202e}'), "{text:?}:\n{rendered:?}");
    }
}

#[test]
fn a_hostile_text_is_no_formula() {
    for text in HOSTILE {
        let rows = cells(&document(text).render(Format::Csv));
        let row = rows.iter().find(|row| row.get(1).is_some_and(|(_, cell)| cell == "-12.50"));
        let (quoted, cell) = &row.expect("the row is there")[0];
        assert!(quoted);
        assert_eq!(unguarded(cell), text);
        for (quoted, cell) in rows.iter().flatten() {
            let number = cell.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
            assert!(*quoted || number, "{cell:?} is bare");
            assert!(!quoted || !begins_formula(cell), "{cell:?} begins a formula");
        }
    }
}

/// Whether some spreadsheet, whatever its separator, takes a part of a cell for a formula.
fn begins_formula(cell: &str) -> bool {
    let parts = cell.split([',', ';', '\t', '|', '"', '\r', '\n']);
    let mut parts = parts.map(|part| part.trim_start_matches(char::is_whitespace));
    parts.any(|part| part.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']))
        || cell.starts_with(['\t', '\r', '\n'])
}

proptest! {
    #[test]
    fn guards_leave_no_formula_and_come_off_again(
        text in "[-=+@',;|\"%a \t\r\n\u{b}\u{feff}＝＠]{0,12}",
    ) {
        let guarded = guarded(&text);
        prop_assert!(!begins_formula(&guarded), "{guarded:?}");
        prop_assert_eq!(unguarded(&guarded), text);
    }

    #[test]
    fn charts_of_any_values_are_drawn(units in prop::collection::vec(any::<i128>(), 0..5)) {
        let values: Vec<Amount> = units.iter().map(|units| Amount::new(*units, 9)).collect();
        let labels = units.iter().map(ToString::to_string).collect();
        for shape in [Shape::Bars, Shape::Steps] {
            let series = vec![Series { name: "x".to_owned(), values: values.clone() }];
            let drawn = Chart { title: "x".to_owned(), shape, labels: Vec::clone(&labels), series };
            let mut html = String::new();
            chart::chart(&mut html, &drawn);
            prop_assert!(html.len() < 10_000, "{html}");
            let mut document = document("x");
            document.sections = vec![Section::new("x", vec![Block::Chart(drawn)])];
            let lines = document.render(Format::Text);
            prop_assert!(lines.lines().all(|line| line.len() < 200), "{lines}");
        }
    }
}
