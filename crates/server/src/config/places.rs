//! Where a server is, without the rest of its configuration.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use policy_file::document::Document;

use super::{Environment, FileFaults, LoadError, read};

/// Where a server listens and keeps its data: all that a command needs that works beside it, by
/// someone who need not know its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Where the API is.
    pub private: SocketAddr,
    /// Where the log lies.
    pub data: PathBuf,
}

impl Places {
    /// Reads `[server]` of the configuration and what the environment puts over it.
    ///
    /// # Errors
    /// The file can't be read; or what is wrong with it, the other tables' contents apart.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, LoadError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        let faulty = |faults| LoadError::Faulty(FileFaults(vec![(path.to_owned(), faults)]));
        let mut document = Document::parse(&text).map_err(faulty)?;
        environment.over(&mut document, &read::TOP);
        let (private, data) = document.read(&read::TOP, read::places).map_err(faulty)?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        Ok(Self { private, data: folder.join(data) })
    }
}
