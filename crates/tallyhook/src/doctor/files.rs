//! Files: what a crash left, what should not be there, and who may read what.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use server::checkpoints::{FILE as CHECKPOINTS, KEY_FILE, KEY_IN_MAKING};
use toml::Value;

use super::check::Check;

/// What a data folder has.
const KNOWN: [&str; 8] =
    ["log", "views", "high-water", "format", "reserve", "lock", CHECKPOINTS, KEY_FILE];

/// What an erasure or a note that was broken off leaves there: the next start makes or removes it.
const BROKEN_OFF: [&str; 5] =
    ["log.new", "log.probe", "high-water.new", "format.new", KEY_IN_MAKING];

/// What a backup has: the server doesn't serve it.
const BACKUP: &str = "backup";

/// What a backup or restore that was broken off leaves: the folder can't be used.
const UNFINISHED: &str = "unfinished";

/// Whether sled put a value into a file of its own, which it never syncs.
pub(super) fn blobs(data: &Path) -> Check {
    const NAME: &str = "blobs";
    match names(&data.join("log/blobs")) {
        Err(error) => unread(NAME, &error),
        Ok(names) if names.is_empty() => Check::pass(NAME, "none"),
        Ok(names) => Check::fail(
            NAME,
            format!("{} files in log/blobs", names.len()),
            "the log is not this program's, or was changed: the server won't open it; restore a \
             backup",
        ),
    }
}

/// What a crash left.
pub(super) fn leftovers(data: &Path) -> Check {
    const NAME: &str = "leftovers of a crash";
    let (mut found, log) = match (names(data), names(&data.join("log"))) {
        (Ok(data), Ok(log)) => (data, log),
        (Err(error), _) | (_, Err(error)) => return unread(NAME, &error),
    };
    if found.iter().any(|name| name == UNFINISHED) {
        let found = format!("the file {UNFINISHED}: a restore broke off here");
        return Check::fail(NAME, found, "delete the folder and restore again");
    }
    found.retain(|name| BROKEN_OFF.contains(&name.as_str()));
    let generating = |name: &String| name.starts_with("snap.") && name.ends_with(".generating");
    found.extend(log.into_iter().filter(generating).map(|name| format!("log/{name}")));
    if found.is_empty() {
        return Check::pass(NAME, "none");
    }
    Check::warn(NAME, found.join(", "), "nothing to do: the next start removes or replaces them")
}

/// What is in the data folder and is none of the store's own.
pub(super) fn strangers(data: &Path) -> Check {
    const NAME: &str = "other files";
    match names(data) {
        Err(error) => unread(NAME, &error),
        Ok(mut names) => {
            let known = |name: &str| KNOWN.contains(&name) || BROKEN_OFF.contains(&name);
            names.retain(|name| !known(name) && name != UNFINISHED);
            if names.is_empty() {
                return Check::pass(NAME, "none");
            }
            if names.iter().any(|name| name == BACKUP) {
                let remedy = "put it into another folder by `tallyhook restore` and serve that";
                return Check::fail(NAME, format!("{BACKUP}: the folder is a backup"), remedy);
            }
            Check::warn(
                NAME,
                names.join(", "),
                "no start uses them; views.damaged is what a start put aside and may be deleted, \
                 of others find out who put them there",
            )
        }
    }
}

/// Sorted names of what is in a folder; none where it is absent.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = entries.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn unread(name: &'static str, error: &io::Error) -> Check {
    Check::skip(name, format!("can't be read: {error}"), "run as the server's user")
}

/// Whether anybody may read the data.
pub(super) fn data_permissions(data: &Path) -> Check {
    private("permissions of the data", &[data.to_path_buf()], "chmod o-rwx")
}

/// Whether anybody may read the secrets that a configuration names by file, or the configuration
/// itself where it has a password.
pub(super) fn secret_permissions(config: &Path, text: &str) -> Check {
    private("permissions of secrets", &secret_files(config, text), "chmod o-rwx")
}

/// Files that hold a secret. Nothing of a text that is no TOML, which is told elsewhere.
fn secret_files(config: &Path, text: &str) -> Vec<PathBuf> {
    let folder = config.parent().unwrap_or_else(|| Path::new(""));
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let below = |value: &Value, key: &str| -> Vec<(String, Value)> {
        let table = value.get(key).and_then(Value::as_table);
        table.map(|table| table.clone().into_iter().collect()).unwrap_or_default()
    };
    let root = Value::Table(table);
    let ledgers = below(&root, "ledgers").into_iter();
    let sources = ledgers.flat_map(|(_, ledger)| below(&ledger, "sources"));
    let references = sources.filter_map(|(_, source)| source.get("secrets")?.as_array().cloned());
    let mut files: Vec<PathBuf> = references
        .flatten()
        .filter_map(|reference| Some(folder.join(reference.as_str()?.strip_prefix("file:")?)))
        .collect();
    let signing = below(&root, "checkpoints").into_iter().filter(|(name, _)| name == "key");
    files.extend(
        signing.filter_map(|(_, key)| Some(folder.join(key.as_str()?.strip_prefix("file:")?))),
    );
    let nats = below(&root, "nats");
    let of_broker = |key: &str| nats.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let named = |key: &str| of_broker(key).and_then(Value::as_str);
    files.extend(
        ["credentials", "nkey", "key"].into_iter().filter_map(named).map(|path| folder.join(path)),
    );
    let referenced = ["password", "token"].into_iter().filter_map(named);
    files.extend(referenced.filter_map(|text| Some(folder.join(text.strip_prefix("file:")?))));
    // A password in an address, of one or of several.
    if of_broker("url").is_some_and(|url| url.to_string().contains('@')) {
        files.push(config.to_path_buf());
    }
    files
}

