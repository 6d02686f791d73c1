//! What happened, for those who want more than the current views.

use std::sync::Arc;

use balance_events::{account_view::AccountView, envelope::Envelope};
use tokio::sync::mpsc;

/// What happened, one at a time.
#[derive(Debug)]
pub enum Update {
    /// A message that is newer than what was known.
    Change(Box<Change>),
    /// A view from the API that is newer than what the stream told.
    Repaired(Repaired),
    /// A message that is none of ours, or of a form that this program doesn't know.
    Unreadable(Unreadable),
}

/// A message that is newer than what was known of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The whole message.
    pub envelope: Envelope,
    /// What came before it.
    pub kind: Kind,
}

/// How a message follows what was known of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was known. With an account's state at the start, earlier messages were not asked
    /// for.
    New,
    /// Its version is the next.
    Next,
    /// Versions before it never arrived. The view is right; the movements of those are unknown.
    Gap {
        /// How many.
        missed: u64,
    },
}

/// A view that only the API knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The account as it is.
    pub view: Arc<AccountView>,
    /// How many of its versions the stream didn't tell.
    pub missed: u64,
}

/// A message that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Where it was sent.
    pub subject: String,
    /// Its place in the stream, to look at it.
    pub stream_sequence: u64,
    /// What is wrong with it.
    pub fault: UnreadableFault,
}

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFault {
    /// It has not the published form.
    #[error("not of the published form")]
    Form(#[from] serde_json::Error),
    /// It tells of another account than the one whose subject it was sent to.
    #[error("sent to another subject than {expected}")]
    Subject {
        /// Where such a message belongs.
        expected: String,
    },
    /// Versions begin at 1.
    #[error("without a version")]
    Version,
}

/// All that happens from now on, in order; each account's versions rise strictly.
///
/// So many wait as [`crate::CHANGES_WAITING_MAX`] says; then the subscription waits too. Dropped,
/// the subscription goes on without it.
#[derive(Debug)]
pub struct Changes(mpsc::Receiver<Update>);

impl Changes {
    pub(crate) const fn new(receiver: mpsc::Receiver<Update>) -> Self {
        Self(receiver)
    }

    /// Waits for what happens next; `None` once the subscription has ended.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Update> {
        self.0.recv().await
    }
}
