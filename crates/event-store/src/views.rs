//! Where derived views are kept: they may be deleted at any time and are rebuilt from the log.

use crate::log::StorageFault;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A key and its new value; `None` removes it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// An ordered map of bytes for what is derived from the log.
pub trait ViewStore: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// The storage failed.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError>;

    /// The entries whose key starts with `prefix`, in the order of keys, after the key `after`
    /// (`None`: from the first), at most `limit`.
    ///
    /// # Errors
    /// The storage failed.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, ViewError>;

    /// Changes all these keys or none of them; durable when it returns `Ok`.
    ///
    /// # Errors
    /// The storage failed; unknown whether the changes are stored.
    fn write(&self, changes: &[Change]) -> Result<(), ViewError>;

    /// Removes everything.
    ///
    /// # Errors
    /// The storage failed.
    fn clear(&self) -> Result<(), ViewError>;
}

/// Why views could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The storage failed.
    #[error("use the store of views")]
    Failed {
        /// What the storage said.
        #[source]
        source: StorageFault,
    },
    /// A key is larger than [`KEY_BYTES_MAX`] or a value than [`VALUE_BYTES_MAX`]. Nothing was
    /// written.
    #[error("write a key or value of {bytes} bytes to the store of views")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// The most bytes that one key of a view may have.
pub const KEY_BYTES_MAX: usize = 512;

/// The most bytes that one value of a view may have.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// Checks that every key and value of a batch is of a size that is stored.
pub(crate) fn check_changes(changes: &[Change]) -> Result<(), ViewError> {
    for (key, value) in changes {
        let bytes = value.as_ref().map_or(0, Vec::len);
        if key.len() > KEY_BYTES_MAX || bytes > VALUE_BYTES_MAX {
            return Err(ViewError::TooLarge { bytes: bytes.max(key.len()) });
        }
    }
    Ok(())
}
