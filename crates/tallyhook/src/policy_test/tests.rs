//! Files with faults, scenarios that fail, and every kind of step.

use super::{
    Played, TestArguments,
    file::{self, File},
    line,
    play::{Failure, play},
    test,
};
use crate::exit::{Exit, told};

const POLICY: &str = include_str!("../../../../policies/all-sales-final.toml");

/// A file with these lines after its first two.
fn file(rest: &str) -> Result<File, String> {
    let text = format!("policy = \"p.toml\"\nstart = \"2026-07-06T09:00:00Z\"\n{rest}");
    file::read(&text).map_err(|faults| {
        let lines: Vec<String> = faults.sorted().iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// A file of one scenario with these steps, each on a line of its own from line 5.
fn scenario(steps: &[&str]) -> String {
    format!("[[scenario]]\nname = \"s\"\nstep = [\n{}\n]\n", steps.join(",\n").replace('\n', ""))
        .replace("},{", "},\n{")
}

/// Plays one scenario of these steps.
fn played(policy: &str, steps: &[&str]) -> Option<Failure> {
    let file = file(&scenario(steps)).unwrap();
    play(&file, policy, &file.scenarios[0]).unwrap()
}

/// The lines that a scenario fails with.
fn check(policy: &str, steps: &[&str], expected: Option<(usize, &str, &[&str])>) {
    let failure = played(policy, steps);
    let differences = |failure: &Failure| {
        let each = failure.differences.iter();
        each.map(|one| format!("{} {} {}", one.field, one.expected, one.found)).collect::<Vec<_>>()
    };
    match (&failure, expected) {
        (None, None) => {}
        (Some(failure), Some((line, problem, expected))) => {
            assert_eq!((failure.line, &*failure.problem), (line, problem), "{failure:?}");
            assert_eq!(differences(failure), expected);
        }
        _ => panic!("{failure:?}"),
    }
}

#[test]
fn every_fault_of_a_file_is_told_with_its_line_and_a_remedy() {
    let faulty = r#"curency = "USD"
account_from = []
[[scenario]]
rule = "A1"
[[scenario.step]]
at = "tomorrow"
refund-case = { account = "a" }
[[scenario.step]]
wait = "1 week"
account = "a"
expect = "10"
[[scenario.step]]
purchase = { payment = "t", amount = "ten", currency = "usd", status = "done" }
[[scenario.step]]
purchase = { payment = "t", amount = 1, items = [{ price = "p" }] }
[[scenario.step]]
hold = { account = "a", amount = 1.5, expires_in_seconds = "60" }
"#;
    // A float is no fault of a step: what can't be kept is told before.
    let expected =
        "line 19: amount: must not be a float, which is not exact; write it as text: \"1.5\"";
    assert_eq!(file(faulty).unwrap_err(), expected);
    let found = file(&faulty.replace("1.5", "1")).unwrap_err();
    let expected = [
        r#"line 3: curency: is not a known key; remove it; known here are policy, account_from, currency, start, scenario"#,
        r#"line 4: account_from: must be a list of texts; write ["..."]"#,
        r#"line 5: scenario[0].name: is missing; write name = "...""#,
        r#"line 8: scenario[0].step[0].at: "tomorrow" is no date and time; write "2026-07-06T09:00:00Z""#,
        r#"line 9: scenario[0].step[0].refund-case: is not a known key; did you mean "refund_case"?"#,
        r#"line 11: scenario[0].step[1].wait: "1 week" is no time; write "90 seconds", "5 minutes", "2 hours" or "7 days""#,
        r#"line 13: scenario[0].step[1].expect: must be a table; write expect = { available = "10" }"#,
        r#"line 15: scenario[0].step[2].purchase.currency: "usd" is no currency of the processor; write "USD" or another of its codes"#,
        r#"line 15: scenario[0].step[2].purchase.amount: "ten" is no amount of money; write 10.00"#,
        r#"line 15: scenario[0].step[2].purchase.status: "done" is no status; write one of created, payment_failed, paid, completed, canceled"#,
        r#"line 17: scenario[0].step[3].purchase.items[0].amount: is missing; write amount = ..."#,
        r#"line 19: scenario[0].step[4].hold.expires_in_seconds: is of another kind; write a whole number without quotes"#,
    ];
    assert_eq!(found, expected.join("\n"));
}

#[test]
fn steps_that_do_nothing_two_things_or_name_nobody_are_faults() {
    for (steps, expected) in [
        (
            "{ as = \"x\" }",
            "line 6: scenario[0].step[0]: does nothing; say one thing that happens, such as purchase = { ... }",
        ),
        (
            "{ account = \"a\", payment = \"t\" }",
            "line 6: scenario[0].step[0]: does two things; write another [[scenario.step]] for it",
        ),
        (
            "{ at = \"2026-07-07T00:00:00Z\", expect = {} }",
            "line 6: scenario[0].step[0]: expects something of no answer; ask for something, such as account = \"alice\"",
        ),
        (
            "{ case = \"c\" }",
            "line 6: scenario[0].step[0].case: \"c\" is the name of no earlier step; give that step as = \"c\"",
        ),
        (
            "{ redeliver = \"c\" }",
            "line 6: scenario[0].step[0].redeliver: \"c\" is the name of no earlier step; give that step as = \"c\"",
        ),
        (
            "{ account = \"a\", as = \"A\" }",
            "line 6: scenario[0].step[0].as: \"A\" is no name; choose lower-case letters, digits and _",
        ),
        (
            "{ account = \"a\", as = \"x\" }, { account = \"a\", as = \"x\" }",
            "line 6: scenario[0].step[1].as: \"x\" is the name of an earlier step; choose another name",
        ),
        (
            "{ account = \"a\", at = \"2026-07-07T00:00:00Z\", wait = \"1 day\" }",
            "line 6: scenario[0].step[0]: has at and wait; write one of them",
        ),
        (
            "{ debit = \"a\" }",
            "line 6: scenario[0].step[0].debit: must be a table; write { account = ... }",
        ),
    ] {
        let one = format!("[[scenario]]\nname = \"s\"\nstep = [\n{steps}\n]\n");
        assert_eq!(file(&one).unwrap_err(), expected, "{steps}");
    }
    let twice = "[[scenario]]\nname = \"s\"\nstep = [{ account = \"a\" }]\n".repeat(2);
    let expected =
        "line 6: scenario[1]: \"s\" is the name of an earlier scenario; choose another name";
    assert_eq!(file(&twice).unwrap_err(), expected);
    assert!(file("").unwrap_err().starts_with("line 1: scenario: is missing; "));
    assert!(file("scenario = 1").unwrap_err().starts_with("line 1: scenario: is missing; "));
    assert!(file("[[scenario]]\nname = \"s\"").unwrap_err().contains("step: is missing; "));
    assert!(file("[").unwrap_err().contains("is not TOML"));
}

const BOUGHT: &str = "{ purchase = { payment = \"t1\", account = \"a\", amount = \"10.00\" } }";

#[test]
fn a_failure_names_the_line_what_was_expected_and_what_came() {
    check(
        POLICY,
        &[BOUGHT, "{ account = \"a\", expect = { available = 10, status = \"active\" } }"],
        None,
    );
    check(
        POLICY,
        &[BOUGHT, "{ account = \"a\", expect = { available = 11, freezes = [{}], nothing = 1 } }"],
        Some((
            7,
            "was answered otherwise",
            &["available 11 \"10\"", "freezes [{}] []", "nothing 1 (nothing)"],
        )),
    );
    let unknown = "was answered 404 account_unknown: the ledger has no such account";
    check(POLICY, &["{ account = \"a\" }"], Some((6, unknown, &[])));
    check(
        POLICY,
        &["{ account = \"a\", expect = { code = \"account_unknown\", status_code = 404 } }"],
        None,
    );
    check(
        POLICY,
        &[
            BOUGHT,
            "{ debit = { account = \"a\", amount = 1 }, expect = { code = \"account_frozen\" } }",
        ],
        Some((7, "was answered otherwise", &["code \"account_frozen\" (nothing)"])),
    );
    // A path that is there is no absent one.
    check(POLICY, &["{ absent = [\"transfers\", \"nothing/here\"] }"], None);
    let exists = "POST accounts exists: it was answered 405 method_not_allowed: this path takes another method";
    check(POLICY, &["{ absent = [\"accounts\"] }"], Some((6, exists, &[])));
    check(
        POLICY,
        &["{ refund = { payment = \"t9\" } }"],
        Some((6, "no purchase of t9 came before: say its amount", &[])),
    );
    check(
        POLICY,
        &[
            "{ purchase = { payment = \"t1\", account = \"a\", amount = \"1.5\", currency = \"JPY\" } }",
        ],
        Some((6, "1.5 of JPY must have at most 0 decimals", &[])),
    );
    // An event that the product does not take as it is told fails, too.
    let steps = [
        "{ as = \"x\", purchase = { payment = \"t1\", account = \"a\", amount = 1 } }",
        "{ redeliver = \"x\", expect = { outcome = \"recorded\" } }",
    ];
    check(
        POLICY,
        &steps,
        Some((7, "was answered otherwise", &["outcome \"recorded\" \"duplicate\""])),
    );
}

#[test]
fn items_have_prices_of_their_own_and_are_refunded_in_proportion() {
    let policy = POLICY.replace(
        "rates = { USD = \"1\" } ",
        "prices = [{ price = \"pri_1\", paid = \"1000\", gift = \"100\" }] ",
    );
    let steps = [
        "{ purchase = { payment = \"t1\", account = \"a\", discount = \"3.00\", tax = \"2.70\", items = [{ price = \"pri_1\", quantity = 2, amount = \"20.00\" }, { price = \"pri_2\", amount = \"10.00\" }] } }",
        "{ account = \"a\", expect = { paid = 2000, gift = 200 } }",
        "{ payment = \"t1\", expect = { paid = { subtotal = 3000, discount = 300, tax = 270, total = 2970 }, received = 1800 } }",
        // Half of all: half of the line that granted credits.
        "{ refund = { payment = \"t1\", amount = \"13.50\" } }",
        "{ account = \"a\", expect = { paid = 1000, gift = 100 } }",
        "{ refund = { payment = \"t1\", id = \"adj_2\" } }",
        "{ account = \"a\", expect = { paid = 0, gift = 0, owed = 0 } }",
    ];
    check(&policy, &steps, None);
}

#[test]
fn spending_and_operators_steps_reach_the_product() {
    let steps = [
        BOUGHT,
        "{ as = \"h1\", hold = { account = \"a\", amount = 4, expires_in_seconds = 600 }, expect = { available = 6 } }",
        "{ as = \"c1\", capture = { account = \"a\", hold = \"h1\", amount = 3, metadata = { model = \"m\" } }, expect = { available = 7 } }",
        "{ capture = { account = \"a\", hold = \"h1\", amount = 1 }, expect = { code = \"hold_finished\" } }",
        "{ return = { account = \"a\", debit = \"c1\", amount = 3, reason = \"r\" }, expect = { available = 10 } }",
        "{ as = \"h2\", hold = { account = \"a\", amount = 4, expires_in_seconds = 60 } }",
        "{ wait = \"30 seconds\", release = { account = \"a\", hold = \"h2\" }, expect = { available = 10 } }",
        "{ as = \"h3\", hold = { account = \"a\", amount = 4, expires_in_seconds = 60 } }",
        "{ wait = \"61 seconds\", release = { account = \"a\", hold = \"h3\" }, expect = { code = \"hold_finished\" } }",
        "{ grant = { account = \"a\", amount = 5, kind = \"gift\", label = \"coupon\", reason = \"r\" } }",
        "{ debit = { account = \"a\", amount = 20, already_happened = true } }",
        "{ write_off = { account = \"a\", amount = 1, reason = \"r\" } }",
        "{ as = \"f1\", freeze = { account = \"a\", reason = \"r\", measures = { service = \"restrict\", spending = \"suspend\" } } }",
        "{ clear = { account = \"a\", freeze = \"f1\", measure = \"service\", reason = \"r\" } }",
        "{ unfreeze = { account = \"a\", freeze = \"f1\" } }",
        "{ purchase = { payment = \"t2\", customer = \"ctm_2\", amount = 7 } }",
        "{ close = { account = \"a\", reason = \"r\" }, expect = { status_code = 200 } }",
        "{ get = \"accounts/a\", expect = { status = \"closed\" } }",
    ];
    check(POLICY, &steps, None);
}

#[test]
fn payments_exceptions_and_imports_reach_the_product() {
    let steps = [
        "{ purchase = { payment = \"t1\", customer = \"ctm_1\", amount = 7 } }",
        "{ account = \"ctm_1\", expect = { available = 7 } }",
        "{ assign_customer = { account = \"a\", customer = \"ctm_2\", reason = \"r\" } }",
        "{ import = { account = \"a\", payment = \"t0\", paid_at = \"2026-01-01T00:00:00Z\", currency = \"USD\", amount = 10, granted = { paid = 10 }, left = { paid = 4 }, reason = \"r\" } }",
        "{ account = \"a\", expect = { available = 4 } }",
        "{ credit = { payment = \"t1\", amount = 2 } }",
        "{ account = \"ctm_1\", expect = { available = 5 } }",
        "{ credit_reverse = { payment = \"t1\", amount = 2 } }",
        "{ account = \"ctm_1\", expect = { available = 7 } }",
        "{ chargeback = { payment = \"t1\" } }",
        "{ conclude = { payment = \"t1\", dispute = \"chargeback\", outcome = \"settled\", reason = \"r\" } }",
        "{ account = \"ctm_1\", expect = { status = \"active\", available = 0 } }",
        "{ refund = { payment = \"t8\", amount = 5 } }",
        "{ as = \"orphan\", exceptions = { kind = \"orphan\" }, expect = { items = [{ payment = \"t8\" }] } }",
        "{ release_exception = { exception = \"orphan\", reason = \"r\" }, expect = { code = \"not_quarantined\" } }",
        "{ resolve = { exception = \"orphan\", note = \"n\" } }",
        "{ resolve = { exception = \"{orphan}\", note = \"n\" }, expect = { code = \"exception_ended\" } }",
        "{ cases = { status = \"in-review\" }, expect = { items = [] } }",
        "{ as = \"case\", refund_case = { account = \"a\", payment = \"t0\", reason = \"applicable-law\", facts = {} } }",
        "{ cases = { account = \"a\" }, expect = { items = [{ id = \"{case}\" }] } }",
        "{ inform = { case = \"case\", facts = { amount = 10, currency = \"USD\" } }, expect = { wrong = [] } }",
        "{ deny = { case = \"case\", note = \"n\" } }",
    ];
    check(POLICY, &steps, None);
}

#[test]
fn a_later_version_changes_what_it_names() {
    let steps = [
        "{ activate = { version = 2, effective_from = \"2026-07-07T00:00:00Z\", change = { \"credits.rates.EUR\" = \"2\", \"refunds.denials.consumed\" = \"X1\" } } }",
        "{ at = \"2026-07-08T00:00:00Z\", purchase = { payment = \"t1\", account = \"a\", amount = 1, currency = \"EUR\" } }",
        "{ account = \"a\", expect = { available = 2 } }",
    ];
    check(POLICY, &steps, None);
    let steps = [
        "{ activate = { version = 2, effective_from = \"2026-07-07T00:00:00Z\", change = { \"name.x\" = \"2\" } } }",
    ];
    check(POLICY, &steps, Some((6, "name.x: name is no table of the policy", &[])));
    let steps = [
        "{ activate = { version = 2, effective_from = \"2026-07-07T00:00:00Z\", change = { \"credits.expiry\" = \"soon\" } }, expect = { code = \"policy_invalid\" } }",
    ];
    check(POLICY, &steps, None);
}

/// Runs the command in a folder with a policy and a file of these steps.
fn run(steps: &[&str], only: Option<&str>, policy: Option<&str>) -> Exit {
    let folder = tempfile::tempdir().unwrap();
    let (policy_path, path) = (folder.path().join("p.toml"), folder.path().join("s.toml"));
    std::fs::write(&policy_path, POLICY).unwrap();
    let head = "policy = \"p.toml\"\nstart = \"2026-07-06T09:00:00Z\"\n";
    std::fs::write(&path, format!("{head}{}", scenario(steps))).unwrap();
    let arguments = TestArguments {
        files: vec![path],
        policy: policy.map(|name| folder.path().join(name)),
        only: only.map(str::to_owned),
        json: false,
    };
    test(&arguments).unwrap_or_else(told)
}

#[test]
fn the_exit_code_says_what_became_of_it() {
    let good = [BOUGHT, "{ account = \"a\" }"];
    assert_eq!(run(&good, None, None), Exit::Clean);
    assert_eq!(run(&good, Some("s"), Some("p.toml")), Exit::Clean);
    assert_eq!(run(&["{ account = \"a\" }"], None, None), Exit::Findings);
    assert_eq!(run(&["{ acount = \"a\" }"], None, None), Exit::Usage);
    // A file of scenarios is no policy.
    assert_eq!(run(&good, None, Some("s.toml")), Exit::Usage);
    assert_eq!(run(&good, Some("A1"), None), Exit::Usage);
    assert_eq!(run(&good, None, Some("none.toml")), Exit::Unopened);
}

#[test]
fn a_line_says_which_scenario_holds_and_where_another_fails() {
    let text = scenario(&[BOUGHT, "{ account = \"a\", expect = { available = 9 } }"]);
    let file = file(&text.replace("name = \"s\"", "name = \"s\"\nrule = \"A1\"")).unwrap();
    let played = |failure| Played { path: "s.toml", scenario: &file.scenarios[0], failure };
    assert_eq!(line(&played(None)), "ok     A1 s");
    let failure = play(&file, POLICY, &file.scenarios[0]).unwrap();
    let expected = "FAILED A1 s\n       s.toml:8: was answered otherwise\n       s.toml:8: available: expected 9, came \"10\"";
    assert_eq!(line(&played(failure)), expected);
}
