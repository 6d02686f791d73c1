//! What is kept of a failure: the home with the store as it was found, what was known, how to look
//! at it again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Error;
use serde_json::{Map, Value, json};
use tallyhook_tests::{
    environment,
    home::{Home, Setup},
};

use crate::{
    check::{Known, Sent, audit, check},
    disk::RESERVE,
};

const VARIABLE: &str = "TALLYHOOK_CRASH";

/// Keeps a state that failed, and says so.
pub(crate) fn fail(
    name: &str,
    data: &Path,
    trace: Option<&Path>,
    known: &Known,
    error: &Error,
) -> ! {
    let folder =
        fs::canonicalize(environment::workspace()).unwrap().join("target/crash").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    if data.exists() {
        copy(data, &folder.join("data"));
    }
    if let Some(trace) = trace {
        fs::copy(trace, folder.join("trace")).unwrap();
    }
    fs::write(folder.join("known.json"), written(known).to_string()).unwrap();
    panic!(
        "{name}: {error:?}\nlook at it again with\n\
         {VARIABLE}={} cargo test -p tallyhook-tests --test crash -- --nocapture kept",
        folder.display()
    );
}

/// Copies a folder with everything below but the reserve.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != RESERVE {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn written(known: &Known) -> Value {
    let sent = known.sent.iter().map(|(id, sent)| {
        let body = sent.body.map(hex::encode);
        (id.clone(), json!({"account": sent.account, "credits": sent.credits, "body": body}))
    });
    json!({"sent": sent.collect::<Map<_, _>>(), "acknowledged": known.acknowledged})
}

fn read(text: &str) -> Known {
    let value: Value = serde_json::from_str(text).unwrap();
    let mut known = Known::default();
    for (id, sent) in value["sent"].as_object().unwrap() {
        let body = sent["body"].as_str().map(|body| hex::decode(body).unwrap());
        let sent = Sent {
            account: sent["account"].as_str().unwrap().to_owned(),
            credits: sent["credits"].as_i64().unwrap(),
            body: body.map(|body| body.try_into().unwrap()),
        };
        known.sent.insert(id.clone(), sent);
    }
    for (id, sequence) in value["acknowledged"].as_object().unwrap() {
        known.acknowledged.insert(id.clone(), sequence.as_u64().unwrap());
    }
    known
}

/// Looks again at what a failed run kept; without one, there is nothing to do.
#[test]
fn what_was_kept_is_looked_at_again() {
    let Some(folder) = environment::setting(VARIABLE).map(PathBuf::from) else { return };
    let known = read(&fs::read_to_string(folder.join("known.json")).unwrap());
    let home = Home::new(&Setup::one()).unwrap();
    copy(&folder.join("data"), &home.file("data"));
    eprintln!("records: {}", check(&home.file("data"), &known).unwrap());
    audit(&home).unwrap();
}
