//! What is well said and against the rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tallyhook_tests::{home::POLICY, paddle::id};

use super::{Case, EMAIL, NOTHING, World, import, refused, with};

#[test]
fn spending_is_refused_beyond_what_is_there() {
    refused(|world| {
        let World { hold, hold_of_b, released, debit, debit_of_b, made_good, .. } = world;
        let used = |amount: &str| json!({"amount": amount, "metadata": {"model": "m"}});
        let back =
            |debit: &str, amount: &str| json!({"debit": debit, "amount": amount, "reason": "r"});
        let timed = |seconds: Value| json!({"amount": "1", "expires_in_seconds": seconds});
        let capture = |hold: &str| format!("accounts/a/holds/{hold}/capture");
        let release = |hold: &str| format!("accounts/a/holds/{hold}/release");
        let (debits, holds, returns) =
            ("accounts/a/debits", "accounts/a/holds", "accounts/a/returns");
        let most = "1000000000000000";
        let one = json!({"amount": "1", "expires_in_seconds": 60});
        let write_off = |amount: &str| json!({"amount": amount, "reason": "r"});
        vec![
            Case::post(debits, &used(most), 402, "credits_insufficient"),
            Case::post(
                holds,
                &json!({"amount": most, "expires_in_seconds": 60}),
                402,
                "credits_insufficient",
            ),
            Case::post("accounts/frozen/debits", &used("1"), 409, "account_frozen"),
            Case::post("accounts/frozen/holds", &one, 409, "account_frozen"),
            Case::post(holds, &timed(json!(0)), 422, "hold_time_invalid"),
            Case::post(holds, &timed(json!(-1)), 422, "hold_time_invalid"),
            Case::post(holds, &timed(json!(31_536_001)), 422, "hold_time_invalid"),
            Case::post(holds, &timed(json!(4_294_967_297_i64)), 422, "hold_time_invalid"),
            Case::post(holds, &timed(json!(i64::MAX)), 422, "hold_time_invalid"),
            Case::post(holds, &timed(json!(1.5)), 400, "body_malformed"),
            Case::post(holds, &timed(json!("60")), 400, "body_malformed"),
            Case::post(holds, &json!({"amount": "1"}), 400, "body_malformed"),
            Case::post(capture(hold), &used("20.000001"), 422, "capture_above_hold"),
            Case::post(capture(hold), &used(most), 422, "capture_above_hold"),
            Case::post(capture(released), &used("1"), 409, "hold_finished"),
            Case::post(release(released), &json!({}), 409, "hold_finished"),
            Case::post(capture(hold_of_b), &used("1"), 404, "hold_unknown"),
            Case::post(release(hold_of_b), &json!({}), 404, "hold_unknown"),
            Case::post(capture(debit), &used("1"), 404, "hold_unknown"),
            Case::post(returns, &back(NOTHING, "1"), 404, "debit_unknown"),
            Case::post(returns, &back("", "1"), 404, "debit_unknown"),
            Case::post(returns, &back("no-uuid", "1"), 404, "debit_unknown"),
            Case::post(returns, &back(hold, "1"), 404, "debit_unknown"),
            Case::post(returns, &back(debit_of_b, "1"), 404, "debit_unknown"),
            Case::post(returns, &back(debit, "10.000001"), 422, "return_above_debit"),
            Case::post(returns, &back(made_good, "1"), 409, "return_already_made"),
            Case::post(returns, &back(made_good, "4"), 409, "return_already_made"),
            Case::post(
                "accounts/owing/write-offs",
                &write_off("7.000001"),
                422,
                "write_off_above_owed",
            ),
            Case::post("accounts/a/write-offs", &write_off("1"), 422, "write_off_above_owed"),
            Case::post(
                "accounts/a/write-offs",
                &json!({"reason": "r"}),
                422,
                "write_off_above_owed",
            ),
        ]
    });
}

/// Every amount is within the limits, and no sum with what is there.
#[test]
fn sums_beyond_the_limits_are_refused() {
    refused(|world| {
        let most = "1000000000000000";
        let grant = |kind: &str| json!({"amount": most, "kind": kind, "reason": "r"});
        let late = json!({"amount": most, "metadata": {"model": "m"}, "already_happened": true});
        let pair = |paid: &str, gift: &str| json!({"paid": paid, "gift": gift});
        let old = |granted: Value| import("a", json!({"granted": granted, "left": granted}));
        let credits = json!({"credits": most});
        let approve = format!("cases/{}/approve", world.review);
        vec![
            Case::post("accounts/a/grants", &grant("paid"), 422, "amount_invalid"),
            Case::post("accounts/a/grants", &grant("gift"), 422, "amount_invalid"),
            Case::post("accounts/owing/debits", &late, 422, "amount_invalid"),
            Case::post("imports", &old(pair(most, "0")), 422, "amount_invalid"),
            Case::post("imports", &old(pair("1", most)), 422, "amount_invalid"),
            Case::post(approve, &credits, 422, "amount_invalid"),
        ]
    });
}

