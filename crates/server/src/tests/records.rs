//! How commands look in records: what was asked, what was decided, nothing personal.

use super::*;

#[tokio::test]
async fn every_command_is_a_record_with_who_and_why() {
    let server = server();
    server.granted("a", "5").await;
    let freeze = json!({"reason": "looked at", "measures": {"service": "restrict"}});
    let (_, frozen) = server.done("/accounts/a/freezes", "f", &freeze).await;
    let clear = format!("/accounts/a/freezes/{}/clear", frozen["id"].as_str().unwrap());
    let used = json!({"amount": "7", "already_happened": true});
    let (_, debit) = server.done("/accounts/a/debits", "d", &used).await;
    for (path, body, order, effects) in [
        (clear, json!({"measure": "service", "reason": "r"}), "clear_measure", vec!["frozen"]),
        (
            "/accounts/a/write-offs".to_owned(),
            json!({"amount": "1", "reason": "r"}),
            "write_off",
            vec!["forgiven"],
        ),
        (
            "/accounts/a/returns".to_owned(),
            json!({"debit": debit["id"], "amount": "0.5", "reason": "r"}),
            "return",
            vec!["returned"],
        ),
        (
            "/accounts/a/customers".to_owned(),
            json!({"customer": "ctm_1", "reason": "r"}),
            "assign_customer",
            vec!["customer_assigned"],
        ),
        ("/accounts/a/close".to_owned(), json!({"reason": "r"}), "close", vec!["closed"]),
    ] {
        let (_, answer) = server.done(&path, order, &body).await;
        let (_, record) = server.get(&format!("/records/{}", answer["sequence"])).await;
        let input = &record["input"];
        assert_eq!((&input["actor"], &input["id"]), (&json!("all"), &answer["id"]), "{record}");
        let asked = &input["order"];
        assert_eq!((&asked["order"], &asked["reason"]), (&json!(order), &json!("r")), "{record}");
        assert_eq!(asked["account"], "a", "{record}");
        let found = record["decision"]["effects"].as_array().unwrap();
        let found: Vec<&str> =
            found.iter().map(|effect| effect["effect"].as_str().unwrap()).collect();
        assert_eq!(found, effects, "{record}");
    }
}

#[tokio::test]
async fn holds_and_rulings_are_shown_effect_by_effect() {
    let server = server();
    server.deliver(COMPLETED).await;
    let held = json!({"amount": "3", "expires_in_seconds": 60});
    let (_, hold) = server.done("/accounts/acct-demo/holds", "h", &held).await;
    let capture = format!("/accounts/acct-demo/holds/{}/capture", hold["id"].as_str().unwrap());
    let (_, captured) = server.done(&capture, "c", &json!({"amount": "2"})).await;
    server.deliver(CHARGEBACK).await;
    let conclude = format!("/payments/{PAYMENT}/disputes/chargeback/conclude");
    let lost = json!({"outcome": "settled", "reason": "r"});
    let (_, concluded) = server.done(&conclude, "l", &lost).await;
    for (answer, name, field, value) in [
        (&hold, "hold_placed", "expires_at", json!("2026-09-01T00:01:00Z")),
        (&hold, "reserved", "amount", json!("3")),
        (&captured, "unreserved", "amount", json!("3")),
        (&captured, "hold_ended", "end", json!("captured")),
        (&captured, "drawn", "amount", json!("2")),
        (&captured, "debited", "debit", captured["id"].clone()),
        (
            &concluded,
            "dispute_ruled",
            "ruling",
            json!({
                "cause": "chargeback",
                "ruled": "concluded",
                "as": "settled",
                "filings": ["adj_01kygzcjt6ta11yh00kdem0070"],
            }),
        ),
        (&concluded, "unfrozen", "account", json!("acct-demo")),
    ] {
        let (_, record) = server.get(&format!("/records/{}", answer["sequence"])).await;
        let effects = record["decision"]["effects"].as_array().unwrap();
        let effect = effects.iter().find(|effect| effect["effect"] == name);
        assert_eq!(effect.map(|effect| &effect[field]), Some(&value), "{name} {record:#}");
    }
}
