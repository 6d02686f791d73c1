//! Paths to nothing, keys that are none or another's, bodies that are no command.

use serde_json::{Value, json};
use ureq::http::Method;

use super::{Case, NOTHING, refused, with};

#[test]
fn what_is_not_there_is_said_so() {
    refused(|world| {
        let long = "x".repeat(129);
        let mut cases = Vec::new();
        for (path, body) in world.routes() {
            let parts: Vec<&str> = path.split('/').collect();
            let mut to = |place: usize, instead: &str, code| {
                let mut parts = parts.clone();
                parts[place] = instead;
                cases.push(Case::post(parts.join("/"), &body, 404, code));
            };
            match parts[..] {
                ["accounts", _, "grants" | "customers"] => to(1, &long, "account_unknown"),
                ["accounts", _, "holds", _, _] => {
                    to(1, "nobody", "account_unknown");
                    to(1, &long, "account_unknown");
                    to(1, "b", "hold_unknown");
                    for unknown in [NOTHING, "no-uuid", "%20", &world.debit] {
                        to(3, unknown, "hold_unknown");
                    }
                }
                ["accounts", _, "freezes", _, _] => {
                    to(1, "nobody", "account_unknown");
                    for unknown in [NOTHING, "no-uuid", "paddle%2Ftxn%2Fchargeback"] {
                        to(3, unknown, "measure_unknown");
                    }
                }
                ["accounts", ..] => {
                    to(1, "nobody", "account_unknown");
                    to(1, &long, "account_unknown");
                }
                ["payments", ..] => {
                    to(1, "txn_none", "payment_unknown");
                    to(1, &"x".repeat(256), "payment_unknown");
                }
                ["exceptions", ..] => {
                    for unknown in ["99999-orphan", "1-orphan", "0-orphan", "orphan", NOTHING] {
                        to(1, unknown, "exception_unknown");
                    }
                }
                _ => {}
            }
        }
        cases
    });
}

#[test]
fn what_is_not_there_can_neither_be_read_nor_ended() {
    refused(|world| {
        let long = "x".repeat(129);
        let gone = |method: &Method, path: &str, code| Case {
            method: method.clone(),
            ..Case::raw(path, "", 404, code)
        };
        let get = |path: &str, code| gone(&Method::GET, path, code);
        vec![
            get("accounts/nobody", "account_unknown"),
            get(&format!("accounts/{long}"), "account_unknown"),
            get("accounts/nobody/statement", "account_unknown"),
            get(&format!("accounts/a/holds/{NOTHING}"), "hold_unknown"),
            get(&format!("accounts/b/holds/{}", world.hold), "hold_unknown"),
            get("accounts/a/holds/no-uuid", "hold_unknown"),
            get("payments/txn_none", "payment_unknown"),
            get(&format!("cases/{NOTHING}"), "case_unknown"),
            get("cases/no-uuid", "case_unknown"),
            get("exceptions/99999-orphan", "exception_unknown"),
            get("exceptions/no-id", "exception_unknown"),
            get("records/99999", "record_unknown"),
            get("records/x/body", "record_unknown"),
            get("policies/99", "policy_unknown"),
            get("policies/x", "policy_unknown"),
            gone(&Method::DELETE, &format!("accounts/frozen/freezes/{NOTHING}"), "freeze_unknown"),
            gone(&Method::DELETE, "accounts/frozen/freezes/no-uuid", "freeze_unknown"),
            gone(
                &Method::DELETE,
                &format!("accounts/a/freezes/{}", world.freeze),
                "freeze_unknown",
            ),
        ]
    });
}

#[test]
fn each_command_has_one_key_of_its_own() {
    refused(|world| {
        let mut cases = Vec::new();
        let long = "k".repeat(256);
        for (path, body) in world.routes() {
            let bad: [&[&str]; 6] =
                [&[], &[""], &[&long], &["k", "k"], &["expire:k"], &["sch\u{fc}ssel"]];
            for keys in bad {
                let case = Case::post(&path, &body, 400, "idempotency_key_missing");
                cases.push(case.keyed(keys));
            }
        }
        // The key of a debit that was carried out.
        let first = json!({"amount": "10", "metadata": {"model": "m"}});
        let key = format!("accounts/a/debits {first}");
        for (path, body) in world.routes() {
            // An exception that can't be read is looked at before the key is.
            if !path.ends_with("/release") || path.starts_with("accounts") {
                cases.push(Case::post(path, &body, 422, "idempotency_key_reused").keyed(&[&key]));
            }
        }
        cases.push(
            Case::post("accounts/b/debits", &first, 422, "idempotency_key_reused").keyed(&[&key]),
        );
        cases
    });
}

#[test]
fn bodies_are_json_objects_of_known_fields() {
    refused(|world| {
        let (deep, large) = ("[".repeat(200_000), "x".repeat(1024 * 1024));
        let mut cases = Vec::new();
        for (path, body) in world.routes() {
            let text = body.to_string();
            let values: Vec<Value> = body.as_object().unwrap().values().cloned().collect();
            let mut unknown = body.clone();
            with(&mut unknown, json!({"other": 1}));
            let whole = [
                "{".to_owned(),
                "null".to_owned(),
                "1".to_owned(),
                "\"x\"".to_owned(),
                "amount=1".to_owned(),
                format!("{text}{text}"),
                format!("{text}x"),
                format!("\u{feff}{text}"),
                text[..text.len() - 1].to_owned(),
                format!("[{text}]"),
                Value::from(values).to_string(),
                deep.clone(),
                format!("{{\"other\":\"{large}\"}}"),
                unknown.to_string(),
            ];
            cases.extend(whole.map(|body| Case::raw(&path, body, 400, "body_malformed")));
            cases.push(Case::raw(&path, b"{\"\xff\":1}".to_vec(), 400, "body_malformed"));
            for (name, value) in body.as_object().unwrap() {
                // Twice, of another type, and under another name.
                let twice = format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]);
                cases.push(Case::raw(&path, twice, 400, "body_malformed"));
                let mut other = body.clone();
                other[name] = json!([[1]]);
                cases.push(Case::post(&path, &other, 400, "body_malformed"));
                let renamed = text.replacen(&format!("\"{name}\":"), &format!("\"{name} \":"), 1);
                cases.push(Case::raw(&path, renamed, 400, "body_malformed"));
            }
        }
        cases
    });
}
