//! Refund cases, from the application to the processor's refund.

use super::*;
use crate::config::Role;

/// Verdicts of every kind, and quotes with a fee.
const REFUNDS: &str = r#"
name = "test"
version = 1
effective_from = "2026-01-01T00:00:00Z"
[credits]
unit = "USD"
decimals = 6
rates = { USD = "1" }
[spending]
order = ["gift", "paid"]
[reversal]
shortfall = "owed"
settle_owed = true
[refunds]
facts = ["email", "amount", "currency"]
review_business_days = 7
[refunds.calendar]
zone = "Asia/Shanghai"
weekend = ["saturday", "sunday"]
holidays = ["2026-09-03"]
[refunds.denials]
restricted = "N3"
consumed = "N1"
invoiced = "Y4"
[refunds.reasons.changed-needs]
verdict = "deny"
rule = "A6"
[refunds.reasons.duplicate]
verdict = "review"
rule = "N2"
facts = ["explanation"]
[refunds.reasons.unused]
verdict = "eligible"
rule = "Y3"
[refunds.reasons.mistake]
verdict = "eligible"
rule = "late"
within_days = 7
unused = true
[refunds.reasons.incident]
verdict = "review"
rule = "A8"
remedy = "credits"
[refunds.quote]
tax = true
channel_fee = { percent = "2.9", fixed = { USD = "0.30" } }
third_party_costs = true
"#;

const REFUNDED: &str =
    include_str!("../../../../tests/fixtures/paddle/adjustment.updated.refund-approved.json");
const OPEN: &str = "/accounts/acct-demo/refund-cases";
const EMAIL: &str = "someone@example.com";

/// A server with the purchase of 10 credits, for 10 USD and 2 USD of tax.
async fn sold() -> Server {
    let server = server_under(REFUNDS);
    server.deliver(COMPLETED).await;
    server
}

/// An application that says all that every application must say.
fn complete(reason: &str) -> Value {
    json!({
        "payment": PAYMENT, "reason": reason,
        "facts": {"email": EMAIL, "amount": "12.00", "currency": "USD"},
    })
}

/// The same with one more fact, or another in place of one.
fn saying(reason: &str, name: &str, text: &str) -> Value {
    let mut body = complete(reason);
    body["facts"][name] = json!(text);
    body
}

