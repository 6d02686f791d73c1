//! What the publisher keeps of its own in the store of views: how far it folded each ledger, and
//! the accounts' views there.
//!
//! ```text
//! pub/{ledger}/at             JSON, see `Stored`
//! pub/{ledger}/of/{account}   the account's view, as event-store writes it
//! ```
//!
//! All keys of one checkpoint are written at once. What a checkpoint covers is in the stream.

use domain::{
    account::View,
    ids::{AccountId, LedgerId, Sequence},
};
use event_store::{
    form::{FormFault, entity},
    views::{Change, ViewError, ViewStore},
};
use serde::{Deserialize, Serialize};

use crate::position::Position;

/// What all keys begin with.
const PREFIX: &str = "pub/";

/// The version of the form.
const FORM: u16 = 1;

/// How many keys are removed at once.
const REMOVE_MAX: usize = 1_024;

/// How far a ledger was folded and published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The last folded record.
    pub(crate) folded: Option<Sequence>,
    /// The last message up to there.
    pub(crate) sent: Option<Position>,
    /// What credits are called, as far as folded.
    pub(crate) unit: String,
}

impl Mark {
    /// Before the first record.
    pub(crate) const START: Self = Self { folded: None, sent: None, unit: String::new() };
}

/// The stored form of a [`Mark`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u16,
    /// The version of the views' form.
    view_form: u8,
    folded: u64,
    sent_sequence: u64,
    sent_account: Option<String>,
    unit: String,
}

/// Why a checkpoint can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointFault {
    #[error(transparent)]
    Store(#[from] ViewError),
    #[error("read the publisher's checkpoint of ledger {ledger}: {detail}")]
    Damaged { ledger: LedgerId, detail: String },
}

/// Reads how far a ledger was folded and published.
///
/// Views of another form are not used: the fold begins anew, and what was sent stays known.
pub(crate) fn read_mark(store: &dyn ViewStore, ledger: &LedgerId) -> Result<Mark, CheckpointFault> {
    let damaged = |detail: &str| CheckpointFault::Damaged {
        ledger: ledger.clone(),
        detail: detail.to_owned(),
    };
    let Some(value) = store.get(&mark_key(ledger))? else {
        return Ok(Mark::START);
    };
    let stored: Stored = serde_json::from_slice(&value).map_err(|_| damaged("not its form"))?;
    if stored.form != FORM {
        return Err(damaged("its form has another version"));
    }
    let sent = match (stored.sent_account, Sequence::new(stored.sent_sequence)) {
        (None, None) => None,
        (Some(account), Some(sequence)) => {
            let account = AccountId::new(&account).map_err(|_| damaged("no account"))?;
            Some(Position { sequence, account })
        }
        (Some(_), None) | (None, Some(_)) => return Err(damaged("half a position")),
    };
    if stored.view_form != view_form() {
        return Ok(Mark { sent, ..Mark::START });
    }
    Ok(Mark { folded: Sequence::new(stored.folded), sent, unit: stored.unit })
}

/// Reads the view of an account as of the ledger's mark, which folded up to `folded`; none where
/// it was new.
pub(crate) fn read_view(
    store: &dyn ViewStore,
    ledger: &LedgerId,
    folded: Option<Sequence>,
    account: &AccountId,
) -> Result<Option<View>, CheckpointFault> {
    let Some(value) = store.get(&view_key(ledger, account))? else {
        return Ok(None);
    };
    match entity::decode_view(&value) {
        // A later view is left from a checkpoint that was being forgotten,
        Ok(view) => Ok(Some(view).filter(|view| view.sequence <= folded)),
        // and one in another form from before a fold that began anew, see `read_mark`.
        Err(FormFault::VersionUnknown { .. }) => Ok(None),
        Err(fault) => {
            let detail = fault.to_string();
            Err(CheckpointFault::Damaged { ledger: ledger.clone(), detail })
        }
    }
}

/// Writes a mark with the views that changed since the last one, all or nothing.
pub(crate) fn write<'a>(
    store: &dyn ViewStore,
    ledger: &LedgerId,
    mark: &Mark,
    changed: impl Iterator<Item = (&'a AccountId, &'a View)>,
) -> Result<(), CheckpointFault> {
    let stored = Stored {
        form: FORM,
        view_form: view_form(),
        folded: mark.folded.map_or(0, Sequence::get),
        sent_sequence: mark.sent.as_ref().map_or(0, |sent| sent.sequence.get()),
        sent_account: mark.sent.as_ref().map(|sent| sent.account.to_string()),
        unit: mark.unit.clone(),
    };
    let value = serde_json::to_vec(&stored).map_err(|fault| CheckpointFault::Damaged {
        ledger: ledger.clone(),
        detail: fault.to_string(),
    })?;
    let views =
        changed.map(|(account, view)| (view_key(ledger, account), Some(entity::encode_view(view))));
    let changes: Vec<Change> = views.chain([(mark_key(ledger), Some(value))]).collect();
    Ok(store.write(&changes)?)
}

/// Removes all that the publisher keeps, while it doesn't run: it then folds each ledger from its
/// first record and sends what the stream lacks after its last message. This is what
/// `tallyhook republish` does.
///
/// # Errors
/// The storage failed; doing it again goes on where it stopped.
pub fn forget(store: &dyn ViewStore) -> Result<(), ViewError> {
    loop {
        // In the order of keys a ledger's mark goes before its views; see `read_view`.
        let entries = store.scan(PREFIX.as_bytes(), None, REMOVE_MAX)?;
        if entries.is_empty() {
            return Ok(());
        }
        let removed: Vec<Change> = entries.into_iter().map(|(key, _)| (key, None)).collect();
        store.write(&removed)?;
    }
}

/// The version of the form that views are written in: their first byte.
fn view_form() -> u8 {
    entity::encode_view(&View::NEW).first().copied().unwrap_or_default()
}

fn mark_key(ledger: &LedgerId) -> Vec<u8> {
    format!("{PREFIX}{ledger}/at").into_bytes()
}

fn view_key(ledger: &LedgerId, account: &AccountId) -> Vec<u8> {
    format!("{PREFIX}{ledger}/of/{account}").into_bytes()
}
