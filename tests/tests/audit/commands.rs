//! `audit report` and `audit export` on a data folder, as an auditor runs them.

use std::{collections::BTreeMap, fs, path::Path, process::Output};

use event_store::sled::{Options, SledStore};
use serde_json::Value;
use tallyhook_tests::{binary, merchant::Merchant};
use tempfile::TempDir;

use crate::made::on_disk;

const RECORDS: u64 = 300;

/// A stopped server's data.
fn data() -> TempDir {
    on_disk(Merchant::new(21, RECORDS).unwrap())
}

fn audit(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = binary::command(&["audit"]).unwrap();
    let command = command.args(arguments).arg("--data").arg(data);
    command.envs(settings.iter().copied()).output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    listed.map(read).collect()
}

#[test]
fn reports_are_the_same_bytes_whatever_the_clock_and_the_language() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let settings =
        [[("TZ", "UTC"), ("LC_ALL", "C")], [("TZ", "Pacific/Apia"), ("LC_ALL", "tr_TR.UTF-8")]];
    let runs = settings.map(|settings| {
        let folder = out.path().join(settings[0].1.replace('/', "-"));
        let arguments = ["report", "all", "--json", "--out", folder.to_str().unwrap()];
        let told: Value =
            serde_json::from_str(&printed(&audit(data.path(), &arguments, &settings))).unwrap();
        assert_eq!(told["ok"], true);
        assert_eq!(told["files"].as_array().map(Vec::len), Some(20));
        files(&folder)
    });
    assert_eq!(runs[0].len(), 20);
    assert_eq!(runs[0], runs[1]);
    // What one report prints is what all of them wrote.
    for (name, arguments) in [
        ("receivables.txt", &["report", "receivables"][..]),
        ("cases.csv", &["report", "cases", "--format", "csv"]),
        ("roll-forward.json", &["report", "roll-forward", "--json"]),
        ("disputes.html", &["report", "disputes", "--format", "html"]),
    ] {
        let printed = printed(&audit(data.path(), arguments, &[]));
        assert_eq!(printed.as_bytes(), runs[0][name], "{name}");
    }
}

#[test]
fn a_report_says_what_it_was_made_from_and_asked() {
    let data = data();
    let arguments =
        ["report", "exceptions", "--json", "--at-sequence", "100", "--ended", "--ledger", "main"];
    let told: Value = serde_json::from_str(&printed(&audit(data.path(), &arguments, &[]))).unwrap();
    assert_eq!(told["provenance"]["records"], 100);
    assert_eq!(told["provenance"]["unit"], "USD");
    assert_eq!(told["provenance"]["root"].as_str().map(str::len), Some(64));
    assert_eq!(told["query"]["report"], "exceptions");
    assert_eq!(told["query"]["listed"], "all");
}

#[test]
fn an_export_is_there_once_it_is_whole() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    for form in ["jsonl", "csv", "beancount", "hledger"] {
        let path = out.path().join(form);
        let to = path.to_str().unwrap();
        let arguments = ["export", "--format", form, "--json", "--out", to];
        let told: Value =
            serde_json::from_str(&printed(&audit(data.path(), &arguments, &[]))).unwrap();
        assert_eq!(told["records"], RECORDS);
        let shown = printed(&audit(data.path(), &["export", "--format", form], &[]));
        assert_eq!(fs::read_to_string(&path).unwrap(), shown, "{form}");
    }
    assert_eq!(files(out.path()).len(), 4, "nothing else is left beside them");
}

#[test]
fn wrong_usage_is_told_apart_from_data_that_cannot_be_opened() {
    let (data, empty) = (data(), tempfile::tempdir().unwrap());
    let absent = empty.path().join("nothing");
    for (folder, arguments, code) in [
        (data.path(), &["report", "roll-forward", "--ledger", "other"][..], 2),
        (data.path(), &["report", "cases", "--at", "yesterday"], 2),
        (data.path(), &["report", "cases", "--json", "--format", "html"], 2),
        (data.path(), &["export", "--format", "csv", "--json"], 2),
        (data.path(), &["export", "--format", "csv", "--out", "/proc/no/such/file"], 3),
        (&absent, &["report", "all"], 3),
    ] {
        let output = audit(folder, arguments, &[]);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with(b"tallyhook: "), "{output:?}");
    }
}

#[test]
fn an_explanation_writes_nothing_that_a_later_audit_compares() {
    let data = data();
    let store = SledStore::open(data.path(), Options::STANDARD).unwrap();
    store.views().clear().unwrap();
    drop(store);
    for arguments in [&["explain", "#3", "--json"][..], &["balance", "--json"]] {
        printed(&audit(data.path(), arguments, &[]));
        let store = SledStore::open(data.path(), Options::STANDARD).unwrap();
        assert_eq!(store.views().scan(&[], None, 1).unwrap(), [], "{arguments:?}");
    }
}