async fn used(server: &Server, amount: &str) {
    let path = "/accounts/acct-demo/debits";
    let (status, _, answer) = server.post(path, "use", &json!({"amount": amount})).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

/// A purchase of another payment by the same account.
fn another_purchase(name: &str) -> String {
    COMPLETED.replace(PAYMENT, name).replace("evt_01kwvasbvb", &format!("evt_{name}"))
}

/// The processor's refund of so much, in minor units.
fn refund(subtotal: &str, total: &str) -> String {
    let mut event: Value = serde_json::from_str(REFUNDED).unwrap();
    event["data"]["type"] = json!("partial");
    let line = event["data"]["items"][0]["totals"].clone();
    for (name, amount) in [("subtotal", subtotal), ("total", total)] {
        assert!(line[name].is_string());
        event["data"]["items"][0]["totals"][name] = json!(amount);
        event["data"]["totals"][name] = json!(amount);
    }
    event.to_string()
}

#[tokio::test]
async fn an_application_is_answered_with_a_verdict() {
    let server = sold().await;
    let (status, denied) = server.done(OPEN, "deny", &complete("changed-needs")).await;
    assert_eq!(status, StatusCode::CREATED);
    let expected = ("denied", "denied", "A6", "policy");
    let found = ["status", "verdict", "rule", "denied_by"].map(|name| denied[name].as_str());
    assert_eq!(found, <[&str; 4]>::from(expected).map(Some), "{denied}");
    assert_eq!((&denied["due_at"], &denied["available"]), (&Value::Null, &json!("10")));
    assert!(denied["ended_at"].is_string(), "{denied}");

    let body = json!({
        "payment": PAYMENT, "reason": "duplicate",
        "facts": {"amount": "10.00", "currency": "USD", "explanation": " "},
    });
    let (_, waiting) = server.done(OPEN, "wait", &body).await;
    assert_eq!(waiting["status"], "needs-information");
    assert_eq!(waiting["verdict"], "needs-information");
    assert_eq!(waiting["missing"], json!(["email", "explanation"]));
    assert_eq!(waiting["wrong"], json!(["amount"]), "it was 12 with tax");
    assert_eq!(waiting["due_at"], Value::Null, "the material is not complete");

    let path = format!("/cases/{}/information", waiting["id"].as_str().unwrap());
    let more = json!({"facts": {"email": EMAIL, "amount": "12", "currency": "USD"}});
    let (status, waiting) = server.done(&path, "more", &more).await;
    assert_eq!((status, &waiting["missing"]), (StatusCode::OK, &json!(["explanation"])));
    assert_eq!(waiting["wrong"], json!([]));
    let more = json!({"facts": {"explanation": "paid twice"}});
    let (_, reviewed) = server.done(&path, "all", &more).await;
    assert_eq!(
        (&reviewed["status"], &reviewed["verdict"]),
        (&json!("in-review"), &json!("needs-review"))
    );
    // From Tuesday 1 September in Shanghai: 2, 4, 7, 8, 9, 10 and 11, without the holiday.
    assert_eq!(reviewed["due_at"], "2026-09-11T16:00:00Z");
    assert_eq!(reviewed["facts"], json!(["amount", "currency", "email", "explanation"]));
}

#[tokio::test]
async fn what_denies_an_application_is_told_by_its_rule() {
    let invoiced = saying("unused", "invoice", "final");
    for (used_up, frozen, body, rule) in [
        ("10", false, complete("unused"), "N1"),
        ("1", true, complete("unused"), "N3"),
        ("1", false, invoiced, "Y4"),
        ("1", false, complete("mistake"), "late"),
    ] {
        let server = sold().await;
        used(&server, used_up).await;
        if frozen {
            let freeze = json!({"reason": "fraud", "measures": {"checkout": "limit"}});
            server.post("/accounts/acct-demo/freezes", "freeze", &freeze).await;
        }
        let (_, case) = server.done(OPEN, "case", &body).await;
        assert_eq!((&case["status"], &case["rule"]), (&json!("denied"), &json!(rule)), "{case}");
        let (_, view) = server.get("/accounts/acct-demo").await;
        assert_eq!(view["held"], "0", "{rule}");
    }
}

#[tokio::test]
async fn an_eligible_case_is_quoted_held_approved_and_ended_by_the_processors_refund() {
    let server = sold().await;
    used(&server, "2.5").await;
    let (_, case) = server.done(OPEN, "case", &saying("unused", "third_party_costs", "0.44")).await;
    assert_eq!((&case["status"], &case["verdict"]), (&json!("eligible"), &json!("eligible")));
    let lines = json!([
        {"line": "unused-balance", "amount": "7.5"},
        {"line": "tax", "amount": "1.5"},
        {"line": "channel-fee", "amount": "-0.56"},
        {"line": "third-party-costs", "amount": "-0.44"},
    ]);
    assert_eq!(case["quote"]["lines"], lines, "{case}");
    assert_eq!((&case["quote"]["money"], &case["quote"]["currency"]), (&json!("8"), &json!("USD")));
    assert_eq!(case["quote"]["credits"], json!({"paid": "7.5", "gift": "0"}));
    assert_eq!((&case["refund"], &case["available"]), (&Value::Null, &json!("0")));
    let (_, view) = server.get("/accounts/acct-demo").await;
    assert_eq!((&view["held"], &view["can_spend"]), (&json!("7.5"), &json!(false)));
    let lacking = json!({"amount": "1"});
    server.refused("/accounts/acct-demo/debits", &lacking, 402, "credits_insufficient").await;

    let id = case["id"].as_str().unwrap();
    let path = format!("/cases/{id}");
    let (status, approved) =
        server.done(&format!("{path}/approve"), "approve", &json!({"note": "fine"})).await;
    assert_eq!((status, &approved["status"]), (StatusCode::OK, &json!("approved")));
    let refund_this = json!({"payment": PAYMENT, "amount": "8", "currency": "USD"});
    assert_eq!(approved["refund"], refund_this);
    assert_eq!(server.get(&path).await.1["refund"], refund_this);
    assert_eq!((&approved["verdict"], &approved["ended_at"]), (&Value::Null, &Value::Null));
    server.refused(&format!("{path}/approve"), &json!({}), 409, "case_finished").await;
    let more = json!({"facts": {"email": EMAIL}});
    server.refused(&format!("{path}/information"), &more, 409, "case_finished").await;

    server.deliver(&refund("667", "800")).await;
    let (_, refunded) = server.get(&path).await;
    assert_eq!((&refunded["status"], &refunded["refund"]), (&json!("refunded"), &Value::Null));
    assert_eq!(refunded["ended_at"], NOW);
    let (_, view) = server.get("/accounts/acct-demo").await;
    let left = ["available", "held", "owed"].map(|name| view[name].as_str());
    assert_eq!(left, [Some("0"); 3], "{view}");
    for step in ["approve", "withdraw"] {
        server.refused(&format!("{path}/{step}"), &json!({}), 409, "case_finished").await;
    }
}

#[tokio::test]
async fn an_operator_approves_another_amount_never_above_what_was_paid() {
    let server = sold().await;
    let (_, case) = server.done(OPEN, "case", &complete("unused")).await;
    let path = format!("/cases/{}/approve", case["id"].as_str().unwrap());
    for (body, status, code) in [
        (json!({"amount": "12.01"}), 422, "approval_above_paid"),
        (json!({"amount": "0"}), 422, "amount_invalid"),
        (json!({"amount": "-1"}), 422, "amount_invalid"),
        (json!({"amount": "1.005"}), 422, "amount_invalid"),
        (json!({"amount": "1", "credits": "1"}), 400, "body_malformed"),
        (json!({"amount": 1}), 400, "body_malformed"),
        (json!({"credits": "0"}), 422, "amount_invalid"),
        (json!({"credits": "0.0000001"}), 422, "amount_invalid"),
        (json!({"note": ""}), 400, "body_malformed"),
        (json!({"money": "1"}), 400, "body_malformed"),
    ] {
        server.refused(&path, &body, status, code).await;
    }
    let (_, approved) = server.done(&path, "approve", &json!({"amount": "12.00"})).await;
    assert_eq!(approved["refund"]["amount"], "12");
    server.deliver(REFUNDED).await;
    let (_, shown) = server.get(&format!("/payments/{PAYMENT}")).await;
    assert_eq!(shown["cases"][0]["status"], "refunded", "{shown}");
    assert_eq!(shown["cases"][0]["end"], "refunded");
    assert_eq!(shown["credits"]["refunded"]["paid"], "10");
}

#[tokio::test]
async fn a_case_that_is_made_good_in_credits_pays_no_money() {
    let server = sold().await;
    let (_, case) = server.done(OPEN, "case", &complete("incident")).await;
    assert_eq!(case["quote"]["remedy"], "credits");
    assert_eq!((&case["quote"]["money"], &case["available"]), (&json!("0"), &json!("10")));
    let path = format!("/cases/{}/approve", case["id"].as_str().unwrap());
    server.refused(&path, &json!({}), 422, "amount_invalid").await;
    server.refused(&path, &json!({"amount": "1"}), 422, "amount_invalid").await;
    let (_, corrected) = server.done(&path, "credits", &json!({"credits": "3.5"})).await;
    assert_eq!((&corrected["status"], &corrected["credits"]), (&json!("corrected"), &json!("3.5")));
    assert_eq!((&corrected["available"], &corrected["refund"]), (&json!("13.5"), &Value::Null));
    let (_, view) = server.get("/accounts/acct-demo").await;
    assert_eq!(view["gift"], "3.5");
}

#[tokio::test]
async fn a_denied_or_withdrawn_case_sets_its_credits_free_and_another_can_be_opened() {
    let server = sold().await;
    for (step, body, status, denied_by) in [
        ("deny", json!({"note": "not this time"}), "denied", json!("operator")),
        ("withdraw", json!({}), "withdrawn", Value::Null),
        ("withdraw", json!({"note": "found it"}), "withdrawn", Value::Null),
    ] {
        let key = format!("{step}-{body}");
        let (_, case) = server.done(OPEN, &key, &complete("unused")).await;
        assert_eq!((&case["status"], &case["available"]), (&json!("eligible"), &json!("0")));
        server.refused(OPEN, &complete("unused"), 409, "case_already_open").await;
        let path = format!("/cases/{}", case["id"].as_str().unwrap());
        let (code, ended) =
            server.done(&format!("{path}/{step}"), &format!("end-{key}"), &body).await;
        assert_eq!((code, &ended["status"]), (StatusCode::OK, &json!(status)), "{ended}");
        assert_eq!((&ended["denied_by"], &ended["verdict"]), (&denied_by, &Value::Null));
        assert_eq!(ended["available"], "10");
        server.refused(&format!("{path}/{step}"), &body, 409, "case_finished").await;
    }
}

#[tokio::test]
async fn applications_that_cannot_be_are_refused_with_their_code() {
    let server = sold().await;
    server.granted("other", "1").await;
    let other = "/accounts/other/refund-cases";
    server.refused(other, &complete("unused"), 409, "payment_of_another_account").await;
    let none = "/accounts/none/refund-cases";
    server.refused(none, &complete("unused"), 404, "account_unknown").await;
    let reasons = server.refused(OPEN, &complete("boredom"), 422, "reason_unknown").await;
    assert_eq!(reasons["reasons"].as_array().unwrap().len(), 5, "{reasons}");
    let unpaid = json!({"payment": "txn_none", "reason": "unused", "facts": {}});
    let elsewhere = json!({"payment": PAYMENT, "origin": "stripe", "reason": "unused"});
    let listed = json!({"payment": PAYMENT, "reason": "unused", "facts": ["email"]});
    let nested = json!({"payment": PAYMENT, "reason": "unused", "facts": {"email": 1}});
    let no_currency = json!({"payment": PAYMENT, "reason": "unused", "facts": {"amount": "12"}});
    for (body, status, code) in [
        (unpaid, 404, "payment_unknown"),
        (elsewhere, 404, "payment_unknown"),
        (listed, 400, "body_malformed"),
        (nested, 400, "body_malformed"),
        (json!({"payment": PAYMENT, "facts": {}}), 400, "body_malformed"),
        (no_currency, 422, "amount_invalid"),
        (saying("unused", "amount", "12.001"), 422, "amount_invalid"),
        (saying("unused", "amount", "1e1"), 422, "amount_invalid"),
        (saying("unused", "currency", "usd"), 422, "amount_invalid"),
        (saying("unused", "third_party_costs", "-1"), 422, "amount_invalid"),
        (saying("unused", "paid_at", "yesterday"), 400, "body_malformed"),
        (saying("unused", "invoice", "lost"), 400, "body_malformed"),
        (saying("", "email", EMAIL), 400, "body_malformed"),
    ] {
        let answer = server.refused(OPEN, &body, status, code).await;
        assert!(!answer.to_string().contains(EMAIL), "{answer}");
    }
    let plain = REFUNDS.split("[refunds]").next().unwrap();
    let server = server_under(plain);
    server.deliver(COMPLETED).await;
    server.refused(OPEN, &complete("unused"), 422, "refunds_not_offered").await;
}

#[tokio::test]
async fn steps_of_no_case_or_too_early_are_refused() {
    let server = sold().await;
    let body = json!({"payment": PAYMENT, "reason": "unused"});
    let (_, waiting) = server.done(OPEN, "case", &body).await;
    let approve = format!("/cases/{}/approve", waiting["id"].as_str().unwrap());
    server.refused(&approve, &json!({}), 409, "case_incomplete").await;
    for id in ["none", "00000000-0000-0000-0000-000000000000"] {
        let path = format!("/cases/{id}");
        assert_eq!(server.get(&path).await.1["code"], "case_unknown");
        for (step, body) in [
            ("information", json!({"facts": {}})),
            ("approve", json!({})),
            ("deny", json!({"note": "n"})),
            ("withdraw", json!({})),
        ] {
            server.refused(&format!("{path}/{step}"), &body, 404, "case_unknown").await;
        }
    }
    let deny = approve.replace("approve", "deny");
    server.refused(&deny, &json!({}), 400, "body_malformed").await;
    server.refused(&deny, &json!({"note": ""}), 400, "body_malformed").await;
}

#[tokio::test]
async fn personal_facts_are_in_the_requests_body_alone() {
    let server = sold().await;
    let (_, case) = server.done(OPEN, "case", &complete("unused")).await;
    let record = format!("/records/{}", case["sequence"]);
    for path in [record.clone(), format!("/cases/{}", case["id"].as_str().unwrap())] {
        let (status, shown) = server.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!shown.to_string().contains(EMAIL), "{shown}");
    }
    let request = Request::get(format!("/v1/ledgers/main{record}/body"))
        .header(header::AUTHORIZATION, "Bearer all");
    let response =
        server.private.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&bytes).contains(EMAIL));
}

