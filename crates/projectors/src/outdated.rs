//! State that an earlier program stored in another form: removed, since the log leads to it again.

use domain::ids::LedgerId;
use event_store::{
    form::{FormFault, entity},
    views::{Change, ViewError},
};

use crate::{keys, projections::Projections};

/// How many entries are removed at once.
const REMOVE_MAX: usize = 1_024;

impl Projections {
    /// Removes what is stored of a ledger in an older form. A newer form stays, and is refused by
    /// whoever reads it: this program can't know what it says.
    pub(crate) fn remove_outdated(&self, ledger: &LedgerId) -> Result<(), ViewError> {
        let book = keys::book(ledger);
        let stored = self.views.get(&book)?.map(|bytes| entity::decode_book(&bytes));
        let Some(Err(FormFault::VersionUnknown { found, newest })) = stored else { return Ok(()) };
        if found > newest {
            return Ok(());
        }
        let prefix = keys::ledger_prefix(ledger);
        let mut after = None;
        loop {
            let entries = self.views.scan(&prefix, after.as_deref(), REMOVE_MAX)?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(last.clone());
            let own = entries.into_iter().map(|(key, _)| key).filter(|key| *key != book);
            self.views.write(&own.map(|key| (key, None)).collect::<Vec<Change>>())?;
        }
        // Last, so that an interrupted removal goes on where it stopped.
        self.views.write(&[(book, None)])
    }
}
