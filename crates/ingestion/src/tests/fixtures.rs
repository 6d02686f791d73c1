//! Real payloads of Paddle's SDKs, where they are at hand, and the project's own.

use std::path::{Path, PathBuf};

use super::*;

/// The folder of the real payloads: they are not part of the project.
pub(super) fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it from")]
    let named = std::env::var("TALLYHOOK_FIXTURES").ok().map(PathBuf::from);
    let near = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folder = named.unwrap_or_else(near).join("paddle");
    if !folder.is_dir() {
        eprintln!("not checked: no real payloads at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// All JSON files under a folder, with their paths.
fn files(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                found.push((path, value));
            }
        }
    }
    found
}

/// Reads an event and checks that it is of the kind that its type says.
fn check_kind(event_type: &str, body: &[u8], path: &Path) {
    let delivery = deliver(body);
    let kind = match &delivery.notice {
        Ok(Notice::Purchase(_)) => "transaction",
        Ok(Notice::Adjustment(_)) => "adjustment",
        Ok(Notice::Nothing) => "nothing",
        Err(unreadable) => panic!("{}: {unreadable:?}", path.display()),
    };
    let said = event_type.split('.').next().unwrap();
    let expected = if matches!(said, "transaction" | "adjustment") { said } else { "nothing" };
    assert_eq!(kind, expected, "{}", path.display());
}

#[test]
fn every_real_entity_is_read() {
    let Some(folder) = folder() else { return };
    let mut read = 0;
    for (path, data) in files(&folder) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let parent = path.parent().unwrap();
        if parent.ends_with("entity") || parent.ends_with("payload") {
            check_kind(name, &event(name, &data), &path);
            read += 1;
        }
    }
    assert!(read >= 30, "{read} entities");
}

#[test]
fn every_real_event_is_read() {
    let Some(folder) = folder() else { return };
    let mut read = 0;
    for (path, value) in files(&folder) {
        let payload = value.pointer("/data/payload");
        let listed = value.pointer("/data").and_then(Value::as_array).into_iter().flatten();
        for event in listed.chain(payload).chain([&value]) {
            let Some(event_type) = event.get("event_type").and_then(Value::as_str) else {
                continue;
            };
            check_kind(event_type, &serde_json::to_vec(event).unwrap(), &path);
            read += 1;
        }
    }
    assert!(read >= 8, "{read} events");
}

#[test]
fn the_story_of_the_project_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/paddle");
    for (path, event) in files(&folder) {
        let event_type = event["event_type"].as_str().unwrap();
        check_kind(event_type, &std::fs::read(&path).unwrap(), &path);
    }
}