#[tokio::test]
async fn cases_are_listed_by_status_account_and_whether_they_are_overdue() {
    let server = sold().await;
    server.granted("other", "1").await;
    for (payment, reason) in
        [("txn_a", "changed-needs"), ("txn_b", "incident"), ("txn_c", "unused")]
    {
        server.deliver(&another_purchase(payment)).await;
        let mut body = complete(reason);
        body["payment"] = json!(payment);
        server.done(OPEN, payment, &body).await;
    }
    server.done(OPEN, "waits", &json!({"payment": PAYMENT, "reason": "unused"})).await;
    let listed = async |query: &str| -> Vec<String> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = server.get(&format!("/cases?limit=1&{query}{cursor}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            let items = page["items"].as_array().unwrap().iter();
            found.extend(items.map(|case| case["payment"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        found.sort();
        found
    };
    assert_eq!(listed("").await, ["txn_01kwvafrtpta11yh00kdem0005", "txn_a", "txn_b", "txn_c"]);
    assert_eq!(listed("status=in-review").await, ["txn_b"]);
    assert_eq!(listed("status=needs-information").await, [PAYMENT]);
    assert_eq!(listed("status=withdrawn").await, [""; 0]);
    assert_eq!(listed("account=acct-demo&status=denied").await, ["txn_a"]);
    assert_eq!(listed("account=other").await, [""; 0]);
    assert_eq!(listed("overdue=true").await, [""; 0]);
    server.clock.set(Timestamp::parse("2026-09-11T16:00:00Z").unwrap());
    assert_eq!(listed("overdue=true").await, [""; 0], "due, not yet overdue");
    server.clock.set(Timestamp::parse("2026-09-11T16:00:01Z").unwrap());
    assert_eq!(listed("overdue=true").await, ["txn_b", "txn_c"]);
    assert_eq!(listed("overdue=false").await, [PAYMENT, "txn_a"]);
    let (_, page) = server.get("/cases?status=in-review").await;
    assert_eq!(page["items"][0]["overdue"], true, "{page}");
    for bad in ["status=open", "limit=0", "cursor=x", "overdue=maybe", "other=1"] {
        assert_eq!(server.get(&format!("/cases?{bad}")).await.1["code"], "query_invalid", "{bad}");
    }
}

#[tokio::test]
async fn a_gateway_applies_and_only_an_operator_decides() {
    let mut config = config(REFUNDS, "live");
    config.tokens[0].roles = vec![Role::Read, Role::Spend];
    let server = server_of(config);
    server.deliver(COMPLETED).await;
    let (_, case) = server.done(OPEN, "case", &complete("unused")).await;
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    let (note, reason) = (json!({"note": "n"}), json!({"reason": "r"}));
    for (path, body) in [
        (&*format!("{path}/approve"), &json!({})),
        (&format!("{path}/deny"), &note),
        ("/exceptions/1-orphan/resolve", &note),
        ("/exceptions/1-stale/release", &reason),
        ("/imports", &json!({})),
        ("/policies", &json!({"toml": ""})),
    ] {
        server.refused(path, body, 403, "role_missing").await;
    }
    let more = json!({"facts": {"explanation": "more"}});
    server.done(&format!("{path}/information"), "more", &more).await;
    server.done(&format!("{path}/withdraw"), "end", &json!({})).await;
}
