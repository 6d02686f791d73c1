//! Erasure: what a customer said is nowhere any more, and everything else is as it was.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use domain::ids::LedgerId;
use event_store::{
    erasure::bodies,
    sled::{Options, SledStore},
};
use serde_json::{Value, json};
use tallyhook_tests::{
    binary,
    home::{CONFIG, Home, LEDGER, SOURCE, Setup},
    paddle::{self, Delivery, Purchase},
    server::{Server, run, verify},
    wait,
};

const EMAIL: &str = "Zoë.Quill@example.com";
const NAME: &str = "Zoë Quillfeather";
const STREET: &str = "12 Rue de l'Échappée";
const CUSTOMER: &str = "ctm_00000000000000000000004711";

/// A policy under which a customer may ask for money back, saying who they are.
fn setup() -> Setup {
    let mut setup = Setup::one();
    let refunds = r#"
[refunds]
facts = ["email", "explanation"]
review_business_days = 7

[refunds.calendar]
zone = "UTC"
weekend = ["saturday", "sunday"]

[refunds.reasons.unhappy]
verdict = "review"
rule = "R1"
"#;
    setup.ledger().unwrap().policy.push_str(refunds);
    setup
}

/// A purchase by the customer, whose body says who that is. Every second one escapes what is not
/// ASCII, as some processors' JSON does.
fn purchase(number: u64) -> Delivery {
    let own = Purchase { number, account: "zoe".to_owned(), cents: 1_000 };
    let mut body: Value = serde_json::from_slice(&own.delivery().unwrap().body).unwrap();
    body["data"]["customer_id"] = json!(CUSTOMER);
    body["data"]["customer"] = json!({"id": CUSTOMER, "name": NAME, "email": EMAIL});
    body["data"]["address"] = json!({"first_line": STREET});
    let text = body.to_string();
    let ascii =
        |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    let text = if number.is_multiple_of(2) { text } else { text.chars().map(ascii).collect() };
    Delivery::signed(text).unwrap()
}

/// A change of the customer's name and address: ignored, and kept.
fn customer(number: u64) -> Delivery {
    let mut body = paddle::fixture("customer.updated").unwrap();
    body["event_id"] = json!(paddle::id("evt", 9_000 + number));
    body["data"]["id"] = json!(CUSTOMER);
    body["data"]["name"] = json!(NAME.to_uppercase());
    body["data"]["email"] = json!(EMAIL);
    Delivery::of(&body).unwrap()
}

fn bought(server: &Server, delivery: &Delivery) -> Value {
    let answer = server.deliver(SOURCE, delivery).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().unwrap()
}

/// A ledger with the customer, their refund case, and others. Gives what is left on their accounts.
fn lived(home: &Home) -> BTreeMap<String, Value> {
    let server = Server::start(home).unwrap();
    for number in 1..=3 {
        assert_eq!(bought(&server, &purchase(number))["outcome"], "recorded");
        assert_eq!(bought(&server, &customer(number))["outcome"], "ignored");
        let account = format!("other-{number}");
        let other = Purchase { number: 100 + number, account, cents: 2_000 };
        assert_eq!(bought(&server, &other.delivery().unwrap())["outcome"], "recorded");
    }
    let broken = format!("{{\"name\": \"{NAME}\", and then it breaks off");
    assert_eq!(bought(&server, &Delivery::signed(broken).unwrap())["outcome"], "quarantined");
    let payment = Purchase { number: 1, account: String::new(), cents: 0 }.payment();
    let facts = json!({"email": EMAIL, "explanation": format!("I am {NAME}")});
    let body = json!({"payment": payment, "reason": "unhappy", "facts": facts});
    let case = server.command("zoe/refund-cases", "case", &body).unwrap();
    assert_eq!(case.status, 201, "{}", case.text());
    let debit = server.command("zoe/debits", "debit", &json!({"amount": "1.5"})).unwrap();
    assert_eq!(debit.status, 201, "{}", debit.text());
    let accounts = accounts(&server);
    server.stop().unwrap();
    accounts
}

