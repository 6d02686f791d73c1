//! A share of the flips through the real binary: it ends with a text and a documented code, or it
//! is right.

use std::{fs, path::Path, process::ExitStatus};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, SOURCE, Setup},
    paddle::Purchase,
    server::{Server, refused, run},
};

use crate::{
    extent::stride,
    snapshot::{Files, Flip},
};

/// Tried in a short run, half of them in the views: starting a process takes long.
const AUDITS: usize = 24;
const STARTS: usize = 8;

/// In a full run so many times as many are tried.
const FULL: usize = 20;

/// What a server says of the one account.
struct Told {
    account: Value,
    records: Vec<Value>,
}

fn told(server: &Server) -> Result<Told> {
    let records = server.list("records", 100)?;
    Ok(Told { account: server.account("acct-demo")?, records })
}

/// A home whose server was stopped, with what it told, and its files.
fn stopped() -> Result<(Home, Told, Files)> {
    let home = Home::new(&Setup::one())?;
    let server = Server::start(&home)?;
    for number in 1..=3 {
        let purchase = Purchase { number, account: "acct-demo".to_owned(), cents: 700 };
        ensure!(server.deliver(SOURCE, &purchase.delivery()?)?.status == 200);
    }
    let body = json!({"amount": "1.5", "metadata": {}, "already_happened": false});
    ensure!(server.command("acct-demo/debits", "one", &body)?.status == 201);
    server.stop()?;
    // Once more, for a snapshot of sled's.
    let server = Server::start(&home)?;
    let told = told(&server)?;
    server.stop()?;
    let files = Files::read(&home.file("data"));
    Ok((home, told, files))
}

/// So many of the flips, spread over each file.
fn share(files: &Files, count: usize) -> Vec<Flip> {
    let count = if stride(2) == 1 { count * FULL } else { count };
    let of_views = |path: &Path| path.ends_with("views");
    let mut share = Vec::new();
    for flips in [files.flips(of_views), files.flips(|path| !of_views(path))] {
        let step = (flips.len() / (count / 2)).max(1);
        share.extend(flips.into_iter().step_by(step));
    }
    share
}

/// A process that ended as documented: not by a panic or a signal, and it said why.
fn ended_well(status: ExitStatus, text: &str) -> Result<()> {
    ensure!(matches!(status.code(), Some(0 | 1 | 3)), "ended with {status}: {text}");
    ensure!(!text.trim().is_empty(), "ended with {status} and said nothing");
    ensure!(!text.contains("panicked") && !text.contains("backtrace:"), "{text}");
    Ok(())
}

#[test]
fn audit_verify_of_damaged_files_ends_with_findings_or_says_what_to_do() {
    let (home, _, files) = stopped().unwrap();
    let flips = share(&files, AUDITS);
    let mut codes = [0; 4];
    for flip in &flips {
        files.write(&home.file("data"), Some(flip));
        let output = run(&home, &["audit", "verify", "--data", "data"]).unwrap();
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        ended_well(output.status, &text).with_context(|| format!("{flip:?}")).unwrap();
        let code = output.status.code().unwrap();
        let helpful = text.contains("restore a backup") || text.contains("delete");
        assert!(code != 3 || helpful, "{flip:?}: {text}");
        codes[usize::try_from(code).unwrap()] += 1;
    }
    eprintln!("audit verify: {} flips, exit codes 0 to 3: {codes:?}", flips.len());
    assert!(codes[0] > 0 && codes[3] > 0, "{codes:?}");
}

#[test]
fn a_server_refuses_damaged_files_or_serves_what_is_right() {
    let (home, good, files) = stopped().unwrap();
    let flips = share(&files, STARTS);
    let mut served = 0;
    for flip in &flips {
        files.write(&home.file("data"), Some(flip));
        fs::write(home.file("log"), "").unwrap();
        let Ok(server) = Server::start(&home) else {
            files.write(&home.file("data"), Some(flip));
            let (status, text) = refused(&home).unwrap();
            ended_well(status, &text).with_context(|| format!("{flip:?}")).unwrap();
            assert_eq!(status.code(), Some(3), "{flip:?}: {text}");
            let remedies = ["restore a backup", "delete", "put the key back from a copy"];
            assert!(remedies.iter().any(|remedy| text.contains(remedy)), "{text}");
            assert!(!flip.path.ends_with("views"), "views are folded again: {text}");
            continue;
        };
        let now = told(&server).unwrap();
        assert_eq!(now.account, good.account, "{flip:?}");
        assert_eq!(now.records, good.records, "{flip:?}");
        server.stop().unwrap();
        served += 1;
    }
    eprintln!("serve: {} flips, served after {served}", flips.len());
    assert!(served > 0 && served < flips.len());
}
