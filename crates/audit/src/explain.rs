//! Why a number is what it is: from the number on the screen down to the bytes that came in.
//!
//! [`explain`] finds what an id names: an account, a payment, or single records by event, command,
//! request id, order number or `#` and a sequence. An account's balance is taken apart into its lots, each lot
//! into what was granted and what became of it, and below stand the records, each with what it
//! changed, which policy and rule decided and what proves it. What is shown sums up, or there is no
//! page: `lots` folds effects, the balance folds transfers, and both are compared after every record.
//!
//! An explanation follows what was known, so its cut has no axis of the provider's time.

mod account;
mod find;
mod json;
mod lots;
mod payment;
mod step;
mod text;
pub(crate) mod words;

use std::collections::BTreeMap;

use domain::{
    ids::{LedgerId, Origin, Sequence},
    time::Timestamp,
};
use event_store::{
    chain::Hash,
    log::{EventLog, ReadError},
};

pub(crate) use self::step::metadata;
pub use self::{
    account::{AccountStory, Earlier, LotLine},
    lots::{Move, Why},
    payment::PaymentStory,
    step::{DecidedBy, Proof, Raw, Step},
};
use crate::{
    as_of::AsOfError,
    conversion::Policies,
    cut::{Cut, Known},
    history::Blocks,
};
use find::{Named, Newest};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// An account, a payment, an event, a command, a request id, an order number, or `#` and a
    /// sequence.
    pub id: Option<String>,
    /// The call time that usage must say.
    pub call_time: Option<String>,
    /// The model that usage must say.
    pub model: Option<String>,
    /// The namespace of the payment; none: the only one that has it.
    pub origin: Option<String>,
    /// What was known.
    pub known: Known,
    /// How many records are shown at most, the newest.
    pub steps_max: usize,
    /// Whether the bytes that came in are shown.
    pub raw: bool,
}

/// Why something is as it is.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The ledger.
    pub ledger: LedgerId,
    /// What its credits are called.
    pub unit: String,
    /// What was asked, in words.
    pub asked: String,
    /// The last record that was known; none in an empty past.
    pub known: Option<LastKnown>,
    /// What is explained.
    pub subject: Subject,
    /// What else the payment's id is.
    pub also: Vec<Also>,
}

/// Something else that an id is.
#[derive(Clone, Debug)]
pub struct Also {
    /// What it is, in words.
    pub by: &'static str,
    /// To how many records.
    pub records: u64,
    /// The last of these.
    pub newest: Sequence,
}

impl Also {
    const fn none(by: &'static str) -> Self {
        Self { by, records: 0, newest: Sequence::FIRST }
    }
}

/// The last record of what was known: its hash covers all before it.
#[derive(Clone, Copy, Debug)]
pub struct LastKnown {
    /// Its place.
    pub sequence: Sequence,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its hash in the chain.
    pub hash: Hash,
}

/// What is explained.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An account's balance.
    Account(Box<AccountStory>),
    /// A payment.
    Payment(Box<PaymentStory>),
    /// Single records.
    Records(Steps),
}

/// Records with what they were found by.
#[derive(Clone, Debug)]
pub struct Steps {
    /// By what, in words.
    pub by: String,
    /// The records, oldest first.
    pub steps: Vec<Step>,
    /// How many more there are before these.
    pub earlier: u64,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The account's past can't be folded.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// Nothing was asked.
    #[error("ask by an id, a call time or a model")]
    NothingAsked,
    /// Nothing is known by that.
    #[error("ledger {ledger} knows nothing by {asked}")]
    Unknown {
        /// The ledger.
        ledger: LedgerId,
        /// What was asked, in words.
        asked: String,
    },
    /// Several providers have such a payment.
    #[error("payments of several origins have this id; name one: {}", names(origins))]
    Ambiguous {
        /// Their origins.
        origins: Vec<Origin>,
    },
    /// The lots do not come to the balance: the log is damaged or was changed. The text names no
    /// account, since it goes to the server's log.
    #[error(
        "after record {at} the lots of the account do not come to its balance; run `tallyhook audit \
         verify`"
    )]
    Unexplained {
        /// The first record after which they differ.
        at: Sequence,
    },
}