#[test]
fn metadata_is_few_short_scalars() {
    refused(|world| {
        let many = |count: usize| -> Value {
            Value::Object((0..count).map(|n| (format!("name {n}"), json!(1))).collect())
        };
        let missing = [json!({}), json!({"Model": "m"}), json!({"request_id": "r"}), many(32)];
        let long = "\u{fc}".repeat(129);
        let invalid = [
            many(33),
            json!({"model": null}),
            json!({"model": ["m"]}),
            json!({"model": {"name": "m"}}),
            json!({"model": "m", "more": {"nested": {"deep": 1}}}),
            json!({"model": long}),
            json!({"model": "m", "": "x"}),
            json!({"model": "m", (long[..66]): "x"}),
        ];
        let malformed = [
            json!(null),
            json!([]),
            json!([["model", "m"]]),
            json!("model"),
            json!(1),
            json!(true),
        ];
        let kinds = [
            (&missing[..], 422, "metadata_missing"),
            (&invalid[..], 422, "metadata_invalid"),
            (&malformed[..], 400, "body_malformed"),
        ];
        let paths =
            ["accounts/a/debits".to_owned(), format!("accounts/a/holds/{}/capture", world.hold)];
        let mut cases = Vec::new();
        for path in &paths {
            for (values, status, code) in kinds {
                for metadata in values {
                    let body = json!({"amount": "1", "metadata": metadata});
                    cases.push(Case::post(path, &body, status, code));
                }
            }
            cases.push(Case::post(path, &json!({"amount": "1"}), 422, "metadata_missing"));
        }
        cases
    });
}

#[test]
fn cases_are_opened_once_by_whom_the_payment_belongs_to() {
    refused(|world| {
        let World { review, incomplete, denied, of_closed, .. } = world;
        let open = "accounts/a/refund-cases";
        let case = |number, other: Value| {
            let mut body = json!({"payment": id("txn", number), "reason": "mistake", "facts": {"email": EMAIL}});
            with(&mut body, other);
            body
        };
        let usual = |number| case(number, json!({}));
        let step = |case: &str, step: &str| format!("cases/{case}/{step}");
        let note = json!({"note": "n"});
        let mut cases = vec![
            Case::post(open, &usual(2), 409, "payment_of_another_account"),
            Case::post("accounts/b/refund-cases", &usual(4), 409, "payment_of_another_account"),
            Case::post(open, &usual(1), 409, "case_already_open"),
            Case::post(open, &case(1, json!({"reason": "regret"})), 409, "case_already_open"),
            Case::post(open, &usual(3), 409, "case_already_open"),
            Case::post(open, &usual(99), 404, "payment_unknown"),
            Case::post(open, &case(4, json!({"payment": ""})), 404, "payment_unknown"),
            Case::post(open, &case(4, json!({"payment": "x".repeat(256)})), 404, "payment_unknown"),
            Case::post(open, &case(4, json!({"origin": "elsewhere"})), 404, "payment_unknown"),
            Case::post(open, &case(4, json!({"reason": "whim"})), 422, "reason_unknown"),
            Case::post(open, &case(4, json!({"reason": ""})), 400, "body_malformed"),
            Case::post(open, &case(4, json!({"reason": "x".repeat(1_001)})), 400, "body_malformed"),
            Case::post("accounts/nobody/refund-cases", &usual(4), 404, "account_unknown"),
            Case::post(step(incomplete, "approve"), &json!({}), 409, "case_incomplete"),
            Case::post(
                step(review, "approve"),
                &json!({"amount": "100.01"}),
                422,
                "approval_above_paid",
            ),
            Case::post(
                step(review, "approve"),
                &json!({"amount": "1", "credits": "1"}),
                400,
                "body_malformed",
            ),
            Case::post(step(review, "approve"), &json!({"note": ""}), 400, "body_malformed"),
            Case::post(step(review, "deny"), &json!({}), 400, "body_malformed"),
            Case::post(
                step(review, "deny"),
                &json!({"note": "x".repeat(1_001)}),
                400,
                "body_malformed",
            ),
            Case::post(step(of_closed, "approve"), &json!({"credits": "1"}), 409, "account_closed"),
        ];
        let steps = [
            ("information", json!({"facts": {"email": EMAIL}})),
            ("approve", json!({})),
            ("deny", note.clone()),
            ("withdraw", note),
        ];
        for (name, body) in &steps {
            cases.push(Case::post(step(denied, name), body, 409, "case_finished"));
            for unknown in [NOTHING, "no-uuid", &world.debit, "%20"] {
                cases.push(Case::post(step(unknown, name), body, 404, "case_unknown"));
            }
        }
        cases
    });
}

#[test]
fn a_closed_account_takes_nothing_new() {
    refused(|_| {
        let reason = json!({"reason": "r"});
        let assign = json!({"account": "closed", "reason": "r"});
        [
            ("accounts/closed/debits", json!({"amount": "1", "metadata": {"model": "m"}})),
            ("accounts/closed/holds", json!({"amount": "1", "expires_in_seconds": 60})),
            ("accounts/closed/grants", json!({"amount": "1", "kind": "paid", "reason": "r"})),
            ("accounts/closed/close", reason),
            ("accounts/closed/customers", json!({"customer": "ctm_1", "reason": "r"})),
            (&*format!("payments/{}/assign", id("txn", 7)), assign),
            ("imports", import("closed", json!({}))),
        ]
        .map(|(path, body)| Case::post(path, &body, 409, "account_closed"))
        .into()
    });
}

