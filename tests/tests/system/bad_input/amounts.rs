//! Every place where an amount is told.

use serde_json::{Value, json};
use tallyhook_tests::paddle::{id, put};

use super::{Case, World, import, refused, with};

/// A place where an amount is told, and what may be told there besides what is above zero.
struct Amount {
    path: String,
    body: Value,
    pointer: &'static str,
    /// How many decimals are too many.
    too_precise: &'static str,
    over: &'static str,
    takes: &'static [Takes],
}

/// What is no fault in some places.
#[derive(PartialEq)]
enum Takes {
    Zero,
    Null,
    /// Blanks around it, and nothing at all.
    Blanks,
}

fn amounts(world: &World) -> Vec<Amount> {
    let credits = |path: &str, body: Value, pointer, takes| Amount {
        path: path.to_owned(),
        body,
        pointer,
        too_precise: "0.0000001",
        over: "1000000000000000.000001",
        takes,
    };
    let money = |path: &str, body: Value, pointer, takes| Amount {
        too_precise: "1.001",
        over: "1000000000000.01",
        ..credits(path, body, pointer, takes)
    };
    let mut all = Vec::new();
    for (path, body) in world.routes() {
        if body.get("amount").is_some() && path != "imports" {
            let null: &[Takes] = if path.ends_with("write-offs") { &[Takes::Null] } else { &[] };
            all.push(credits(&path, body, "/amount", null));
        }
    }
    let late = json!({"amount": "1", "metadata": {"model": "m"}, "already_happened": true});
    all.push(credits("accounts/a/debits", late, "/amount", &[]));
    let paid = json!({"amount": "1", "kind": "paid", "reason": "r"});
    all.push(credits("accounts/a/grants", paid, "/amount", &[]));

    let approve = format!("cases/{}/approve", world.review);
    all.push(credits(&approve, json!({"credits": "1"}), "/credits", &[Takes::Null]));
    all.push(money(&approve, json!({"amount": "1"}), "/amount", &[Takes::Null]));
    let zero = &[Takes::Zero];
    let none = &[Takes::Zero, Takes::Null];
    let old = || import("a", json!({}));
    let unused = import("a", json!({"left": {"paid": "0"}}));
    all.push(credits("imports", unused, "/granted/paid", &[]));
    all.push(credits("imports", old(), "/granted/gift", none));
    all.push(credits("imports", old(), "/left/paid", zero));
    all.push(credits("imports", old(), "/left/gift", none));
    all.push(money("imports", old(), "/amount", &[]));
    all.push(money("imports", old(), "/tax", none));
    let facts = json!({"facts": {"amount": "1", "currency": "USD", "third_party_costs": "1"}});
    let mut opened = json!({"payment": id("txn", 2), "reason": "mistake"});
    with(&mut opened, facts.clone());
    let informed = format!("cases/{}/information", world.incomplete);
    for (path, body) in [("accounts/b/refund-cases", opened), (&*informed, facts)] {
        let takes = &[Takes::Zero, Takes::Blanks];
        all.push(money(path, body.clone(), "/facts/amount", takes));
        all.push(money(path, body, "/facts/third_party_costs", takes));
    }
    all
}

#[test]
fn amounts_are_plain_decimals_above_zero_and_within_the_limits() {
    refused(|world| {
        let cases = told(world);
        assert!(cases.len() > 700, "{} amounts", cases.len());
        cases
    });
}

/// What is bad in each place.
fn told(world: &World) -> Vec<Case> {
    let long = "9".repeat(100_000);
    let many = "9".repeat(40);
    let texts = [
        "-1", "-0.5", "--1", "+1", "1e3", "1E3", "1e-3", "1,5", "1.5.5", "1.", ".5", ".", "-", "x",
        "1_000", "0x1", "NaN", "nan", "Infinity", "inf", "\u{661}", "\u{ff11}", "1\u{0}", "1 000",
        "$1", &many, &long,
    ];
    let mut cases = Vec::new();
    for amount in amounts(world) {
        let Amount { path, body, pointer, too_precise, over, takes } = &amount;
        let mut bad = [&texts[..], &[*too_precise, *over]].concat();
        if !takes.contains(&Takes::Zero) {
            bad.extend(["0", "0.0", "00", "-0"]);
        }
        if !takes.contains(&Takes::Blanks) {
            bad.extend(["", " ", " 1", "1 ", "\t1", "1\n"]);
        }
        let put = |value: Value| {
            let mut body = body.clone();
            put(&mut body, pointer, value).unwrap();
            body
        };
        for text in bad {
            cases.push(Case::post(path, &put(json!(text)), 422, unfit(path, pointer, text)));
        }
        let types = [json!(1), json!(1.5), json!(1e3), json!(true), json!([]), json!(["1"])];
        let null = if takes.contains(&Takes::Null) { vec![] } else { vec![Value::Null] };
        for value in [&types[..], &[json!({}), json!({"amount": "1"})], &null].concat() {
            cases.push(Case::post(path, &put(value), 400, "body_malformed"));
        }
    }
    cases
}

/// That nothing was paid is told of an import as a whole.
fn unfit(path: &str, pointer: &str, text: &str) -> &'static str {
    let nothing = path == "imports" && pointer == "/amount" && matches!(text, "0" | "0.0" | "00");
    if nothing { "import_invalid" } else { "amount_invalid" }
}