/// Whether none of these is open to everyone. What is not there is told elsewhere.
fn private(name: &'static str, paths: &[PathBuf], command: &str) -> Check {
    let open = |path: &&PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0)
    };
    let open: Vec<String> =
        paths.iter().filter(open).map(|path| path.display().to_string()).collect();
    if open.is_empty() {
        return Check::pass(name, "closed to others");
    }
    let open = open.join(" ");
    Check::warn(name, format!("others may use {open}"), format!("{command} {open}"))
}

#[cfg(test)]
mod tests {
    use super::{super::check::Verdict, *};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_a_crash_or_a_hand_left_is_named() {
        let data = tempfile::tempdir().unwrap();
        let all = || [blobs, leftovers, strangers].map(|look| look(data.path()));
        fs::create_dir_all(data.path().join("log/blobs")).unwrap();
        for known in KNOWN.iter().skip(1) {
            fs::write(data.path().join(known), "").unwrap();
        }
        fs::write(data.path().join("log/snap.00000000000ABC"), "").unwrap();
        assert!(all().iter().all(|check| check.verdict == Verdict::Pass), "{:?}", all());

        fs::write(data.path().join("log/blobs/1"), "").unwrap();
        fs::write(data.path().join("log/snap.00000000000ABD.generating"), "").unwrap();
        fs::create_dir(data.path().join("log.new")).unwrap();
        fs::write(data.path().join("notes"), "").unwrap();
        let found = all();
        let verdicts = found.each_ref().map(|check| check.verdict);
        assert_eq!(verdicts, [Verdict::Fail, Verdict::Warn, Verdict::Warn]);
        assert!(found[1].told().contains("log/snap.00000000000ABD.generating"));
        assert!(found[1].told().contains("log.new"));
        assert!(found[2].told().contains(": notes\n"), "{:?}", found[2]);
        fs::write(data.path().join("backup"), "").unwrap();
        assert_eq!(strangers(data.path()).verdict, Verdict::Fail);
        fs::write(data.path().join("unfinished"), "").unwrap();
        assert_eq!(leftovers(data.path()).verdict, Verdict::Fail);
        let absent = data.path().join("absent");
        assert_eq!(blobs(&absent).verdict, Verdict::Pass);
    }

    #[test]
    fn what_others_may_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        mode(dir.path(), 0o750);
        assert_eq!(data_permissions(dir.path()).verdict, Verdict::Pass);
        mode(dir.path(), 0o755);
        assert_eq!(data_permissions(dir.path()).verdict, Verdict::Warn);

        let (config, secret) = (dir.path().join("tallyhook.toml"), dir.path().join("secret"));
        let text = "[ledgers.main.sources.paddle]\nsecrets = [\"env:A\", \"file:secret\"]\n";
        fs::write(&secret, "").unwrap();
        fs::write(&config, "").unwrap();
        mode(&config, 0o644);
        for (bits, expected) in [(0o640, Verdict::Pass), (0o604, Verdict::Warn)] {
            mode(&secret, bits);
            assert_eq!(secret_permissions(&config, text).verdict, expected);
        }
        let named = secret_permissions(&config, text).told();
        assert!(named.contains(&format!("chmod o-rwx {}", secret.display())), "{named}");
        mode(&secret, 0o600);
        let broker = format!("{text}[nats]\nurl = \"nats://user:password@host:4222\"\n");
        let check = secret_permissions(&config, &broker);
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(!check.told().contains("password@"), "{check:?}");
        for (key, value) in [
            ("credentials", "broker"),
            ("nkey", "broker"),
            ("key", "broker"),
            ("password", "file:broker"),
            ("token", "file:broker"),
        ] {
            let broker = dir.path().join("broker");
            fs::write(&broker, "").unwrap();
            mode(&broker, 0o604);
            let text = format!("[nats]\nurl = \"nats://host\"\n{key} = \"{value}\"\n");
            let check = secret_permissions(&config, &text);
            assert!(check.told().contains("/broker"), "{key}: {check:?}");
        }
        let check = secret_permissions(&config, "[checkpoints]\nkey = \"file:broker\"\n");
        assert!(check.told().contains("/broker"), "{check:?}");
    }
}