#[test]
fn payments_and_exceptions_are_dealt_with_once() {
    refused(|world| {
        let World { open, ended, .. } = world;
        let assign = |number| format!("payments/{}/assign", id("txn", number));
        let to_a = json!({"account": "a", "reason": "r"});
        let conclude = |number, cause: &str| {
            format!("payments/{}/disputes/{cause}/conclude", id("txn", number))
        };
        let lost = json!({"outcome": "lost", "reason": "r"});
        let note = json!({"note": "n"});
        vec![
            Case::post(assign(1), &to_a, 409, "payment_assigned"),
            Case::post(assign(7), &json!({"account": "", "reason": "r"}), 400, "body_malformed"),
            Case::post(
                assign(7),
                &json!({"account": "x".repeat(129), "reason": "r"}),
                400,
                "body_malformed",
            ),
            Case::post(assign(7), &json!({"account": "a", "reason": ""}), 400, "body_malformed"),
            Case::post(conclude(1, "chargeback"), &lost, 404, "dispute_unknown"),
            Case::post(conclude(1, "whim"), &lost, 404, "dispute_unknown"),
            Case::post(
                conclude(1, "warning"),
                &json!({"outcome": "won", "reason": "r"}),
                400,
                "body_malformed",
            ),
            Case::post(format!("exceptions/{ended}/resolve"), &note, 409, "exception_ended"),
            Case::post(
                format!("exceptions/{open}/resolve"),
                &json!({"note": ""}),
                400,
                "body_malformed",
            ),
            Case::post("policies", &json!({"toml": "name = "}), 422, "policy_invalid"),
            Case::post("policies", &json!({"toml": POLICY}), 409, "policy_refused"),
            Case::post(
                format!("accounts/frozen/freezes/{}/clear", world.freeze),
                &json!({"measure": "service", "reason": "r"}),
                404,
                "measure_unknown",
            ),
            Case::post(
                "accounts/a/freezes",
                &json!({"reason": "r", "measures": {"spending": "stop"}}),
                400,
                "body_malformed",
            ),
            Case::post(
                "accounts/a/freezes",
                &json!({"reason": "", "measures": {}}),
                400,
                "body_malformed",
            ),
        ]
    });
}

#[test]
fn imports_agree_with_themselves_and_with_the_ledger() {
    refused(|_| {
        let pair = |paid: &str, gift: &str| json!({"paid": paid, "gift": gift});
        let long = "x".repeat(129);
        [
            (json!({"payment": id("txn", 1)}), 409, "payment_known"),
            (json!({"left": pair("10.000001", "0")}), 422, "import_invalid"),
            (json!({"left": pair("1", "2.1")}), 422, "import_invalid"),
            (json!({"paid_at": "2999-01-01T00:00:00Z"}), 422, "import_invalid"),
            (json!({"currency": "XAU"}), 422, "amount_invalid"),
            (json!({"currency": "JPY", "amount": "1.5"}), 422, "amount_invalid"),
            (json!({"paid_at": "2026-01-01"}), 400, "body_malformed"),
            (json!({"origin": "elsewhere"}), 400, "body_malformed"),
            (json!({"payment": ""}), 400, "body_malformed"),
            (json!({"payment": "x".repeat(256)}), 400, "body_malformed"),
            (json!({"account": ""}), 400, "body_malformed"),
            (json!({"account": long}), 400, "body_malformed"),
            (json!({"reason": ""}), 400, "body_malformed"),
        ]
        .map(|(other, status, code)| Case::post("imports", &import("a", other), status, code))
        .into()
    });
}

#[test]
fn facts_that_count_can_be_read() {
    refused(|world| {
        let many = json!((0..33).map(|n| (n.to_string(), "x")).collect::<BTreeMap<_, _>>());
        let facts = [
            (json!({"amount": "1"}), 422, "amount_invalid"),
            (json!({"amount": "1", "currency": "XAU"}), 422, "amount_invalid"),
            (json!({"amount": "1", "currency": "usd"}), 422, "amount_invalid"),
            (json!({"paid_at": "yesterday"}), 400, "body_malformed"),
            (json!({"invoice": "lost"}), 400, "body_malformed"),
            (json!({"": "x"}), 400, "body_malformed"),
            (json!({("n".repeat(65)): "x"}), 400, "body_malformed"),
            (many, 400, "body_malformed"),
            (json!({"email": {"of": EMAIL}}), 400, "body_malformed"),
            (json!(null), 400, "body_malformed"),
        ];
        let inform = format!("cases/{}/information", world.incomplete);
        let mut cases = Vec::new();
        for (facts, status, code) in facts {
            let body = json!({"payment": id("txn", 4), "reason": "mistake", "facts": facts});
            cases.push(Case::post("accounts/a/refund-cases", &body, status, code));
            cases.push(Case::post(&inform, &json!({"facts": facts}), status, code));
        }
        cases
    });
}
