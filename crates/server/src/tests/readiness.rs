//! What the process says of itself, and what it does when there is no room.

use event_store::space::FREE_BYTES_MIN;

use super::*;

impl Server {
    /// A page of the private listener that needs no token.
    async fn page(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.private.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Why the server is not ready; empty when it is.
    async fn reasons(&self) -> Vec<String> {
        let (status, text) = self.page("/readyz").await;
        let said: Value = serde_json::from_str(&text).unwrap();
        let reasons: Vec<String> = serde_json::from_value(said["reasons"].clone()).unwrap();
        let expected = if reasons.is_empty() { (200, "ready") } else { (503, "not ready") };
        assert_eq!((status.as_u16(), said["status"].as_str().unwrap()), expected);
        reasons
    }

    async fn figure(&self, name: &str) -> u64 {
        let (_, text) = self.page("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }
}

#[tokio::test]
async fn a_server_without_room_refuses_says_why_and_goes_on_by_itself() {
    let server = server();
    assert_eq!(server.reasons().await, Vec::<String>::new());
    server.deliver(COMPLETED).await;
    let records = server.records();

    server.free.store(FREE_BYTES_MIN - 1, Ordering::Relaxed);
    for _ in 0..2 {
        let (status, answer) = server.deliver(CHARGEBACK).await;
        assert_eq!((status.as_u16(), &answer["code"]), (503, &json!("try_later")), "{answer}");
    }
    let grant = json!({"amount": "1", "kind": "gift", "reason": "r"});
    let path = "/v1/ledgers/main/accounts/a/grants";
    let request = Request::post(path)
        .header(header::AUTHORIZATION, "Bearer all")
        .header("Idempotency-Key", "g")
        .body(Body::from(grant.to_string()))
        .unwrap();
    let (status, headers, _) = answered(&server.private, request).await;
    assert_eq!((status.as_u16(), headers[header::RETRY_AFTER].to_str().unwrap()), (503, "1"));
    // What needs no record is answered.
    assert_eq!(server.deliver(COMPLETED).await.1["outcome"], "duplicate");
    assert_eq!(server.get("/accounts/acct-demo").await.0, StatusCode::OK);

    let reasons = server.reasons().await;
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    for part in ["no records are taken", "67108863 bytes free", "67108864 are needed", "free some"]
    {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(server.figure("tallyhook_free_bytes").await, FREE_BYTES_MIN - 1);
    assert_eq!(server.figure("tallyhook_latched").await, 0);
    assert_eq!(server.figure("tallyhook_reserve").await, 0);
    assert_eq!(server.records(), records);

    server.free.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(server.reasons().await, Vec::<String>::new());
    assert_eq!(server.deliver(CHARGEBACK).await.1["outcome"], "recorded");
    assert_eq!(server.records(), records + 1);
}

#[tokio::test]
async fn a_failed_write_is_told_with_its_cause_and_the_way_out_until_a_restart() {
    let server = server();
    server.log.fail_next_append(FailurePoint::BeforeWrite);
    for _ in 0..2 {
        assert_eq!(server.deliver(COMPLETED).await.0, StatusCode::SERVICE_UNAVAILABLE);
        let reasons = server.reasons().await;
        let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
        for part in ["until a restart", "BeforeWrite", "find out why, then restart the server"] {
            assert!(reason.contains(part), "{reason}");
        }
        assert!(!reason.contains("acct-demo"), "{reason}");
        assert_eq!(server.figure("tallyhook_latched").await, 1);
    }
}
