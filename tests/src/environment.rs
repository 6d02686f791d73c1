//! The environment of a test run: where things are that a test can't know by itself.

use std::path::{Path, PathBuf};

/// Names the binary under test; without it, the one of this workspace is built.
pub const BINARY: &str = "TALLYHOOK_BIN";

/// Names the example gateway; without it, the one of this workspace is built.
pub const GATEWAY: &str = "TALLYHOOK_GATEWAY";

/// Names `tallyhook-verify`; without it, the one of this workspace is built.
pub const VERIFIER: &str = "TALLYHOOK_VERIFY";

/// Names the real nats-server; without it, the one that `scripts/test` installs is taken.
pub const NATS_SERVER: &str = "TALLYHOOK_NATS_SERVER";

/// Names the folder of bean-check and hledger; without it, the one that `scripts/ledger-tools` made.
pub const LEDGER_TOOLS: &str = "TALLYHOOK_LEDGER_TOOLS";

/// Set where nothing may be left unchecked because something is missing.
pub const CI: &str = "CI";

/// Names the folder of real payloads, which are not part of the project.
pub const FIXTURES: &str = "TALLYHOOK_FIXTURES";

/// Set, it keeps the folders of servers whose test failed.
pub const KEEP: &str = "TALLYHOOK_KEEP";

/// The cargo that runs the tests.
pub const CARGO: &str = "CARGO";

/// The value of a variable; none where it is absent or empty.
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it from")]
    let value = std::env::var_os(name);
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The words of a variable; none where it is absent or empty.
///
/// # Panics
/// They are no UTF-8.
#[must_use]
pub fn setting(name: &str) -> Option<String> {
    let words = variable(name)?.into_os_string().into_string();
    Some(words.expect("settings of tests are plain words"))
}

/// A number that says how much a run does; none where the environment leaves it to the test.
///
/// # Panics
/// The variable is no number.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    setting(name).map(|words| words.parse().expect("settings of tests that count are numbers"))
}

/// The first seed of a run.
pub const SEED: &str = "TALLYHOOK_SEED";

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of Paddle's real payloads; none where they are not at hand, which is said.
#[must_use]
pub fn real_payloads() -> Option<PathBuf> {
    let near = || workspace().join("../shared/fixtures");
    let folder = variable(FIXTURES).unwrap_or_else(near).join("paddle");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("not checked: no real payloads at {} (set {FIXTURES})", folder.display());
    None
}

/// The folder of bean-check and hledger; none where they are not at hand, which is said.
///
/// # Panics
/// They are missing in CI.
#[must_use]
pub fn ledger_tools() -> Option<PathBuf> {
    let near = || workspace().join(".tools/ledger-tools/bin");
    let folder = variable(LEDGER_TOOLS).unwrap_or_else(near);
    if folder.join("bean-check").exists() && folder.join("hledger").exists() {
        return Some(folder);
    }
    let missing = format!(
        "no bean-check and hledger in {} (scripts/ledger-tools installs them; or set {LEDGER_TOOLS})",
        folder.display()
    );
    assert!(variable(CI).is_none(), "{missing}");
    eprintln!("not checked: {missing}");
    None
}
