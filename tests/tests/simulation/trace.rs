//! All that happened, as one hash: the same seed gives the same.

use std::fmt::{self, Write};

use sha2::{Digest as _, Sha256};

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Sha256);

impl Trace {
    /// Adds what can be printed.
    pub(crate) fn add(&mut self, what: fmt::Arguments<'_>) {
        self.write_fmt(what).expect("a hash takes any text");
        self.0.update([0]);
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.0.update([0]);
    }

    pub(crate) fn hash(&self) -> String {
        hex::encode(self.0.clone().finalize())
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
