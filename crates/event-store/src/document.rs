//! Holds `docs/stored-form.md` against the code, so that it can't rot: every drawing, every table
//! of tags and fields, every version. Where it fails it says what the page should have.

use std::path::{Path, PathBuf};

use domain::ids::{LedgerId, Sequence};

use crate::{
    form,
    frame::{Packer, Packing},
    high_water::HighWater,
    key::{Kind, StoredKey},
    marker::Marker,
};

const PAGE: &str = include_str!("../../../docs/stored-form.md");

/// Beside all of `form/`: the files whose drawings the page has.
const DRAWN: [&str; 6] =
    ["key.rs", "frame.rs", "block.rs", "chain.rs", "index.rs", "backup/manifest.rs"];

/// Files of `form/` that have neither drawings nor tables of their own.
const PLAIN: [&str; 5] = ["arbitrary.rs", "container.rs", "primitive.rs", "table.rs", "tests.rs"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The files that say what a form is.
fn forms() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(source().join("form")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let plain = |path: &PathBuf| PLAIN.iter().any(|name| path.ends_with(name));
    paths.filter(|path| path.is_file() && !plain(path)).collect()
}

/// Checks that the page has this, as a paragraph or block of its own.
fn has(expected: &str, why: &str) {
    assert!(
        PAGE.contains(&format!("\n{}\n", expected.trim_end())),
        "{why}: docs/stored-form.md should have\n\n{expected}\n"
    );
}

/// The drawings in the documentation of a module.
fn drawings(text: &str) -> Vec<String> {
    let docs = text.lines().map_while(|line| line.strip_prefix("//!"));
    let docs: Vec<&str> = docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let mut drawings = Vec::new();
    let mut blocks = docs.split(|line| line.starts_with("```"));
    // Text and blocks take turns.
    while let (Some(_), Some(block)) = (blocks.next(), blocks.next()) {
        drawings.push(format!("```text\n{}\n```", block.join("\n")));
    }
    drawings
}

/// What stands between the braces of each use of a macro, behind what comes before them.
fn uses<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let start = format!("\n{name}!(");
    let parts = text.split(&start).skip(1);
    let of = |part: &'a str| part.split_once("});").unwrap().0.split_once('{').unwrap();
    parts.map(of).collect()
}

/// Words and commas on one line, without a comma at the end.
fn listed(fields: &str) -> String {
    fields.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(',').to_owned()
}

/// A table of tags as the page has it.
fn tags(head: &str, table: &str) -> (String, usize) {
    let (kind, name) = head.split_once(',').unwrap();
    let kind = kind.split(':').next().unwrap();
    let name = name.trim().trim_matches('"');
    let (first, rest) = name.split_at(1);
    let mut out = format!("{}{rest} (`{kind}`):\n\n", first.to_uppercase());
    out.push_str("| tag | variant | then |\n| --- | --- | --- |\n");
    let mut rows = 0;
    for row in table.split("=>").collect::<Vec<_>>().windows(2) {
        let tag = row[0].split_whitespace().next_back().unwrap();
        // What follows up to the next row's tag, and that behind the last row.
        let variant = row[1].trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
        let variant = listed(variant);
        let end = variant.find([' ', '(']).unwrap_or(variant.len());
        let then = variant[end..].trim_matches([' ', '{', '}', '(', ')', ',']);
        out.push_str(&format!("| {tag} | `{}` | {} |\n", &variant[..end], listed(then)));
        rows += 1;
    }
    (out, rows)
}

#[test]
fn every_drawing_of_the_code_is_on_the_page() {
    let drawn = DRAWN.iter().map(|name| source().join(name));
    let mut count = 0;
    for path in drawn.chain(forms()) {
        for drawing in drawings(&read(&path)) {
            has(&drawing, &format!("the drawing in {}", path.display()));
            count += 1;
        }
    }
    assert!(count >= 18, "only {count} drawings were found");
}

#[test]
fn every_tag_and_field_of_the_code_is_on_the_page_and_no_other() {
    let (mut rows, mut lists) = (0, 0);
    for path in forms() {
        let text = read(&path);
        for (head, table) in uses(&text, "variants") {
            let (table, count) = tags(head, table);
            has(&table, &format!("a table in {}", path.display()));
            // An empty line ends it, so that the page has no row more.
            assert!(PAGE.contains(&format!("{table}\n")), "a row too many in\n{table}");
            rows += count;
        }
        for (kind, fields) in uses(&text, "fields") {
            let line = format!("- `{}`: {}", kind.trim(), listed(fields));
            has(&line, &format!("the fields in {}", path.display()));
            lists += 1;
        }
    }
    let on_page = |start: &str| PAGE.lines().filter(|line| line.starts_with(start)).count();
    let tagged = PAGE.lines().filter(|line| {
        line.strip_prefix("| ").is_some_and(|row| row.starts_with(|c: char| c.is_ascii_digit()))
    });
    assert_eq!((tagged.count(), on_page("- `")), (rows, lists), "the page has tables of its own");
    assert!(rows > 200 && lists > 30, "only {rows} rows and {lists} lists were found");
}

#[test]
fn every_kind_of_key_and_every_packing_is_on_the_page() {
    let mut rows = String::from("| kind | value | number | item |\n| --- | --- | --- | --- |");
    for line in read(&source().join("key.rs")).lines().filter(|line| line.starts_with("//! | `")) {
        rows = format!("{rows}\n{}", &line[4..]);
    }
    has(&rows, "the kinds of keys");
    for kind in Kind::ALL {
        assert!(rows.contains(&format!("\n| `{}` |", char::from(kind.tag()))), "{kind:?}");
    }
    assert_eq!(rows.lines().count(), 2 + Kind::ALL.len());

    let key = StoredKey::first(Kind::Records, LedgerId::new("main").unwrap(), Sequence::FIRST);
    let shown = key.encode();
    let start = PAGE.find("\n72            r\n").unwrap();
    let digits = PAGE[start..].lines().skip(1).take_while(|line| *line != "```");
    let digits: String = digits.map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(digits, hex::encode(shown));

    for (packing, tag) in [(Packing::Plain, 0), (Packing::Zstd, 1)] {
        let mut pieces = Vec::new();
        Packer::new().unwrap().seal(&key, packing, b"raw", &mut pieces).unwrap();
        assert_eq!(pieces[0].1[18], tag);
        assert!(PAGE.contains(&format!("`{tag:02}` for")));
    }
    has("| packing of a value | one byte of each piece | 0, 1 |", "the packings");
}

#[test]
fn every_version_is_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    Marker::read(dir.path()).unwrap().renew(dir.path()).unwrap();
    let marker = read(&dir.path().join("format"));
    has(&format!("```text\n{marker}```"), "the marker");

    let end = |ledger, at| (LedgerId::new(ledger).unwrap(), Sequence::new(at).unwrap());
    let noted = HighWater::new([end("main", 70_000), end("other-1", 1)].into());
    let path = dir.path().join("high-water");
    noted.write(&path).unwrap();
    has(&format!("```text\n{}```", read(&path)), "the high-water file");

    let version = |text: &str, name: &str| {
        let start = format!("const {name}: u8 = ");
        let (_, rest) = text.split_once(&start).unwrap();
        rest.split_once(';').unwrap().0.to_owned()
    };
    let record = version(&read(&source().join("form/record.rs")), "VERSION");
    assert_eq!(form::record::encode(&form::arbitrary::fixed::command_record())[0], 1);
    has(&format!("| record | first byte of its form | {record} |"), "the record's version");

    let entities = read(&source().join("form/entity.rs"));
    let (_, table) = entities.split_once("\nentities! {\n").unwrap();
    let mut rows = String::from("| kind | version |\n| --- | --- |");
    for row in table.split_once("\n}").unwrap().0.lines() {
        let (kind, version) = row.trim().trim_end_matches(',').split_once(' ').unwrap();
        rows = format!("{rows}\n| `{kind}` | {version} |");
    }
    for (kind, name) in [("View", "VIEW_VERSION"), ("Book", "BOOK_VERSION")] {
        rows = format!("{rows}\n| `{kind}` | {} |", version(&entities, name));
    }
    has(&rows, "the versions of entities");
}

/// The golden file is compared with the program elsewhere.
#[test]
fn the_record_on_the_page_is_a_golden_file() {
    let golden = include_str!("../tests/golden/record-1-debit-metadata.hex");
    let lines: Vec<&str> = golden.lines().filter(|line| !line.starts_with('#')).collect();
    has(&format!("```text\n{}\n```", lines.join("\n").trim()), "the whole record");
}