fn accounts(server: &Server) -> BTreeMap<String, Value> {
    let names = ["zoe", "other-1", "other-2", "other-3"];
    names.map(|name| (name.to_owned(), server.account(name).unwrap())).into()
}

const WHICH: [&str; 8] = [
    "--account",
    "zoe",
    "--containing",
    "zoë.quill@EXAMPLE.com",
    "--containing",
    NAME,
    "--containing",
    STREET,
];

fn arguments(more: &[&'static str]) -> Vec<&'static str> {
    let fixed = ["erase", "--ledger", LEDGER, "--reason", "ticket 4711", "--by", "anna", "--json"];
    [&fixed, &WHICH[..], more].concat()
}

fn erase(home: &Home, more: &[&'static str]) -> Value {
    let output = run(home, &arguments(more)).unwrap();
    let faults = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{faults}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether something says one of the texts, in any case, or an escaped piece of one.
fn says(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    ["quill", "chapp", "zo\\u00eb", "zoë"].into_iter().find(|piece| text.contains(piece))
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Unpacks every frame that is anywhere in some bytes, whoever it belongs to: what is left in a
/// file that no key leads to any more is found too.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let places = bytes.windows(4).enumerate().filter(|(_, window)| *window == MAGIC);
    places.filter_map(|(place, _)| unpacked(&bytes[place..])).collect()
}

/// The beginning of a frame, as far as it can be read: what follows is not its own.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read as _;

    let mut decoder = zstd::Decoder::new(bytes).ok()?.single_frame();
    let mut out = Vec::new();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = decoder.read(&mut part) {
        out.extend_from_slice(&part[..count]);
    }
    (!out.is_empty()).then_some(out)
}

/// What of the data folder says one of the texts: files as they stand, frames unpacked, bodies.
fn found_in(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut count = 0;
    for path in files(data) {
        let bytes = fs::read(&path).unwrap();
        if let Some(piece) = says(&bytes) {
            found.push(format!("{} says {piece}", path.display()));
        }
        for frame in frames(&bytes) {
            count += 1;
            if let Some(piece) = says(&frame) {
                found.push(format!("a frame in {} says {piece}", path.display()));
            }
        }
    }
    let store = SledStore::open(data, Options::STANDARD).unwrap();
    let values = store.stored_values().unwrap();
    let packed = values.iter().filter(|(_, value)| value[18] == 1).count();
    assert!(packed > 10 && count >= packed, "{packed} packed values, {count} frames in files");
    for (key, value) in &values {
        // Behind the head of a stored value: see the drawing in `frame.rs`.
        let raw = if value[18] == 1 { unpacked(&value[23..]).unwrap() } else { value.clone() };
        if let Some(piece) = says(&raw) {
            found.push(format!("the value {} says {piece}", hex::encode(key)));
        }
    }
    found
}

#[test]
fn what_a_customer_said_is_nowhere_and_everything_else_is_as_it_was() {
    let home = Home::new(&setup()).unwrap();
    let left = lived(&home);
    let data = home.file("data");
    assert!(!found_in(&data).is_empty(), "there is something to erase");
    let before = verify(&home).unwrap();
    assert_eq!(before["ok"], true, "{before}");

    let listed = erase(&home, &["--dry-run"]);
    let count = listed["bodies"].as_array().unwrap().len();
    // Three purchases, three changes of the address, the broken one, the case and the debit.
    assert_eq!((count, &listed["records"]), (9, &json!([])), "{listed}");
    assert_eq!(listed["customers"], json!([CUSTOMER]));
    assert_eq!(verify(&home).unwrap(), before, "a dry run changes nothing");
    assert!(!found_in(&data).is_empty());

    let done = erase(&home, &[]);
    assert_eq!((&done["bodies"], &done["in_records"]), (&listed["bodies"], &json!([])), "{done}");
    let by = done["records"][0].as_u64().unwrap();
    assert_eq!(found_in(&data), [""; 0]);
    let after = verify(&home).unwrap();
    let records = before["records"].as_u64().unwrap();
    assert_eq!((&after["ok"], &after["records"]), (&json!(true), &json!(records + 1)), "{after}");
    assert_eq!(by, records + 1);

    let again = erase(&home, &[]);
    assert_eq!((&again["bodies"], &again["records"]), (&json!([]), &json!([])), "{again}");
    // Those that name the account: the others could be found by their texts alone.
    assert_eq!(again["erased_before"], 5);
    goes_on(&home, by, &listed, &left);
    assert_eq!(found_in(&data), [""; 0]);
    let log = fs::read(home.file("log")).unwrap();
    assert_eq!(says(&log), None, "the server's own log");
}

/// The server starts on what is left, and knows all that it knew.
fn goes_on(home: &Home, by: u64, listed: &Value, before: &BTreeMap<String, Value>) {
    let server = Server::start(home).unwrap();
    let again = bought(&server, &purchase(1));
    assert_eq!(again["outcome"], "duplicate", "{again}");
    let sequence = again["sequence"].as_u64().unwrap();
    let path = format!("/v1/ledgers/{LEDGER}/records/{sequence}/body");
    let gone = server.get(&path).unwrap();
    assert_eq!(gone.status, 410, "{}", gone.text());
    let gone = gone.json().unwrap();
    assert_eq!((&gone["code"], &gone["erased_by"]), (&json!("body_erased"), &json!(by)));
    assert_eq!(accounts(&server), *before);
    for body in listed["bodies"].as_array().unwrap() {
        let record = server.get(&format!("/v1/ledgers/{LEDGER}/records/{}", body["sequence"]));
        assert_eq!(record.unwrap().status, 200, "{body}");
    }
    let other = Purchase { number: 500, account: "other-1".to_owned(), cents: 100 };
    assert_eq!(bought(&server, &other.delivery().unwrap())["outcome"], "recorded");
    server.stop().unwrap();
    let report = verify(home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let home = Home::new(&setup()).unwrap();
    lived(&home);
    let before = verify(&home).unwrap();
    let fixed = ["erase", "--ledger", LEDGER, "--by", "anna"];
    for (more, code, told) in [
        (vec!["--reason", "r"], 2, "--account"),
        (vec!["--reason", "r", "--containing", "zoe"], 2, "less than 4 bytes"),
        (vec!["--reason", "for zoë quillfeather", "--containing", NAME], 2, "would stay for ever"),
        (vec!["--reason", "r", "--account", "nobody"], 1, "no such account"),
        (vec!["--reason", "", "--account", "zoe"], 2, "--reason"),
        (vec!["--reason", "r", "--account", "zoe", "--config", "none.toml"], 2, "none.toml"),
    ] {
        let output = run(&home, &[&fixed[..], &more].concat()).unwrap();
        let faults = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{more:?}: {faults}");
        assert!(faults.contains(told), "{more:?}: {faults}");
    }
    let other =
        run(&home, &["erase", "--ledger", "none", "--reason", "r", "--by", "a", "--account", "a"]);
    assert_eq!(other.unwrap().status.code(), Some(1));
    assert_eq!(verify(&home).unwrap(), before);
    let server = Server::start(&home).unwrap();
    let output = run(&home, &arguments(&[])).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another process has it open"));
    server.stop().unwrap();
}

/// Where the process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// As soon as something is tried in the data folder.
    First,
    /// When so many bytes of the new log are written.
    Written(u64),
    /// When the new log is in the old one's place.
    Exchanged,
}

/// Kills the process at that moment, or not at all where it ended before.
fn killed(process: &mut Child, data: &Path, moment: Moment) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let identity = |name: &str| fs::metadata(data.join(name)).map(|it| it.ino()).ok();
    let old = identity("log");
    let reached = || match moment {
        Moment::First => identity("log.new").is_some(),
        Moment::Written(bytes) => {
            fs::metadata(data.join("log.new/db")).is_ok_and(|it| it.len() >= bytes)
        }
        Moment::Exchanged => identity("log") != old,
    };
    loop {
        if reached() {
            process.kill().unwrap();
            process.wait().unwrap();
            return true;
        }
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        std::hint::spin_loop();
    }
}

fn spawned(home: &Home) -> Child {
    let mut command: Command = binary::command(&arguments(&[])).unwrap();
    command.current_dir(home.path()).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null()).spawn().unwrap()
}

/// A home with a copy of another one's data.
fn like(home: &Home) -> Home {
    let copy = Home::new(&setup()).unwrap();
    for path in files(&home.file("data")) {
        let place = path.strip_prefix(home.path()).unwrap();
        fs::create_dir_all(copy.path().join(place).parent().unwrap()).unwrap();
        fs::copy(&path, copy.path().join(place)).unwrap();
    }
    copy
}

#[test]
fn an_erasure_that_is_killed_is_finished_by_the_next_one() {
    let home = Home::new(&setup()).unwrap();
    lived(&home);
    let config = fs::read_to_string(home.file(CONFIG)).unwrap();
    assert!(config.contains("data = \"data\""));
    let records = verify(&home).unwrap()["records"].as_u64().unwrap();
    let mut kills = 0;
    for moment in [
        Moment::First,
        Moment::Written(1),
        Moment::Written(1 << 20),
        Moment::Written(9 << 20),
        Moment::Exchanged,
    ] {
        let home = like(&home);
        let data = home.file("data");
        kills += u32::from(killed(&mut spawned(&home), &data, moment));
        let report = verify(&home).unwrap();
        let kinds: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["kind"].as_str().unwrap())
            .collect();
        let recorded = report["records"].as_u64().unwrap() - records;
        assert!(recorded <= 1, "{moment:?}: {report}");
        let unfinished = recorded == 1 && !kinds.is_empty();
        if unfinished {
            assert_eq!(kinds, ["erasure-unfinished"], "{moment:?}: {report}");
            warned(&home);
        } else {
            assert_eq!(report["ok"], true, "{moment:?}: {report}");
        }
        let done = erase(&home, &[]);
        let by = json!(records + 1);
        assert_eq!(
            done["finished"],
            if unfinished { by.clone() } else { Value::Null },
            "{moment:?}"
        );
        assert_eq!(
            done["records"],
            if recorded == 1 { json!([]) } else { json!([by]) },
            "{moment:?}"
        );
        assert_eq!(found_in(&data), [""; 0], "{moment:?}");
        let report = verify(&home).unwrap();
        assert_eq!(
            (&report["ok"], &report["records"]),
            (&json!(true), &by),
            "{moment:?}: {report}"
        );
    }
    assert!(kills >= 3, "{kills} of the runs were killed before they ended");
}

/// The server says so when it starts.
fn warned(home: &Home) {
    let server = Server::start(home).unwrap();
    wait::until("the warning", || {
        let log = fs::read_to_string(home.file("log")).ok()?;
        log.contains("bodies that this record erases are still there").then_some(())
    })
    .unwrap();
    server.stop().unwrap();
}

/// What the bodies' reader gives is what the API gives: nothing is looked for past the erased ones.
#[test]
fn bodies_are_read_in_order_with_those_that_are_gone() {
    let home = Home::new(&setup()).unwrap();
    lived(&home);
    erase(&home, &[]);
    let store = SledStore::open(&home.file("data"), Options::STANDARD).unwrap();
    let ledger = LedgerId::new(LEDGER).unwrap();
    let (mut empty, mut last) = (0, 0);
    bodies(&store, &ledger, &mut |sequence, body| {
        assert_eq!(sequence.get(), last + 1);
        last = sequence.get();
        empty += u64::from(body.is_empty());
        let read = store.log().body(&ledger, sequence).unwrap().unwrap();
        assert_eq!(read, body);
    })
    .unwrap();
    assert_eq!(empty, 9);
    assert_eq!(Some(last), store.log().head(&ledger).map(|head| head.sequence.get()));
}
