//! The keys of checkpoints: what the log is called, who signs, how often, and where to.

use std::{path::PathBuf, time::Duration};

use policy_file::reader::{Faulted, Item, Reader};
use proof::note::PrivateKey;

use super::{Checkpoints, read::Around, secret};

/// The keys of the table.
pub(super) const KEYS: [&str; 4] = ["origin", "key", "every_seconds", "file"];

/// How often a checkpoint is signed where nothing is said.
const EVERY_SECONDS_USUAL: u64 = 60;

/// How seldom at most.
const EVERY_SECONDS_MAX: u64 = 86_400;

/// Without the table.
pub(super) fn usual() -> Checkpoints {
    let origin = audit::checkpoint::LOG_USUAL.to_owned();
    let every = Duration::from_secs(EVERY_SECONDS_USUAL);
    Checkpoints { origin, key: None, every, file: None }
}

pub(super) fn checkpoints(
    table: &mut Reader<'_, '_>,
    around: &Around<'_>,
) -> Result<Checkpoints, Faulted> {
    let usual = usual();
    let origin = table.optional("origin").map_or(Ok(usual.origin), |mut item| origin(&mut item));
    let key = table.optional("key").map(|mut item| key(&mut item, around)).transpose();
    let every = table.optional("every_seconds").map_or(Ok(usual.every), |mut item| {
        item.integer(1..=EVERY_SECONDS_MAX).map(Duration::from_secs)
    });
    let file = table.optional("file").map(|mut item| match item.text()? {
        "" => Err(item.fault("must not be empty", "name a file, or leave it out")),
        file => Ok(around.folder.join(PathBuf::from(file))),
    });
    Ok(Checkpoints { origin: origin?, key: key?, every: every?, file: file.transpose()? })
}

/// A name that can stand in a key and before a slash and the ledger.
fn origin(item: &mut Item<'_, '_>) -> Result<String, Faulted> {
    let remedy = "write a name that nobody else's log has, such as \"credits.example.com\"";
    let text = item.text()?;
    let is_named = !text.starts_with('/') && !text.ends_with('/');
    // Any key will do: what matters is whether the name can stand in one.
    let is_key = PrivateKey::of([1; 32]).signer(text).is_ok();
    if is_named && is_key {
        Ok(text.to_owned())
    } else {
        Err(item.fault("is empty, or has a space, a plus sign or a slash at an end", remedy))
    }
}

/// No fault shows more of the key than what it is not.
fn key(item: &mut Item<'_, '_>, around: &Around<'_>) -> Result<PrivateKey, Faulted> {
    let what = "a key of the form PRIVATE+KEY+..., as in checkpoint.key of a data folder";
    let text = secret::text(item, around, what)?;
    PrivateKey::parse(text.trim()).map_err(|fault| item.fault(fault, format!("put {what} there")))
}
