//! The description says what is really there: routes, roles, bodies, answers, problems.

mod answers;
mod description;
mod sources;

use std::collections::BTreeSet;

use domain::exception::ExceptionKind;

use self::description::{Description, METHODS};
use super::*;

/// Problems that no described operation answers: of paths and methods that are not there, and of
/// Tallyhook's own commands.
const ELSEWHERE: [&str; 4] =
    ["not_found", "method_not_allowed", "hold_not_over", "erasure_invalid"];

/// Whether a body was refused for the names or types of its fields.
fn misread(answer: &Value) -> bool {
    answer["detail"].as_str().is_some_and(|detail| detail.starts_with("the body has a field"))
}

async fn ask(
    server: &Server,
    (method, path): (&str, &str),
    token: &str,
    key: &str,
    body: Body,
) -> (StatusCode, Value) {
    let router = if path.starts_with("/webhooks") { &server.public } else { &server.private };
    let request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
    let request = match token {
        "" => request,
        token => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
    };
    let request = request.header("Idempotency-Key", key).body(body).unwrap();
    let (status, _, answer) = answered(router, request).await;
    (status, answer)
}

#[tokio::test]
async fn the_document_is_served_without_a_token() {
    let (status, served) = ask(&server(), ("get", "/openapi.json"), "", "k", Body::empty()).await;
    assert_eq!((status, &served["openapi"]), (StatusCode::OK, &json!("3.1.0")));
    assert_eq!(served, Description::read().0);
}

#[test]
fn every_route_of_the_sources_is_described_and_no_other() {
    let described = Description::read();
    let described: BTreeSet<(String, String)> =
        described.operations().map(|one| (one.path.to_owned(), one.method.to_owned())).collect();
    assert_eq!(described, sources::routes());
}

