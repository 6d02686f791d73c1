//! The environment, read once.

use std::collections::BTreeMap;

use policy_file::document::Document;

/// What names of overriding variables begin with.
const PREFIX: &str = "TALLYHOOK_";

/// What stands between the keys of a path in a variable's name.
const NESTING: &str = "__";

/// The environment variables of the process, as they were when it started.
#[derive(Clone, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// Reads the environment of the process. Variables that are not UTF-8 count as absent.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        Self(
            variables
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// An environment of these variables.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The text of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Puts the overriding variables over the file's values.
    ///
    /// `TALLYHOOK_SERVER__PUBLIC` stands for `server.public`. A list is given whole, in TOML. Other
    /// variables of the prefix are overrides only if they have a `__` or name a top-level key, so
    /// that `TALLYHOOK_LOG` is none and a misspelt path is still a fault.
    pub(super) fn over(&self, document: &mut Document, top: &[&str]) {
        for (variable, text) in &self.0 {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            let name = name.to_ascii_lowercase();
            let path: Vec<&str> = name.split(NESTING).collect();
            if path.len() > 1 || top.contains(&name.as_str()) {
                document.set(&path, variable, text);
            }
        }
    }
}