/// Explains what is asked. `activations` says which records put the policy's versions in force; what
/// they put in force is read from them.
///
/// # Errors
/// The log can't be read, nothing is known by what is asked, or lots and balance of an account
/// differ.
pub fn explain(
    log: &dyn EventLog,
    ledger: &LedgerId,
    activations: &BTreeMap<u32, Sequence>,
    asked: &Asked,
) -> Result<Explanation, ExplainError> {
    let known = last_known(log, ledger, &Cut { known: asked.known, happened: None })?;
    let last = known.map(|last| last.sequence);
    // From here on everything ends with this record, whatever comes in meanwhile.
    let cut = Cut { known: Known::Sequence(last.map_or(0, Sequence::get)), happened: None };
    let within = activations.iter().filter(|(_, at)| Some(**at) <= last);
    let within = within.map(|(version, at)| (*version, *at)).collect();
    let policies = Policies::read(log, ledger, &within)?;
    let place = Place { log, ledger, cut, last, policies };
    let words = words_of(asked)?;
    let unknown = || ExplainError::Unknown { ledger: ledger.clone(), asked: words.clone() };
    let named = find::named(&place, asked)?.ok_or_else(unknown)?;
    let (mut subject, also) = match named {
        Named::Account(account) => {
            let story = account::story(&place, &account, asked.steps_max)?;
            (Subject::Account(Box::new(story)), Vec::new())
        }
        Named::Payment(key, records, also) => {
            let story = payment::story(&place, &key, &records, asked.steps_max)?;
            (Subject::Payment(Box::new(story)), also)
        }
        Named::Records(by, newest) => (Subject::Records(steps(&place, by, &newest)?), Vec::new()),
    };
    if asked.raw {
        for step in subject.steps_mut() {
            step.read(log, ledger)?;
        }
    }
    let (ledger, unit) = (ledger.clone(), place.policies.unit().to_owned());
    Ok(Explanation { ledger, unit, asked: words, known, subject, also })
}

fn steps(place: &Place<'_>, by: String, newest: &Newest) -> Result<Steps, ReadError> {
    let (mut blocks, mut steps) = (Blocks::new(place.log, place.ledger), Vec::new());
    for sequence in &newest.sequences {
        steps.push(Step::of(blocks.read(*sequence)?, &place.policies));
    }
    Ok(Steps { by, steps, earlier: newest.earlier })
}

impl Explanation {
    /// As text for a person; ends with a line's end.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// As JSON for programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        json::json(self)
    }
}

impl Subject {
    /// The records that are shown, oldest first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Account(story) => &story.steps,
            Self::Payment(story) => &story.steps,
            Self::Records(found) => &found.steps,
        }
    }

    const fn steps_mut(&mut self) -> &mut Vec<Step> {
        match self {
            Self::Account(story) => &mut story.steps,
            Self::Payment(story) => &mut story.steps,
            Self::Records(found) => &mut found.steps,
        }
    }
}

/// Where is looked, and how far.
struct Place<'l> {
    log: &'l dyn EventLog,
    ledger: &'l LedgerId,
    /// All up to `last`.
    cut: Cut,
    /// The last record that is known.
    last: Option<Sequence>,
    policies: Policies,
}

/// The last record that a cut knows. Records are in the order of their moments, so a few looks find
/// it.
fn last_known(
    log: &dyn EventLog,
    ledger: &LedgerId,
    cut: &Cut,
) -> Result<Option<LastKnown>, ReadError> {
    let Some(head) = log.head(ledger) else { return Ok(None) };
    let (mut known, mut end) = (0_u64, head.sequence.get());
    if let Known::Sequence(last) = cut.known {
        end = end.min(last);
        known = end;
    }
    while known < end {
        let middle = known.saturating_add(end.saturating_sub(known).div_ceil(2));
        let Some(sequence) = Sequence::new(middle) else { break };
        let recorded = log.read(ledger, sequence)?;
        if recorded.is_some_and(|recorded| cut.knows(recorded.record())) {
            known = middle;
        } else {
            end = middle.saturating_sub(1);
        }
    }
    let Some(sequence) = Sequence::new(known) else { return Ok(None) };
    Ok(log.read(ledger, sequence)?.map(|recorded| LastKnown {
        sequence,
        recorded_at: recorded.record().recorded_at,
        hash: recorded.hash(),
    }))
}

fn names(origins: &[Origin]) -> String {
    let names: Vec<&str> = origins.iter().map(Origin::as_str).collect();
    names.join(", ")
}

/// What is asked, for a person.
fn words_of(asked: &Asked) -> Result<String, ExplainError> {
    let parts = [
        asked.id.as_ref().map(|id| format!("{id:?}")),
        asked.call_time.as_ref().map(|at| format!("call time {at:?}")),
        asked.model.as_ref().map(|model| format!("model {model:?}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { Err(ExplainError::NothingAsked) } else { Ok(parts.join(", ")) }
}
