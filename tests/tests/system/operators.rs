//! The commands of operators: imports, refund cases, policies put in force.

use std::process::{Child, Output, Stdio};

use serde_json::{Value, json};
use tallyhook_tests::{
    binary,
    home::{CONFIG, Home, LEDGER, POLICY, SOURCE, Setup, TOKEN, Token},
    paddle::{Delivery, Purchase, id},
    server::{Server, refused, verify},
    wait,
};

const READER: &str = "token-of-a-reader";

const HEADER: &str =
    "account,payment,paid_at,currency,amount,tax,paid_granted,paid_left,gift_granted,gift_left\n";

/// One of each verdict that an application can have at once.
const REFUNDS: &str = r#"
[refunds]
facts = ["email", "amount", "currency"]
review_business_days = 7
calendar = { zone = "Asia/Shanghai", weekend = ["saturday", "sunday"] }

[refunds.reasons.changed-needs]
verdict = "deny"
rule = "A6"

[refunds.reasons.duplicate]
verdict = "review"
rule = "N2"

[refunds.quote]
channel_fee = { percent = "2.9", fixed = { USD = "0.30" } }
"#;

/// A server that knows refunds, with 12 credits of a payment in the account `a`.
fn started() -> (Home, Server, Purchase) {
    let mut setup = Setup::one();
    setup.ledger().unwrap().policy = format!("{POLICY}{REFUNDS}");
    setup.tokens = vec![Token { token: READER, roles: &["read"], ledgers: vec![LEDGER.into()] }];
    let home = Home::new(&setup).unwrap();
    let server = Server::start(&home).unwrap();
    let bought = Purchase { number: 1, account: "a".to_owned(), cents: 1_200 };
    delivered(&server, &bought.delivery().unwrap());
    (home, server, bought)
}

