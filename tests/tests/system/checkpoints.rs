//! Checkpoints and proofs from a real server to an outsider who has `tallyhook-verify` and a key.

use std::{fs, process::Command};

use serde_json::Value;
use tallyhook_tests::{
    binary,
    home::{Home, LEDGER, SOURCE, Setup},
    nats::Broker,
    paddle::Purchase,
    server::{self, Server, verify},
    wait,
};

fn buy(server: &Server, number: u64) {
    let purchase = Purchase { number, account: "acct".to_owned(), cents: 100 };
    let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The newest checkpoint that the server shows, once it covers so many records: note and key.
fn newest(server: &Server, records: u64) -> (String, String) {
    let found = wait::until("a checkpoint", || {
        let page = server.get("/v1/checkpoints").unwrap().json().unwrap();
        let item = page["items"].as_array().unwrap().first()?.clone();
        (item["records"].as_u64() >= Some(records)).then_some(item)
    });
    let item = found.unwrap();
    (item["note"].as_str().unwrap().to_owned(), item["key"].as_str().unwrap().to_owned())
}

/// Runs `tallyhook` in a home: its code and what it printed and said.
fn run(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let output = server::run(home, arguments).unwrap();
    let texts = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(texts).unwrap())
}

/// Runs `tallyhook-verify` in a home.
fn outsider(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary::verifier().unwrap());
    let output = command.current_dir(home.path()).args(arguments).output().unwrap();
    let texts = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(texts).unwrap())
}

