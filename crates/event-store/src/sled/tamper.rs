//! Damage on demand: for tests, under the feature `tamper`, which is off by default.

use super::SledStore;
use crate::{log::StorageFault, views::Entry};

impl SledStore {
    /// All stored values of the log with their keys, as they stand.
    ///
    /// # Errors
    /// sled can't read them.
    pub fn stored_values(&self) -> Result<Vec<Entry>, StorageFault> {
        let entries = self.raw().values().database().entries_from(&[]);
        entries.map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
    }

    /// Replaces (`None`: removes) a stored value of the log behind its back.
    ///
    /// # Errors
    /// sled can't write it.
    pub fn replace_stored_value(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StorageFault> {
        let change = (key.to_vec(), value.map(<[u8]>::to_vec));
        self.raw().values().database().commit([change])
    }

    /// Makes the next append fail after its group is stored, as a failed sync would.
    pub fn fail_next_append(&self) {
        self.raw().appending.fail_next_commit();
    }
}
