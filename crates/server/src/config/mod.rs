//! The configuration: read whole into typed values before anything opens.
//!
//! [`environment`] is the only place that reads the environment; [`read`], [`source`], [`nats`] and
//! [`checkpoints`] say which keys there are, and [`secret`] where secrets come from. All faults of the file, of the policies it names and of the secrets are reported together.

mod checkpoints;
mod environment;
mod nats;
#[cfg(test)]
mod nats_tests;
mod places;
mod read;
mod secret;
mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{
    ids::{Actor, Digest, LedgerId, Text},
    input::{Mode, Settings, Stale},
    policy::Policy,
};
use ingestion::source::Source;
use policy_file::{document::Document, faults::Faults};
use proof::note::PrivateKey;
use publisher::access::Access;

pub use environment::Environment;
pub use places::Places;

/// All that the server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where webhooks come in.
    pub public: SocketAddr,
    /// Where the API is.
    pub private: SocketAddr,
    /// Where the log lies.
    pub data: PathBuf,
    /// Who may use the API.
    pub tokens: Vec<Token>,
    /// The ledgers.
    pub ledgers: BTreeMap<LedgerId, Ledger>,
    /// The broker, if there is one.
    pub nats: Option<Nats>,
    /// How checkpoints are signed.
    pub checkpoints: Checkpoints,
}

/// A bearer token of the API, known by its digest only.
#[derive(Clone, Debug)]
pub struct Token {
    /// Who acts with it: stands in records.
    pub name: Actor,
    /// SHA-256 of the token.
    pub digest: Digest,
    /// What it may do.
    pub roles: Vec<Role>,
    /// In which ledgers.
    pub ledgers: Vec<LedgerId>,
}

/// What a bearer token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// See.
    Read,
    /// Use credits.
    Spend,
    /// Give credits, freeze, resolve.
    Operate,
}

impl Role {
    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Spend => "spend",
            Self::Operate => "operate",
        }
    }
}

/// One merchant's book, as configured.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The policy of the file.
    pub policy: Arc<Policy>,
    /// Where the policy was read.
    pub policy_path: PathBuf,
    /// SHA-256 of the policy's file.
    pub policy_digest: Digest,
    /// The text of the policy's file, which is kept beside the record that puts it in force.
    pub policy_text: Arc<[u8]>,
    /// The settings that decide.
    pub settings: Settings,
    /// The webhook endpoints.
    pub sources: Vec<Arc<Source>>,
}

/// The broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nats {
    /// How it is reached.
    pub access: Access,
    /// On how many of its servers each balance event must be stored: 1, 3 or 5.
    pub replicas: usize,
}

/// How checkpoints are signed.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// What the log is called, before a slash and the ledger.
    pub origin: String,
    /// The key; none: that of the data folder, which is made where it is absent.
    pub key: Option<PrivateKey>,
    /// How long after a checkpoint the next one is signed, where there are new records.
    pub every: Duration,
    /// The file to which they are added; none: the usual one in the data folder.
    pub file: Option<PathBuf>,
}

impl Nats {
    /// What the publisher is told.
    #[must_use]
    pub fn publishing(&self) -> publisher::run::Config {
        publisher::run::Config { access: self.access.clone(), replicas: self.replicas }
    }
}

/// What a source does where its ledger says nothing else.
pub const TOLERANCE_SECONDS_USUAL: u32 = 300;

/// How far ahead a delivery may be where nothing is said.
pub const FUTURE_SECONDS_USUAL: u32 = 60;

/// Reads the whole text of a file that the configuration names.
pub type Files<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("read the configuration {}; pass its path with --config, or write one with `tallyhook init`", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file, or a policy that it names, is wrong.
    #[error("{0}")]
    Faulty(FileFaults),
}

/// All that is wrong with the configuration and the policies it names; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFaults(Vec<(PathBuf, Faults)>);

impl FileFaults {
    /// The faults of each file.
    #[must_use]
    pub fn as_slice(&self) -> &[(PathBuf, Faults)] {
        &self.0
    }
}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self
            .0
            .iter()
            .flat_map(|(path, faults)| faults.as_slice().iter().map(move |fault| (path, fault)));
        let mut separator = "";
        for (path, fault) in lines {
            write!(f, "{separator}{}: {fault}", shown(path.display()))?;
            separator = "\n";
        }
        Ok(())
    }
}

impl Config {
    /// Reads the configuration, what the environment puts over it, and the files it names.
    ///
    /// Relative paths start at the folder of the file.
    ///
    /// # Errors
    /// The file can't be read; or everything that is wrong with it.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, LoadError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        let read = |path: &Path| std::fs::read_to_string(path);
        Self::parse(&text, path, environment, &read).map_err(LoadError::Faulty)
    }

    /// Reads the text of a configuration whose file lies at a path. Nothing is opened but by
    /// `files`, which reads the policies and secrets that the text names.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        text: &str,
        path: &Path,
        environment: &Environment,
        files: &Files<'_>,
    ) -> Result<Self, FileFaults> {
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let faulty = |faults| FileFaults(vec![(path.to_owned(), faults)]);
        let mut document = Document::parse(text).map_err(faulty)?;
        environment.over(&mut document, &read::TOP);
        let mut around = read::Around { folder, environment, files, policies: Vec::new() };
        document.read(&read::TOP, |root| read::config(root, &mut around)).map_err(|faults| {
            let mut all = vec![(path.to_owned(), faults)];
            all.append(&mut around.policies);
            FileFaults(all)
        })
    }
}

/// A name as a fault shows it: on one line, whatever is in it.
fn shown(name: impl fmt::Display) -> String {
    name.to_string().escape_debug().collect()
}

/// The settings of a ledger without any source.
pub(crate) const fn settings_without_source(mode: Mode, account_from: Vec<Text>) -> Settings {
    Settings {
        mode,
        stale: Stale::Accept,
        account_from,
        tolerance_seconds: Some(TOLERANCE_SECONDS_USUAL),
        future_seconds: FUTURE_SECONDS_USUAL,
    }
}
