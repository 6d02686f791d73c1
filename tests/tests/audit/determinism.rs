//! The same log gives the same answers, byte by byte, whatever the machine's settings are.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use sha2::{Digest as _, Sha256};
use tallyhook_tests::{binary, dice::Dice, merchant::Merchant};
use tempfile::TempDir;

use crate::made::on_disk;

const RECORDS: u64 = 500;

/// How often everything is asked.
const RUNS: usize = 100;

const ZONES: [&str; 8] = [
    "UTC",
    "Asia/Shanghai",
    "America/St_Johns",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "XYZ+13:30",
    "no such zone",
];

const LOCALES: [&str; 8] =
    ["C", "C.UTF-8", "tr_TR.UTF-8", "ar_EG.UTF-8", "de_DE.UTF-8", "zh_CN.GB18030", "hi_IN", "none"];

/// Runs a command on these processors with a time zone, a locale and a size of the terminal, and
/// gives what it prints.
fn asked(dice: &mut Dice, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let processors = dice.pick(&["0", "0-1023"]);
    let output = Command::new("taskset")
        .args(["--cpu-list", processors])
        .arg(binary::path().expect("the binary is built"))
        .args(arguments)
        .current_dir(folder)
        .env("TZ", dice.pick(&ZONES))
        .env("LANG", dice.pick(&LOCALES))
        .env("LC_ALL", dice.pick(&LOCALES))
        .env("COLUMNS", dice.between(1, 300).to_string())
        .env("HOME", dice.pick(&["/", "/nowhere"]))
        .env("MALLOC_PERTURB_", dice.between(0, 255).to_string())
        .output()
        .expect("taskset of util-linux runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    output.stdout
}

/// In how many runs the account and its books are asked for too.
const ACCOUNT_EVERY: usize = 10;

/// The merchant's first account.
const ACCOUNT: &str = "acct-000000";

/// One digest over what is said of one account and over the ledger's books.
fn of_account(dice: &mut Dice, data: &Path) -> String {
    let out = TempDir::new().expect("a folder can be made");
    let data = data.display().to_string();
    let mut hash = Sha256::new();
    for arguments in [
        &["audit", "statement", ACCOUNT, "--data", &data][..],
        &["audit", "statement", ACCOUNT, "--by", "happened", "--json", "--data", &data],
        &["audit", "explain", ACCOUNT, "--data", &data],
        &["audit", "explain", ACCOUNT, "--json", "--data", &data],
        &["audit", "export", "--format", "jsonl", "--data", &data],
    ] {
        let answer = asked(dice, arguments, out.path());
        assert!(!answer.is_empty(), "{arguments:?} says nothing");
        hash.update(answer);
    }
    hex::encode(hash.finalize())
}

/// One digest over all answers.
fn answers(dice: &mut Dice, data: &Path) -> String {
    let out = TempDir::new().expect("a folder can be made");
    let (data, to) = (data.display().to_string(), out.path().join("reports").display().to_string());
    let mut hash = Sha256::new();
    hash.update(asked(dice, &["audit", "replay", "--json", "--data", &data], out.path()));
    asked(dice, &["audit", "report", "all", "--data", &data, "--out", &to], out.path());
    let files = fs::read_dir(&to).expect("the reports are there");
    let files: BTreeSet<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        hash.update(file.file_name().expect("it has a name").as_encoded_bytes());
        hash.update(fs::read(&file).expect("it can be read"));
    }
    hex::encode(hash.finalize())
}

#[test]
fn a_hundred_replays_and_reports_give_the_same_bytes() {
    let data =
        on_disk(Merchant::new(3, RECORDS).expect("the fixtures are there").with_exceptions());
    let mut dice = Dice::new(11);
    let digests: BTreeSet<String> = (0..RUNS).map(|_| answers(&mut dice, data.path())).collect();
    assert_eq!(digests.len(), 1, "{digests:?}");
    let runs = 0..RUNS / ACCOUNT_EVERY;
    let digests: BTreeSet<String> = runs.map(|_| of_account(&mut dice, data.path())).collect();
    assert_eq!(digests.len(), 1, "{digests:?}");
}