#[test]
fn an_outsider_with_the_key_checks_what_the_server_signed() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    let (first, key) = newest(&server, 1);
    fs::write(home.file("first"), &first).unwrap();
    (0..5).for_each(|number| buy(&server, number));
    server.stop().unwrap();
    let file = fs::read_to_string(home.file("data/checkpoints")).unwrap();
    let last = broker.last_checkpoint(LEDGER).unwrap();
    assert!(file.ends_with(&format!("{last}\n")), "the last one is in the broker:\n{last}\n{file}");
    assert_ne!(last, first, "an orderly stop signs what is new");
    assert!(broker.purge_checkpoints().is_err(), "nobody takes a checkpoint away");
    fs::write(home.file("last"), &last).unwrap();

    let (code, said) = run(
        &home,
        &["audit", "prove", "--sequence", "3", "--from-checkpoint", "first", "--out", "bundle"],
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&key), "{said}");
    let (code, said) = outsider(&home, &["--key", &key, "--older", "first", "bundle"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Record 3 of ") && said.contains("does not prove"), "{said}");
    // The file that the server adds to has several notes, and empty lines between them.
    fs::write(home.file("several"), format!("{first}\n{first}\n\n")).unwrap();
    let (code, said) = outsider(&home, &["--key", &key, "--older", "several", "bundle"]);
    assert_eq!(code, Some(0), "{said}");
    fs::write(home.file("several"), "x").unwrap();
    let (code, said) = outsider(&home, &["--key", &key, "--older", "several", "bundle"]);
    assert_eq!(code, Some(3), "{said}");
    let (code, said) = outsider(&home, &["--key", &key, "first", "last"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = outsider(&home, &["--key", &key, "--json", "bundle"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["ok"]), (Some(0), &Value::Bool(true)), "{said}");
    assert_eq!(said["files"][0]["records"][0]["sequence"], 3);

    let bundle = fs::read_to_string(home.file("bundle")).unwrap();
    fs::write(home.file("edited"), bundle.replacen("paid:acct", "paid:acxt", 1)).unwrap();
    let (code, said) = outsider(&home, &["--key", &key, "edited"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("DOES NOT HOLD: record 3 is not in the log"), "{said}");
    let (code, said) = outsider(&home, &["--key", &key, "--older", "last", "first"]);
    assert_eq!(code, Some(1), "{said}");
    let other = "tallyhook/main+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(outsider(&home, &["--key", other, "bundle"]).0, Some(2), "not the id of its name");
    assert_eq!(outsider(&home, &["--key", &key, "absent"]).0, Some(3));
    assert_eq!(outsider(&home, &["bundle"]).0, Some(2), "without a key nothing is believed");
}

#[test]
fn a_running_server_proves_its_records() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let (_, key) = newest(&server, 1);
    let path = format!("/v1/ledgers/{LEDGER}/proofs/inclusion?sequence=1");
    let bundle = server.get(&path).unwrap().text();
    fs::write(home.file("bundle"), bundle).unwrap();
    let (code, said) = outsider(&home, &["--key", &key, "bundle"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_log_that_lost_records_after_a_checkpoint_is_found_out_by_server_and_audit() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let (_, key) = newest(&server, 1);
    server.stop().unwrap();
    let copy = ["-r", "data", "earlier"];
    assert!(Command::new("cp").current_dir(home.path()).args(copy).status().unwrap().success());
    let server = Server::start(&home).unwrap();
    buy(&server, 1);
    server.stop().unwrap();
    assert_eq!(verify(&home).unwrap()["ok"], true);
    fs::copy(home.file("data/checkpoints"), home.file("kept")).unwrap();
    let kept = ["audit", "verify", "--checkpoint", "kept", "--key", &key];
    let (code, said) = run(&home, &kept);
    assert_eq!(code, Some(0), "{said}");
    let notes = fs::read_to_string(home.file("kept")).unwrap().matches("\n\n\u{2014} ").count();
    let held = said.lines().find(|line| line.starts_with("checkpoints: main holds at "));
    assert!(
        held.is_some_and(|line| line.ends_with(&format!(" records ({notes} notes)"))),
        "{said}"
    );

    // The earlier log in the place of the later one; the checkpoints stay.
    fs::remove_dir_all(home.file("data")).unwrap();
    fs::rename(home.file("earlier"), home.file("data")).unwrap();
    fs::copy(home.file("kept"), home.file("data/checkpoints")).unwrap();
    let (code, said) = run(&home, &[&kept[..], &["--json"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("\"kind\":\"checkpoint\""), "{said}");
    let (code, said) = run(&home, &["audit", "checkpoint"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing is signed"), "{said}");
    let server = Server::start(&home).unwrap();
    let said = reason(&server);
    assert!(said.contains("an older log was restored"), "{said}");
    server.stop().unwrap();
    let unchanged = fs::read(home.file("kept")).unwrap();
    assert_eq!(fs::read(home.file("data/checkpoints")).unwrap(), unchanged, "nothing is signed");
}

/// Waits until the server says why it signs nothing.
fn reason(server: &Server) -> String {
    let reason = wait::until("the server to say so", || {
        let answer = server.get("/readyz").unwrap();
        Some(answer.text()).filter(|text| answer.status == 503 && text.contains("no checkpoint"))
    });
    reason.unwrap()
}

#[test]
fn a_rewritten_log_is_found_out_by_what_the_broker_has() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    newest(&server, 1);
    buy(&server, 1);
    server.stop().unwrap();
    let honest = broker.last_checkpoint(LEDGER).unwrap();

    // The insider's log is longer, all its hashes are right, and the file of checkpoints is gone.
    let insiders = Home::new(&Setup::one()).unwrap();
    fs::create_dir(insiders.file("data")).unwrap();
    let key = "data/checkpoint.key";
    fs::copy(home.file(key), insiders.file(key)).unwrap();
    let server = Server::start(&insiders).unwrap();
    (0..9).for_each(|number| buy(&server, number));
    server.stop().unwrap();
    fs::remove_dir_all(home.file("data")).unwrap();
    let (from, to) = (insiders.file("data"), home.file("data"));
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
    fs::remove_file(home.file("data/checkpoints")).unwrap();

    let server = Server::start(&home).unwrap();
    let said = reason(&server);
    assert!(said.contains("somebody changed the log"), "{said}");
    buy(&server, 10);
    server.stop().unwrap();
    assert_eq!(broker.last_checkpoint(LEDGER).unwrap(), honest, "nothing is added");
    assert_eq!(fs::read_to_string(home.file("data/checkpoints")).unwrap(), "", "or signed");
}

#[test]
fn what_nobody_signed_neither_stops_checkpoints_nor_hides_those_before_it() {
    let broker = Broker::start().unwrap();
    let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
    let server = Server::start(&home).unwrap();
    newest(&server, 1);
    server.stop().unwrap();
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let signature = format!("\u{2014} x/main {}", "A".repeat(92));
    let forged = format!("x/main\n1000000000000\n{root}\n\n{signature}\n");
    broker.add_checkpoint(LEDGER, &forged).unwrap();

    let server = Server::start(&home).unwrap();
    buy(&server, 1);
    let told = wait::until("the stranger to be told of", || {
        let page = server.get("/metrics").unwrap().text();
        page.contains("tallyhook_checkpoint_troubles 1\n").then_some(())
    });
    told.unwrap();
    assert_eq!(server.get("/readyz").unwrap().status, 200);
    server.stop().unwrap();
    let file = fs::read_to_string(home.file("data/checkpoints")).unwrap();
    let last = broker.last_checkpoint(LEDGER).unwrap();
    assert!(file.ends_with(&format!("{last}\n")), "signed and published on:\n{last}\n{file}");

    // Behind a stranger's message an older log is found out all the same.
    broker.add_checkpoint(LEDGER, "x").unwrap();
    let key = fs::read(home.file("data/checkpoint.key")).unwrap();
    fs::remove_dir_all(home.file("data")).unwrap();
    fs::create_dir(home.file("data")).unwrap();
    fs::write(home.file("data/checkpoint.key"), key).unwrap();
    let server = Server::start(&home).unwrap();
    let said = reason(&server);
    assert!(said.contains("an older log was restored"), "{said}");
    server.stop().unwrap();
}

#[test]
fn a_backup_is_signed_only_with_what_was_published_before() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    newest(&server, 1);
    server.stop().unwrap();
    let (code, said) = run(&home, &["backup", "--data", "data", "--to", "copy"]);
    assert_eq!(code, Some(0), "{said}");
    let sign = ["audit", "checkpoint", "--data", "copy", "--signing-key", "data/checkpoint.key"];
    let (code, said) = run(&home, &sign);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--published"), "{said}");
    for word in [&["--published", "data/checkpoints"][..], &["--unpublished"]] {
        let (code, said) = run(&home, &[&sign[..], word].concat());
        assert_eq!(code, Some(0), "{said}");
    }
}
