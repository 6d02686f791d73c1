//! What processors post.

use super::*;

#[tokio::test]
async fn a_webhook_is_answered_by_what_became_of_it() {
    let server = server();
    let other = COMPLETED.replace("\"1000\"", "\"2000\"");
    let moved = COMPLETED.replace("ntf_", "ntf_x");
    for (body, outcome, sequence) in [
        (COMPLETED, "recorded", 3),
        (COMPLETED, "duplicate", 3),
        (&moved, "duplicate", 3),
        (&other, "conflict", 4),
        (&other, "conflict", 4),
        (CUSTOMER, "ignored", 5),
        ("not json", "quarantined", 6),
        ("not json", "duplicate", 6),
    ] {
        let (status, answer) = server.deliver(body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["outcome"], outcome, "{answer}");
        assert_eq!(answer["sequence"], sequence, "{answer}");
        assert_eq!(answer["ledger"], "main");
        if outcome == "quarantined" {
            assert_eq!(answer["reason"], "malformed");
        }
    }
}

#[tokio::test]
async fn webhooks_are_checked_in_the_order_of_the_contract() {
    let server = server();
    let over = (1024 * 1024 + 1).to_string();
    for (path, headers, status, code) in [
        ("/webhooks/other", vec![], 404, "source_unknown"),
        ("/webhooks/paddle", vec![("content-encoding", "gzip")], 411, "length_required"),
        (
            "/webhooks/paddle",
            vec![("content-length", &*over), ("content-encoding", "gzip")],
            413,
            "body_too_large",
        ),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("content-encoding", "gzip")],
            415,
            "encoding_unsupported",
        ),
        ("/webhooks/paddle", vec![("content-length", "2")], 401, "signature_invalid"),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("transfer-encoding", "chunked")],
            411,
            "length_required",
        ),
        (
            "/webhooks/paddle",
            vec![("content-length", "2"), ("paddle-signature", "ts=1;h1=00")],
            401,
            "signature_invalid",
        ),
        ("/elsewhere", vec![], 404, "not_found"),
    ] {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (found, headers, answer) =
            answered(&server.public, request.body(Body::from("{}")).unwrap()).await;
        assert_eq!((found.as_u16(), &answer["code"]), (status, &json!(code)), "{path} {answer}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_acknowledged_and_readiness_says_so() {
    let server = server();
    let ready = || Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(answered(&server.private, ready()).await.0, StatusCode::OK);
    server.log.fail_next_append(FailurePoint::BeforeWrite);
    for _ in 0..2 {
        let (status, answer) = server.deliver(COMPLETED).await;
        assert_eq!((status.as_u16(), &answer["code"]), (503, &json!("try_later")));
    }
    let (status, _, answer) = answered(&server.private, ready()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["reasons"][0].as_str().unwrap().contains("until a restart"), "{answer}");
}
