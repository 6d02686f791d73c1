//! What the server's sources declare: routes, problems, names.

use std::{collections::BTreeSet, fs, path::Path};

use axum::http::StatusCode;

use super::description::METHODS;

/// Where the routes of a ledger are nested.
const LEDGER: &str = "/v1/ledgers/{ledger}";

/// The sources without their tests, each with its path below `src`, in one line.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if name.contains("tests") {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.push((name, code.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
    }
    found
}

/// Each path with each of its methods, as the routers declare them.
pub(super) fn routes() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for (file, source) in sources() {
        let nested = file.starts_with("private/") && file != "private/mod.rs";
        for call in source.split(".route(").skip(1) {
            let Some((path, rest)) =
                call.trim_start().strip_prefix('"').and_then(|call| call.split_once('"'))
            else {
                continue;
            };
            let path = if nested { format!("{LEDGER}{path}") } else { path.to_owned() };
            let before = routes.len();
            let handlers = call_end(rest);
            for method in METHODS.iter().filter(|method| calls(handlers, method)) {
                routes.insert((path.clone(), (*method).to_owned()));
            }
            assert!(routes.len() > before, "{file}: {path} has no method that is known");
        }
    }
    routes
}

/// The arguments up to the parenthesis that ends the call.
fn call_end(text: &str) -> &str {
    let mut depth = 1;
    for (place, sign) in text.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..place];
        }
    }
    panic!("a call does not end: {text}")
}

fn calls(text: &str, function: &str) -> bool {
    text.match_indices(&format!("{function}(")).any(|(place, _)| {
        !text[..place].ends_with(|sign: char| sign.is_ascii_alphanumeric() || sign == '_')
    })
}

/// Each code with its status: a text that follows a status.
pub(super) fn problems() -> BTreeSet<(u16, String)> {
    let mut problems = BTreeSet::new();
    for (_, source) in sources() {
        for (place, _) in source.match_indices(", \"") {
            let word = |sign: char| !(sign.is_ascii_alphanumeric() || "_:".contains(sign));
            let before = source[..place].rsplit(word).next().unwrap();
            let status = match before {
                "CONFLICT" => Some(409),
                "NOT_FOUND" => Some(404),
                "UNFIT" => Some(422),
                _ => before.strip_prefix("StatusCode::").map(number),
            };
            let code = source[place + 3..].split('"').next().unwrap();
            problems.extend(status.map(|status| (status, code.to_owned())));
        }
    }
    problems
}

/// The number of a status by its constant.
fn number(constant: &str) -> u16 {
    let named = |status: &u16| {
        let reason = StatusCode::from_u16(*status).unwrap().canonical_reason().unwrap_or_default();
        reason.to_uppercase().replace([' ', '-'], "_") == constant
    };
    (200..600).find(named).unwrap()
}

/// The names of the fields of each struct that a part of a body is read into.
pub(super) fn bodies() -> BTreeSet<BTreeSet<String>> {
    let mut bodies = BTreeSet::new();
    for (_, source) in sources() {
        for rest in source.split("struct ").skip(1) {
            let Some((name, rest)) = rest.split_once(" {") else { continue };
            if name.ends_with("Body") {
                let fields = rest.split('}').next().unwrap();
                let fields = fields.rsplit(": ").skip(1).map(|part| part.rsplit(' ').next());
                bodies.insert(fields.map(|name| name.unwrap().to_owned()).collect());
            }
        }
    }
    bodies
}

/// The texts of a table of names, in a file of ours by its path from this crate.
pub(super) fn names(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let source = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = source.split("const fn name(").nth(1).unwrap().split("} }").next().unwrap();
    table.split("=> \"").skip(1).map(|name| name.split('"').next().unwrap().to_owned()).collect()
}