fn delivered(server: &Server, delivery: &Delivery) {
    let answer = server.deliver(SOURCE, delivery).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn url(server: &Server) -> String {
    format!("http://{}", server.private)
}

fn begun(home: &Home, token: &str, arguments: &[&str]) -> Child {
    let mut command = binary::command(arguments).unwrap();
    command.current_dir(home.path()).env("TALLYHOOK_TOKEN", token);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// Runs a command that ends with this code; what it printed.
fn run(home: &Home, token: &str, code: i32, arguments: &[&str]) -> (String, String) {
    let output = begun(home, token, arguments).wait_with_output().unwrap();
    let (out, err) = told(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    (out, err)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An import of `rows.csv` with more arguments, in JSON.
fn imported(home: &Home, server: &Server, code: i32, more: &[&str]) -> Value {
    let url = url(server);
    let arguments = ["import", "rows.csv", "--server", &url, "--json"];
    let reason = if more.contains(&"--reason") { &[][..] } else { &["--reason", "opening"][..] };
    json_of(&run(home, TOKEN, code, &[&arguments[..], reason, more].concat()).0)
}

fn records(server: &Server) -> usize {
    server.list("records", 500).unwrap().len()
}

#[test]
fn opening_balances_are_found_by_later_refunds() {
    let (home, server, _) = started();
    let old = Purchase { number: 7, account: "alice".to_owned(), cents: 1_000 };
    let rows = format!(
        "{HEADER}alice,{},2025-01-31T12:00:00Z,USD,10.00,2,1000,400,100,25\nbob,,,,,,0,0,20,5.5\n",
        old.payment()
    );
    home.write("rows.csv", &rows).unwrap();
    let before = records(&server);
    let checked = imported(&home, &server, 0, &["--check"]);
    let credits = json!({"paid": "400", "gift": "30.5"});
    let expected = json!({
        "ok": true, "file": "rows.csv", "check": true, "rows": 2, "recorded": 0,
        "recorded_before": 0, "credits": credits, "faults": [],
    });
    assert_eq!(checked, expected);
    assert_eq!(records(&server), before, "a check records nothing");

    let done = imported(&home, &server, 0, &[]);
    assert_eq!((&done["recorded"], &done["credits"]), (&json!(2), &credits), "{done}");
    let alice = server.account("alice").unwrap();
    assert_eq!((&alice["paid"], &alice["gift"]), (&json!("400"), &json!("25")), "{alice}");
    assert_eq!(server.account("bob").unwrap()["gift"], "5.5");
    // The same file again is the same import.
    let again = imported(&home, &server, 0, &[]);
    assert_eq!((&again["recorded"], &again["recorded_before"]), (&json!(0), &json!(2)), "{again}");
    assert_eq!(again["credits"], credits);
    assert_eq!(records(&server), before + 2);

    let refund = old.adjustment("adjustment.updated.refund-approved", 8, 1_000).unwrap();
    delivered(&server, &Delivery::of(&refund).unwrap());
    let alice = server.account("alice").unwrap();
    assert_eq!((&alice["available"], &alice["owed"]), (&json!("0"), &json!("675")), "{alice}");
    server.stop().unwrap();
    assert_eq!(verify(&home).unwrap()["ok"], true);
}

#[test]
fn a_file_with_any_fault_records_nothing() {
    let (home, server, bought) = started();
    let close = json!({"reason": "r"});
    let gift = json!({"amount": "1", "kind": "gift", "reason": "r"});
    assert_eq!(server.command("shut/grants", "g", &gift).unwrap().status, 201);
    assert_eq!(server.command("shut/close", "c", &close).unwrap().status, 200);
    let before = records(&server);
    let rows = format!(
        "{HEADER}good,txn_good,2025-01-31T12:00:00Z,USD,10,,10,10,,\n\
         a,{},2025-01-31T12:00:00Z,USD,10,,10,10,,\n\
         shut,txn_shut,2025-01-31T12:00:00Z,USD,10,,10,10,,\n\
         fine,txn_fine,2025-01-31T12:00:00Z,USD,10.001,,10,10.0000001,,\n\
         shut,,,,,,,,1,1\n",
        bought.payment()
    );
    home.write("rows.csv", &rows).unwrap();
    for more in [&[][..], &["--check"]] {
        let report = imported(&home, &server, 1, more);
        let faults = report["faults"].as_array().unwrap().iter();
        let found: Vec<(u64, &str)> = faults
            .map(|fault| (fault["line"].as_u64().unwrap(), fault["column"].as_str().unwrap()))
            .collect();
        let expected =
            [(3, "payment"), (4, "account"), (5, "amount"), (5, "paid_left"), (6, "account")];
        assert_eq!(found, expected, "{report}");
        assert_eq!((&report["ok"], &report["recorded"]), (&json!(false), &json!(0)));
    }
    assert_eq!(records(&server), before);
    let url = url(&server);
    let arguments = ["import", "rows.csv", "--server", &url, "--reason", "opening"];
    let (out, _) = run(&home, TOKEN, 1, &arguments);
    assert!(out.contains("rows.csv: line 3: payment: is in the ledger already"), "{out}");
    assert!(out.ends_with("faults 5; nothing was recorded\n"), "{out}");
}

#[test]
fn the_same_file_is_never_imported_for_two_reasons() {
    let (home, server, _) = started();
    let rows = format!("{HEADER}x,txn_x,2025-01-31T12:00:00Z,USD,10,,10,10,,\nx,,,,,,,,1,1\n");
    home.write("rows.csv", &rows).unwrap();
    imported(&home, &server, 0, &[]);
    let before = records(&server);
    let other = imported(&home, &server, 1, &["--reason", "another"]);
    assert_eq!(other["faults"][0]["line"], 2, "{other}");
    assert!(other["faults"][0]["remedy"].as_str().unwrap().contains("--reason"), "{other}");
    // A file that differs in one byte is another, and its payments are known.
    home.write("rows.csv", &format!("{rows}\n")).unwrap();
    let edited = imported(&home, &server, 1, &[]);
    assert_eq!(edited["faults"][0]["column"], "payment", "{edited}");
    assert_eq!(records(&server), before);
    // An account that was closed since keeps what was imported.
    home.write("rows.csv", &rows).unwrap();
    let close = json!({"reason": "r"});
    assert_eq!(server.command("x/close", "c", &close).unwrap().status, 200);
    let again = imported(&home, &server, 0, &[]);
    assert_eq!(again["recorded_before"], 2, "{again}");
}

#[test]
fn an_import_that_broke_off_is_repeated() {
    const ROWS: usize = 3_000;
    let (home, server, _) = started();
    let mut rows = HEADER.to_owned();
    for row in 0..ROWS {
        let account = row % 50;
        if row % 3 == 0 {
            rows.push_str(&format!("k{account},,,,,,,,2,1\n"));
        } else {
            let payment = id("txn", u64::try_from(row + 100).unwrap());
            rows.push_str(&format!("k{account},{payment},2025-01-31T12:00:00Z,USD,1,,2,1,,\n"));
        }
    }
    home.write("rows.csv", &rows).unwrap();
    let (before, address) = (records(&server), url(&server));
    let arguments = ["import", "rows.csv", "--server", &address, "--reason", "opening", "--json"];
    let import = begun(&home, TOKEN, &arguments);
    wait::until("the first rows to be recorded", || {
        let path = format!("/v1/ledgers/{LEDGER}/records/20");
        server.get(&path).ok().filter(|answer| answer.status == 200).map(drop)
    })
    .unwrap();
    server.kill().unwrap();
    let output = import.wait_with_output().unwrap();
    let (out, err) = told(&output);
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    assert!(err.contains("give the same command again"), "{err}");

    let server = Server::start(&home).unwrap();
    let recorded = records(&server) - before;
    assert!(recorded > 10 && recorded < ROWS, "it broke off: {recorded}");
    let done = imported(&home, &server, 0, &[]);
    assert_eq!(done["recorded_before"], json!(recorded), "{done}");
    assert_eq!(done["recorded"], json!(ROWS - recorded), "{done}");
    assert_eq!(done["credits"], json!({"paid": "2000", "gift": "1000"}), "{done}");
    let accounts = server.list("accounts", 500).unwrap();
    let balance = |name: &str| -> u64 {
        let own = accounts.iter().filter(|view| view["account"] != "a");
        own.map(|view| view[name].as_str().unwrap().parse::<u64>().unwrap()).sum()
    };
    assert_eq!((balance("paid"), balance("gift")), (2_000, 1_000));
}

#[test]
fn imports_say_what_they_lack() {
    let (home, server, _) = started();
    let url = url(&server);
    home.write("rows.csv", &format!("{HEADER}b,,,,,,,,1,1\n")).unwrap();
    let good = ["import", "rows.csv", "--server", &url, "--reason", "r"];
    let with = |place: usize, text: &'static str| {
        let mut arguments = good.map(str::to_owned);
        text.clone_into(&mut arguments[place]);
        arguments
    };
    let nowhere = "http://127.0.0.1:1";
    for (arguments, token, code, words) in [
        (with(1, "none.csv"), TOKEN, 3, "none.csv"),
        (with(5, ""), TOKEN, 2, "--reason"),
        (with(0, "import"), "unknown", 2, "TALLYHOOK_TOKEN"),
        (with(0, "import"), READER, 2, "operate"),
        (with(3, nowhere), TOKEN, 3, "is the server running"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (_, err) = run(&home, token, code, &arguments);
        assert!(err.contains(words), "{words}: {err}");
    }
    let other = [&good[..], &["--ledger", "other"]].concat();
    assert!(run(&home, TOKEN, 2, &other).1.contains("ledger_not_allowed"));
    let origin = [&good[..], &["--origin", "stripe", "--check"]].concat();
    run(&home, TOKEN, 0, &origin);
    assert!(run(&home, READER, 0, &[&good[..], &["--check"]].concat()).0.contains("is good"));
}

/// A command on cases, in JSON.
fn case(home: &Home, server: &Server, code: i32, arguments: &[&str]) -> Value {
    let url = url(server);
    let all = [&["case"][..], arguments, &["--server", &url, "--json"]].concat();
    json_of(&run(home, TOKEN, code, &all).0)
}

#[test]
fn a_case_goes_from_its_application_to_the_processors_refund() {
    let (home, server, bought) = started();
    let payment = bought.payment();
    let open = ["open", "a", &payment, "--reason", "duplicate", "--fact", "email=a@example.com"];
    let waiting = case(&home, &server, 0, &[&open[..], &["--key", "mine"]].concat());
    assert_eq!(waiting["verdict"], "needs-information", "{waiting}");
    assert_eq!(waiting["missing"], json!(["amount", "currency"]));
    assert_eq!(waiting["idempotency_key"], "mine");
    let again = case(&home, &server, 0, &[&open[..], &["--key", "mine"]].concat());
    assert_eq!((&again["replayed"], &again["id"]), (&json!(true), &waiting["id"]));
    let known = waiting["id"].as_str().unwrap();

    let (url, facts) = (url(&server), ["--fact", "currency=USD", "--fact", "amount=12"]);
    let inform = [&["case", "inform", known, "--server", &url][..], &facts].concat();
    let (told, _) = run(&home, TOKEN, 0, &inform);
    for words in [
        "verdict    needs-review\n",
        "due        20",
        "unused balance  12.00\n",
        "channel fee     -0.64\n",
        "to refund       11.36\n",
        "credits that go with it: paid 12, gift 0\n",
        "tallyhook case approve",
    ] {
        assert!(told.contains(words), "{words:?} in\n{told}");
    }
    assert!(!told.contains("example.com"), "{told}");
    assert_eq!(server.account("a").unwrap()["available"], "0", "the quoted credits are held");

    let list = case(&home, &server, 0, &["list", "--status", "in-review", "--account", "a"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(case(&home, &server, 0, &["list", "--overdue"])["items"], json!([]));
    let (told, _) = run(&home, READER, 0, &["case", "list", "--server", &url]);
    assert!(told.contains(known) && told.contains("11.36 USD"), "{told}");

    let (told, _) = run(&home, TOKEN, 0, &["case", "approve", known, "--server", &url]);
    assert!(told.contains(&format!("refund 11.36 USD of payment {payment}")), "{told}");
    let refund = bought.adjustment("adjustment.updated.refund-approved", 9, 1_136).unwrap();
    delivered(&server, &Delivery::of(&refund).unwrap());
    let done = case(&home, &server, 0, &["show", known]);
    assert_eq!(done["status"], "refunded", "{done}");
    assert_eq!(server.account("a").unwrap()["available"], "0");
}

#[test]
fn cases_are_denied_withdrawn_and_refused() {
    let (home, server, bought) = started();
    let payment = bought.payment();
    let complete = ["--fact", "amount=12", "--fact", "currency=USD", "--fact", "email=e"];
    let open = |reason: &'static str| {
        [&["open", "a", &payment, "--reason", reason][..], &complete].concat()
    };
    let denied = case(&home, &server, 0, &open("changed-needs"));
    assert_eq!((&denied["verdict"], &denied["rule"]), (&json!("denied"), &json!("A6")));

    let first = case(&home, &server, 0, &open("duplicate"));
    let first = first["id"].as_str().unwrap();
    let second = case(&home, &server, 1, &open("duplicate"));
    assert_eq!(second["code"], "case_already_open", "{second}");
    let ended = case(&home, &server, 0, &["withdraw", first, "--note", "found it"]);
    assert_eq!(ended["status"], "withdrawn");
    let late = case(&home, &server, 1, &["approve", first]);
    assert_eq!(late["code"], "case_finished", "{late}");

    let third = case(&home, &server, 0, &open("duplicate"));
    let third = third["id"].as_str().unwrap();
    let above = case(&home, &server, 1, &["approve", third, "--amount", "12.01"]);
    assert_eq!(above["code"], "approval_above_paid", "{above}");
    let no = case(&home, &server, 0, &["deny", third, "--note", "one charge only"]);
    assert_eq!((&no["status"], &no["denied_by"]), (&json!("denied"), &json!("operator")));

    let url = url(&server);
    let unknown = ["case", "open", "a", &payment, "--reason", "whim", "--server", &url];
    let (_, err) = run(&home, TOKEN, 1, &unknown);
    assert!(err.contains("reason_unknown") && err.contains("changed-needs, duplicate"), "{err}");
    let (_, err) = run(&home, TOKEN, 1, &["case", "show", "none", "--server", &url]);
    assert!(err.contains("case_unknown"), "{err}");
    let (_, err) = run(&home, READER, 2, &["case", "deny", third, "--note", "n", "--server", &url]);
    assert!(err.contains("role_missing"), "{err}");
    let nameless = ["case", "inform", third, "--fact", "personal", "--server", &url];
    let (_, err) = run(&home, TOKEN, 2, &nameless);
    assert!(err.contains("NAME=VALUE") && !err.contains("personal"), "{err}");
}

/// The policy as a later version.
fn later(version: u32, from: &str, rate: &str) -> String {
    POLICY
        .replace("version = 1", &format!("version = {version}"))
        .replace("2020-01-01T00:00:00Z", from)
        .replace("USD = \"1\"", &format!("USD = \"{rate}\""))
}

#[test]
fn a_version_is_put_in_force_on_a_running_server() {
    let home = Home::new(&Setup::one()).unwrap();
    let server = Server::start(&home).unwrap();
    let url = url(&server);
    let text = later(2, "2999-01-01T00:00:00Z", "2");
    home.write("next.toml", &text).unwrap();
    let activate = ["policy", "activate", "next.toml", "--server", &url];
    let (told, _) = run(&home, TOKEN, 0, &activate);
    assert!(told.contains("tests version 2 follows version 1 by record"), "{told}");
    assert!(told.contains("rate of USD rises from 1 to 2 credits"), "{told}");
    assert!(told.contains("At its next start") && told.contains("next.toml"), "{told}");
    let page = server.get(&format!("/v1/ledgers/{LEDGER}/policies")).unwrap().json().unwrap();
    assert_eq!(page["items"][1]["version"], 2, "{page}");

    let before = records(&server);
    assert!(run(&home, TOKEN, 0, &activate).0.contains("in force already"));
    for (text, why, remedy) in [
        (POLICY.to_owned(), "was in force before", "raise `version`"),
        (later(2, "2999-01-01T00:00:00Z", "3"), "does not follow", "set version = 3"),
        (later(3, "2001-01-01T00:00:00Z", "3"), "before the activation", "effective_from"),
        (later(3, "2998-01-01T00:00:00Z", "3"), "before that of", "2999-01-01T00:00:00Z"),
        (
            later(3, "2999-01-02T00:00:00Z", "3").replace("decimals = 6", "decimals = 2"),
            "never change",
            "decimals = 6",
        ),
    ] {
        home.write("next.toml", &text).unwrap();
        let (_, err) = run(&home, TOKEN, 1, &activate);
        assert!(err.contains(why) && err.contains(remedy), "{why}, {remedy}: {err}");
        let problem = json_of(&run(&home, TOKEN, 1, &[&activate[..], &["--json"]].concat()).0);
        assert_eq!(problem["activated"], false);
    }
    home.write("next.toml", "version = 0").unwrap();
    let (told, _) = run(&home, TOKEN, 2, &activate);
    assert!(told.contains("next.toml: line 1: version"), "{told}");
    run(&home, TOKEN, 2, &["policy", "activate", "next.toml"]);
    run(&home, TOKEN, 2, &[&activate[..], &["--config", CONFIG]].concat());
    assert_eq!(records(&server), before);

    // Rule 11: the configured file must be the one in force.
    server.stop().unwrap();
    assert!(refused(&home).unwrap().1.contains("policy activate"));
    home.write(&format!("{LEDGER}.policy.toml"), &text).unwrap();
    Server::start(&home).unwrap().stop().unwrap();
    assert_eq!(verify(&home).unwrap()["ok"], true);
}

#[test]
fn a_version_is_put_in_force_in_a_stopped_servers_data() {
    let home = Home::new(&Setup::one()).unwrap();
    home.write("next.toml", &later(2, "2999-01-01T00:00:00Z", "2")).unwrap();
    let activate = ["policy", "activate", "next.toml", "--config", CONFIG];
    let (_, err) = run(&home, "", 3, &activate);
    assert!(err.contains("start the server once"), "{err}");
    assert!(!home.file("data").exists(), "nothing was made");
    let server = Server::start(&home).unwrap();
    let (_, err) = run(&home, "", 3, &activate);
    assert!(err.contains("stop the server"), "{err}");
    server.stop().unwrap();

    let (_, err) = run(&home, "", 2, &[&activate[..], &["--ledger", "other"]].concat());
    assert!(err.contains("give one of main"), "{err}");
    let (told, _) = run(&home, "", 0, &[&activate[..], &["--actor", "ops"]].concat());
    assert!(told.contains("rate of USD rises from 1 to 2 credits"), "{told}");
    assert!(told.contains("main.policy.toml, which is another text"), "{told}");
    assert!(refused(&home).unwrap().1.contains("policy activate"));

    // The usual way: the configured file itself is the next version.
    let own = format!("{LEDGER}.policy.toml");
    home.write(&own, &later(3, "2999-01-02T00:00:00Z", "3")).unwrap();
    let arguments = ["policy", "activate", &own, "--config", CONFIG, "--json"];
    let done = json_of(&run(&home, "", 0, &arguments).0);
    assert_eq!((&done["activated"], &done["version"]), (&json!(true), &json!(3)), "{done}");
    assert_eq!(done["configured"], json!(null), "{done}");
    home.write("next.toml", &later(3, "2999-01-02T00:00:00Z", "4")).unwrap();
    assert!(run(&home, "", 1, &activate).1.contains("set version = 4"));

    let server = Server::start(&home).unwrap();
    let actor = |sequence: u64| {
        let path = format!("/v1/ledgers/{LEDGER}/records/{sequence}");
        server.get(&path).unwrap().json().unwrap()["input"]["actor"].clone()
    };
    let last = done["sequence"].as_u64().unwrap();
    assert_eq!((actor(last - 1), actor(last)), (json!("ops"), json!("command line")));
    let text = server.get(&format!("/v1/ledgers/{LEDGER}/policies/3")).unwrap().json().unwrap();
    assert_eq!(text["toml"], later(3, "2999-01-02T00:00:00Z", "3"));
    server.stop().unwrap();
    assert_eq!(verify(&home).unwrap()["ok"], true);
}
