//! A folder with everything that one server needs: configuration, policies, secrets, data.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ingestion::secret::Secret;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::environment;

/// The ledger of tests that need only one.
pub const LEDGER: &str = "main";

/// The source of tests that need only one.
pub const SOURCE: &str = "paddle";

/// The secret of [`SOURCE`].
pub const SECRET: &str = "pdl_ntfset_01tallyhooktests_j3s+n0t/r3al";

/// The name of a home's configuration.
pub const CONFIG: &str = "tallyhook.toml";

/// A token that may do everything in every ledger.
pub const TOKEN: &str = "token-of-the-tests";

/// One credit for one US dollar; gift first; what is lacking is owed; disputes freeze.
pub const POLICY: &str = r#"name = "tests"
version = 1
effective_from = "2020-01-01T00:00:00Z"

[credits]
unit = "USD"
decimals = 6
rates = { USD = "1" }

[spending]
order = ["gift", "paid"]

[reversal]
shortfall = "owed"
settle_owed = true

[measures]
on_dispute = { spending = "suspend", balance = "freeze-payment", checkout = "limit" }
on_chargeback = { spending = "suspend", balance = "freeze-account", checkout = "limit" }
"#;

/// A webhook endpoint.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, which stands in the path.
    pub name: String,
    /// Its active secrets.
    pub secrets: Vec<String>,
}

/// A caller of the private API.
#[derive(Clone, Debug)]
pub struct Token {
    /// The bearer token itself.
    pub token: &'static str,
    /// What it may do.
    pub roles: &'static [&'static str],
    /// In which ledgers.
    pub ledgers: Vec<String>,
}

/// A ledger's book.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Its name.
    pub name: String,
    /// Its policy, in TOML.
    pub policy: String,
    /// `live` or `sandbox`.
    pub mode: &'static str,
    /// `tolerance_seconds` of its sources, in TOML.
    pub tolerance: &'static str,
    /// `stale` of its sources.
    pub stale: &'static str,
    /// Its endpoints.
    pub sources: Vec<Source>,
}

/// What is to be written into the configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The ledgers.
    pub ledgers: Vec<Ledger>,
    /// Further callers, beside [`TOKEN`].
    pub tokens: Vec<Token>,
    /// The broker.
    pub nats: Option<String>,
}

/// A server's folder; gone when dropped, but for a test that failed while [`environment::KEEP`] is
/// set.
#[derive(Debug)]
pub struct Home(TempDir);

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() && environment::variable(environment::KEEP).is_some() {
            self.0.disable_cleanup(true);
            eprintln!("kept in {}", self.0.path().display());
        }
    }
}

impl Source {
    /// An endpoint with these secrets.
    #[must_use]
    pub fn new(name: &str, secrets: &[&str]) -> Self {
        Self { name: name.to_owned(), secrets: secrets.iter().map(|&text| text.into()).collect() }
    }
}

impl Ledger {
    /// A live ledger with the policy of the tests, whose sources don't look at the age.
    #[must_use]
    pub fn new(name: &str, sources: Vec<Source>) -> Self {
        Self {
            name: name.to_owned(),
            policy: POLICY.to_owned(),
            mode: "live",
            tolerance: "\"off\"",
            stale: "accept",
            sources,
        }
    }
}

impl Setup {
    /// One ledger with one source and no broker.
    #[must_use]
    pub fn one() -> Self {
        let ledger = Ledger::new(LEDGER, vec![Source::new(SOURCE, &[SECRET])]);
        Self { ledgers: vec![ledger], tokens: Vec::new(), nats: None }
    }

    /// The same, beside a broker.
    #[must_use]
    pub fn with_nats(url: &str) -> Self {
        Self { nats: Some(url.to_owned()), ..Self::one() }
    }

    /// The only ledger of [`Self::one`], to change what a test is about.
    pub fn ledger(&mut self) -> Option<&mut Ledger> {
        self.ledgers.first_mut()
    }

    fn names(&self) -> Vec<String> {
        self.ledgers.iter().map(|ledger| ledger.name.clone()).collect()
    }
}

/// The secret of [`SOURCE`], to sign with.
///
/// # Errors
/// Never: it is not empty.
pub fn secret() -> Result<Secret> {
    Ok(Secret::new(SECRET)?)
}

/// A new folder on the disk that the workspace is on: elsewhere files might be in memory only.
///
/// # Errors
/// It can't be made.
pub fn folder() -> Result<TempDir> {
    let parent = environment::workspace().join("target").join("homes");
    fs::create_dir_all(&parent).context("make the folder of homes")?;
    TempDir::new_in(parent).context("make a home")
}

impl Home {
    /// A folder with a configuration.
    ///
    /// # Errors
    /// It can't be written.
    pub fn new(setup: &Setup) -> Result<Self> {
        let home = Self::empty()?;
        home.configure(setup)?;
        Ok(home)
    }

    /// A folder without anything.
    ///
    /// # Errors
    /// It can't be made.
    pub fn empty() -> Result<Self> {
        folder().map(Self)
    }

    /// Writes the configuration with all that it names.
    ///
    /// # Errors
    /// It can't be written.
    pub fn configure(&self, setup: &Setup) -> Result<()> {
        let mut text = String::from(
            "[server]\npublic = \"127.0.0.1:0\"\nprivate = \"127.0.0.1:0\"\ndata = \"data\"\n",
        );
        let everywhere =
            Token { token: TOKEN, roles: &["read", "spend", "operate"], ledgers: setup.names() };
        for token in setup.tokens.iter().chain([&everywhere]) {
            let digest = hex::encode(Sha256::digest(token.token.as_bytes()));
            let Token { token, roles, ledgers } = token;
            write!(
                text,
                "\n[[tokens]]\nname = \"{token}\"\nsha256 = \"{digest}\"\nroles = {roles:?}\nledgers = {ledgers:?}\n"
            )?;
        }
        for ledger in &setup.ledgers {
            self.ledger(&mut text, ledger)?;
        }
        if let Some(url) = &setup.nats {
            write!(text, "\n[nats]\nurl = \"{url}\"\n")?;
        }
        self.write(CONFIG, &text)
    }

    fn ledger(&self, text: &mut String, ledger: &Ledger) -> Result<()> {
        let Ledger { name, policy, mode, tolerance, stale, sources } = ledger;
        self.write(&format!("{name}.policy.toml"), policy)?;
        write!(
            text,
            "\n[ledgers.{name}]\npolicy = \"{name}.policy.toml\"\nmode = \"{mode}\"\naccount_from = [\"/data/custom_data/account_id\", \"/data/customer_id\"]\n"
        )?;
        for Source { name: source, secrets } in sources {
            let mut files = Vec::new();
            for (place, secret) in secrets.iter().enumerate() {
                let file = format!("{source}-{place}.secret");
                self.write(&file, secret)?;
                files.push(format!("file:{file}"));
            }
            write!(
                text,
                "\n[ledgers.{name}.sources.{source}]\nprovider = \"paddle\"\nsecrets = {files:?}\ntolerance_seconds = {tolerance}\nstale = \"{stale}\"\n"
            )?;
        }
        Ok(())
    }

    /// Writes a file in the folder.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.file(name), text).with_context(|| format!("write {name}"))
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
