use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use super::*;

/// Answers one request with this status and body, and gives what was asked.
fn answers(status: u16, body: &'static str) -> (HttpApi, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (HttpApi::new(&base, "secret-token").unwrap(), server)
}

const VIEW: &str = r#"{"ledger":"main","account":"ü/../?","status":"active","can_spend":true,
    "checkout":"open","available":"1","paid":"1","gift":"0","held":"0","owed":"0",
    "written_off":"0","unit":"USD","freezes":[],"version":3,"sequence":9,"later":1}"#;

#[tokio::test]
async fn an_account_with_any_characters_is_asked_for_as_one_part_of_the_path() {
    let (api, server) = answers(200, VIEW);
    let view = api.view("main", "ü/../?").await.unwrap().unwrap();
    assert_eq!((view.version, view.can_spend), (3, true));
    let request = server.join().unwrap();
    let path = "GET /v1/ledgers/main/accounts/%C3%BC%2F%2E%2E%2F%3F HTTP/1.1\r\n";
    assert!(request.starts_with(path), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer secret-token\r\n"), "{request}");
}

#[tokio::test]
async fn pages_are_asked_for_by_cursor() {
    let (api, server) = answers(200, r#"{"items":[],"next":"6a6f"}"#);
    let page = api.accounts("main", Some("a&b")).await.unwrap();
    assert_eq!(page, Page { items: Vec::new(), next: Some("6a6f".to_owned()) });
    let request = server.join().unwrap();
    let path = "GET /v1/ledgers/main/accounts?limit=500&cursor=a%26b HTTP/1.1\r\n";
    assert!(request.starts_with(path), "{request}");
}

#[tokio::test]
async fn only_an_unknown_account_is_none() {
    let (api, _) = answers(404, r#"{"code":"account_unknown"}"#);
    assert_eq!(api.view("main", "jo").await.unwrap(), None);
    for (status, body, code) in [
        (404, "not here", None),
        (404, r#"{"code":"other"}"#, Some("other")),
        (401, r#"{"code":"token_invalid"}"#, Some("token_invalid")),
        (500, "", None),
        (302, "", None),
    ] {
        let (api, _) = answers(status, body);
        let Err(ApiFault::Refused { status: found, code: said }) = api.view("main", "jo").await
        else {
            panic!("{status} {body} is no refusal");
        };
        assert_eq!((found, said.as_deref()), (status, code));
    }
}

#[tokio::test]
async fn what_is_no_view_of_the_account_is_an_error() {
    for body in ["", "{}", "[]", VIEW] {
        let (api, _) = answers(200, body);
        let answer = api.view("main", "jo").await;
        assert!(matches!(answer, Err(ApiFault::Unreadable(_))), "{body}: {answer:?}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = HttpApi::new(&format!("http://{nobody}"), "token").unwrap();
    assert!(matches!(api.view("main", "jo").await, Err(ApiFault::Away(_))));
}

#[test]
fn addresses_and_tokens_that_cannot_be_are_refused() {
    for base in ["", "http://", "https://x", "127.0.0.1:8081", "nats://x"] {
        assert_eq!(HttpApi::new(base, "token").unwrap_err(), HttpApiFault::NotHttp, "{base}");
    }
    for token in ["", "a b", "a\r\nb", "ü"] {
        assert_eq!(HttpApi::new("http://x", token).unwrap_err(), HttpApiFault::Token, "{token}");
    }
    let shown = format!("{:?}", HttpApi::new("http://x", "secret-token").unwrap());
    assert!(!shown.contains("secret"), "{shown}");
}
