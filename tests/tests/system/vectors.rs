//! The signatures of Paddle's official SDKs (PROVIDERS.md section 1) over HTTP.

use std::{collections::BTreeSet, fs, path::Path};

use tallyhook_tests::{
    environment,
    home::{Home, Ledger, Setup, Source},
    http::Answer,
    paddle::Delivery,
    server::{Server, verify},
};
use ureq::http::Method;

const ROTATED: [&str; 3] = [
    "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_TjIG2BXbm83HPXqNfziwe506sBEdqL/4",
    "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo",
    "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
];
const PYTHON: &str = "pdl_ntfset_01hs0t3tw21j988db1pam5xg8m_GrOWLNef+vmtjJYq4mSnHNzvc8uWoJ1I";
const GO: &str = "pdl_ntfset_01hsdn8d43dt7mezr1ef2jtbaw_hKkRiCGyyRhbFwIUuqiTBgI7gnWoV0Gr";

const BODY: &str = r#"{"data": ["1", "2"]}"#;
const HEADER: &str =
    "ts=1698796800;h1=a300428748dce5c70e4da19bffd60769591ea969c99dea3105d0ec9612cf43f9";

/// A source for each set of secrets.
fn started() -> (Home, Server) {
    let sources = vec![
        Source::new("rotated", &ROTATED),
        Source::new("rotating", &ROTATED[..2]),
        Source::new("python", &[PYTHON]),
        Source::new("go", &[GO]),
        Source::new("valid", &["VALID_SECRET"]),
        Source::new("invalid", &["INVALID_VALID_SECRET"]),
    ];
    let ledgers = vec![Ledger::new("main", sources)];
    let home = Home::new(&Setup { ledgers, tokens: Vec::new(), nats: None }).unwrap();
    let server = Server::start(&home).unwrap();
    (home, server)
}

fn deliver(server: &Server, source: &str, header: &str, body: &[u8]) -> Answer {
    let delivery = Delivery { header: header.to_owned(), body: body.to_owned() };
    server.deliver(source, &delivery).unwrap()
}

/// A body of the SDKs' tests as it was signed.
fn real(folder: &Path, file: &str) -> Vec<u8> {
    let bytes = fs::read(folder.join(file)).unwrap();
    if !file.starts_with("paddle-go-sdk") {
        return bytes.trim_ascii_end().to_owned();
    }
    // Signed minified; no string in it has white space at the border of a line or `": `.
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(str::trim).collect::<String>().replace("\": ", "\":").into_bytes()
}

#[test]
fn official_signatures_are_acknowledged() {
    let (home, server) = started();
    let rotated = "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02";
    let twice = "28981e941fae76e53db32f3d2a83cb69db41476595e84e1970a1b5d98f62b261";
    let twice = format!("ts=1698796800;h1={twice};h1={twice};h2=RANDOM_HASH");
    for (source, header, body) in [
        ("rotated", rotated, "hello-world"),
        ("valid", HEADER, BODY),
        ("valid", &*twice, r#"{"data": "value"}"#),
    ] {
        let answer = deliver(&server, source, header, body.as_bytes());
        assert_eq!(answer.status, 200, "{header}: {}", answer.text());
        let said = answer.json().unwrap();
        // Signed, and no envelope: kept, and never a reason to be sent again.
        assert_eq!(said["outcome"], "quarantined", "{said}");
        assert_eq!(said["reason"], "malformed", "{said}");
    }
    if let Some(folder) = environment::real_payloads() {
        for (source, header, file) in [
            (
                "python",
                "ts=1710498758;h1=558bf93944dbeb4790c7a8af6cb2ea435c8ca9c8396aafc1a4e37424ac132744",
                "paddle-python-sdk/Unit/Notification/standard_payload.json",
            ),
            (
                "python",
                "ts=1710498288;h1=38219b3ba1578184e625c29d201a27cd25bd69e2ec9c3ab87dcb90d87ff73a41",
                "paddle-python-sdk/Unit/Notification/special_chars_payload.json",
            ),
            (
                "go",
                "ts=1710929255;h1=6c05ef8fa83c44d751be6d259ec955ce5638e2c54095bf128e408e2fce1589c8",
                "paddle-go-sdk/testdata/price_created.json",
            ),
        ] {
            let answer = deliver(&server, source, header, &real(&folder, file));
            assert_eq!(answer.status, 200, "{file}: {}", answer.text());
            assert_eq!(answer.json().unwrap()["outcome"], "ignored", "{file}");
        }
    }
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
}

#[test]
fn every_refusal_looks_the_same() {
    let (_home, server) = started();
    let rotated =
        "ts=1696195954;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02";
    let no_time = &HEADER["ts=1698796800;".len()..];
    let mut refusals = BTreeSet::new();
    for (source, header, body) in [
        ("invalid", HEADER, BODY),
        ("valid", &*HEADER.replace("1698796800", "9876"), BODY),
        ("valid", HEADER, r#"{ "data": [ "1", "2" ]}"#),
        ("valid", HEADER, ""),
        ("valid", "ts=1234;h1=invalid_signature", BODY),
        ("valid", "invalid_header", BODY),
        ("valid", "h1=invalid_header", BODY),
        ("valid", "ts=1234;h2=invalid_header", BODY),
        ("valid", "", BODY),
        ("valid", no_time, BODY),
        ("valid", &*format!("{HEADER};ts=1698796800"), BODY),
        ("valid", &*format!("{HEADER};{}", "h1=0;".repeat(8)), BODY),
        ("valid", &*format!("{HEADER};{}", "x".repeat(1024)), BODY),
        ("valid", &HEADER.to_uppercase(), BODY),
        ("rotating", rotated, "hello-world"),
        ("python", HEADER, BODY),
    ] {
        let answer = deliver(&server, source, header, body.as_bytes());
        assert_eq!(answer.status, 401, "{source} {header}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        refusals.insert(answer.text());
    }
    let url = format!("http://{}/webhooks/valid", server.public);
    let client = tallyhook_tests::http::Client::default();
    let twice = [("paddle-signature", HEADER), ("paddle-signature", HEADER)];
    for headers in [&[][..], &twice[..]] {
        let answer = client.send(Method::POST, &url, headers, Some(BODY.as_bytes())).unwrap();
        assert_eq!(answer.status, 401, "{headers:?}: {}", answer.text());
        refusals.insert(answer.text());
    }
    // One text for all: an attacker learns nothing of what was wrong.
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    let refusal: serde_json::Value =
        serde_json::from_str(refusals.first().unwrap()).expect("a problem is JSON");
    assert_eq!(refusal["code"], "signature_invalid", "{refusal}");
    assert_eq!(refusal["status"], 401, "{refusal}");
    // Nothing of all this was recorded.
    let deliveries = server.list("records", 500).unwrap();
    assert!(deliveries.iter().all(|record| record["input"]["kind"] == "command"));
}