#[tokio::test]
async fn each_path_takes_the_methods_that_are_described() {
    let (server, document) = (server(), Description::read());
    for path in document.paths() {
        for method in METHODS {
            let asked = (method, &*Description::example(path));
            let (status, answer) = ask(&server, asked, "", "k", Body::empty()).await;
            assert_ne!(answer["code"], "not_found", "{method} {path}");
            let taken = status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(taken, document.operation(path, method).is_some(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn each_operation_asks_for_the_role_that_is_described() {
    let (server, document) = (server(), Description::read());
    for one in document.operations() {
        let path = Description::example(one.path);
        let code = async |token: &str| {
            let (_, answer) = ask(&server, (one.method, &path), token, "k", Body::empty()).await;
            answer["code"].as_str().unwrap_or_default().to_owned()
        };
        let role = one.role();
        assert_eq!(role.is_some(), code("").await == "token_invalid", "{one}");
        let Some(role) = role else { continue };
        let text = one.says["description"].as_str().unwrap();
        assert!(text.ends_with(&format!("Role: {role}.")), "{one}");
        let lacking = (code("reader").await, code("spender").await);
        let (reader, spender) = match role {
            "read" => (false, false),
            "spend" => (true, false),
            "operate" => (true, true),
            _ => panic!("{one} asks for {role}"),
        };
        let missing = |code: &str| code == "role_missing";
        assert_eq!((missing(&lacking.0), missing(&lacking.1)), (reader, spender), "{one}");
    }
}

#[tokio::test]
async fn each_body_has_the_fields_that_are_described() {
    let (server, document) = (server(), Description::read());
    let mut bodies = 0;
    for one in document.operations().filter(|one| one.role().is_some() && one.method == "post") {
        let path = Description::example(one.path);
        let asked = async |body: &Value, key: String| {
            let body = Body::from(body.to_string());
            ask(&server, (one.method, &path), "all", &key, body).await.1
        };
        if one.body().unwrap().get("additionalProperties") == Some(&json!(true)) {
            // What a provider lists has fields that we don't know.
            continue;
        }
        let whole = document.example_of(one.body().unwrap());
        let faults = document.faults(one.body().unwrap(), &whole);
        assert_eq!(faults, [""; 0], "{one}: {whole}");
        assert!(!misread(&asked(&whole, format!("{one}")).await), "{one}: {whole}");
        let mut more = whole.clone();
        more["unknown"] = json!("x");
        assert!(misread(&asked(&more, format!("{one} more")).await), "{one}: {more}");
        for name in whole.as_object().unwrap().keys() {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(name);
            let needed = !document.faults(one.body().unwrap(), &less).is_empty();
            let answer = asked(&less, format!("{one} without {name}")).await;
            assert_eq!(misread(&answer), needed, "{one}: {less}: {answer}");
        }
        bodies += 1;
    }
    assert!(bodies > 15, "{bodies}");
}

#[test]
fn no_body_has_a_field_that_is_not_described() {
    let document = Description::read();
    let closed = document.objects().into_iter().filter(|schema| {
        schema.get("properties").is_some()
            && schema.get("additionalProperties") == Some(&json!(false))
    });
    let described: BTreeSet<BTreeSet<String>> = closed
        .map(|one| one["properties"].as_object().unwrap().keys().cloned().collect())
        .collect();
    assert_eq!(described, sources::bodies());
}

#[tokio::test]
async fn each_list_is_asked_by_the_names_that_are_described() {
    let (server, document) = (server(), Description::read());
    let mut lists = 0;
    server.granted("x", "1").await;
    for one in document.operations().filter(|one| !one.query(&document).is_empty()) {
        let path = format!("{}?unknown=1", Description::example(one.path));
        let body = document.example_of(one.body().unwrap_or(&json!({"type": "object"})));
        let body = Body::from(body.to_string());
        let (status, answer) = ask(&server, (one.method, &path), "all", "k", body).await;
        assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("query_invalid")), "{one}");
        let detail = answer["detail"].as_str().unwrap();
        let told: BTreeSet<&str> = match detail.split_once("expected") {
            Some((_, names)) => names.split('`').skip(1).step_by(2).collect(),
            None => {
                let (_, names) = detail.split_once("is asked by ").unwrap();
                names.split([',', ' ']).filter(|name| !["", "and"].contains(name)).collect()
            }
        };
        let named = one.query(&document).into_iter();
        let named = named.map(|name| if name == "metadata" { "metadata.NAME" } else { name });
        assert_eq!(named.collect::<BTreeSet<_>>(), told, "{one}: {detail}");
        lists += 1;
    }
    assert_eq!(lists, 14);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = Description::read();
    let objects = document.objects();
    let references = objects.iter().filter_map(|object| object.get("$ref")?.as_str());
    let mut count = 0;
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.0.pointer(place).is_some(), "{reference}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_problem_of_the_sources_is_described_with_its_status_and_no_other() {
    let document = Description::read();
    let real = sources::problems();
    let codes: BTreeSet<&str> = real.iter().map(|(_, code)| &**code).collect();
    let named = &document.0["components"]["schemas"]["ProblemCode"]["enum"];
    assert_eq!(description::texts(named), codes);
    let mut answered = BTreeSet::new();
    for one in document.operations() {
        for (status, code) in one.problems() {
            assert!(real.contains(&(status, code.to_owned())), "{one} {status} {code}");
            answered.insert(code);
        }
    }
    answered.extend(ELSEWHERE);
    assert_eq!(answered, codes);
}

#[test]
fn names_are_those_of_the_sources() {
    let document = Description::read();
    let schemas = &document.0["components"]["schemas"];
    let kinds = ExceptionKind::ALL.map(ExceptionKind::name);
    assert_eq!(description::texts(&schemas["ExceptionKind"]["enum"]), BTreeSet::from(kinds));
    for (names, file) in [
        (&schemas["OrderName"]["enum"], "../domain/src/input/order.rs"),
        (&schemas["Effect"]["properties"]["effect"]["enum"], "src/private/form/effects.rs"),
    ] {
        let real = sources::names(file);
        assert!(real.len() > 20, "{file}");
        assert_eq!(description::texts(names), real.iter().map(String::as_str).collect(), "{file}");
    }
}

/// Credits stay with their account and never become cash (rules A4 and A5).
#[test]
fn nothing_moves_credits_to_another_account_or_into_cash() {
    for path in Description::read().paths() {
        for word in ["transfer", "redeem", "redemption", "cash", "payout", "withdraw-money"] {
            assert!(!path.contains(word), "{path}");
        }
    }
}
