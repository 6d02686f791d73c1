//! What can be shown of one payment to contest a chargeback: an archive with all records about it,
//! the usage after it, the account's earlier purchases, and what is missing.
//!
//! The archive has `index.html` and `index.txt` for people, `index.json` for programs, the bytes of
//! the deliveries about the payment as they came under `bodies/`, and `proof.json`, which
//! `tallyhook-verify` checks. The same log gives the same bytes. Of very many uses or records the
//! first and the last are shown and the rest is counted.

mod ends;
mod gathered;
mod index;
pub mod zip;

use std::collections::BTreeMap;

use domain::{
    apply::Contradiction,
    ids::{LedgerId, Origin, PaymentId, Sequence},
};
use event_store::log::{EventLog, ReadError};

use self::{gathered::Gathered, zip::TooLarge};
use crate::{
    cut::Cut,
    pass::pass,
    proved::{ProveError, Proving, Published},
    reports::layout::Format,
};

/// Which payment is meant.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// The provider's id.
    pub payment: &'a PaymentId,
    /// The namespace of the id; the only one that has it without this.
    pub origin: Option<&'a Origin>,
}

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The log can't be read, or is not the one that was signed.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// A recorded amount leaves its range.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// The archive would be too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Nothing is known of the payment.
    #[error("gather evidence: ledger {ledger} knows no payment {payment}")]
    Unknown {
        /// The ledger.
        ledger: LedgerId,
        /// The payment.
        payment: PaymentId,
    },
    /// Several providers' payments have the id.
    #[error("gather evidence: {origins} each have a payment {payment}; say whose by its origin")]
    Ambiguous {
        /// The payment.
        payment: PaymentId,
        /// Whose, separated by commas.
        origins: String,
    },
}

impl From<ReadError> for EvidenceError {
    fn from(error: ReadError) -> Self {
        Self::Prove(error.into())
    }
}

/// What was gathered of a payment.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The files of the archive by their names.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What is missing, for a person.
    pub missing: Vec<String>,
    /// The records about the payment and of its usage.
    pub records: Vec<Sequence>,
}

/// Gathers what can be shown of a payment.
///
/// # Errors
/// See [`EvidenceError`].
pub fn evidence(
    log: &dyn EventLog,
    ledger: &LedgerId,
    which: Which<'_>,
    published: Option<&Published>,
    progress: impl FnMut(u64, u64),
) -> Result<Evidence, EvidenceError> {
    let mut proving = published.map(Proving::new);
    let mut gathered = Gathered::new(which);
    let provenance = pass(log, ledger, &Cut::END, progress, |recorded, leaf| {
        if let Some(proving) = &mut proving {
            proving.push(leaf);
        }
        gathered.add(recorded.record());
        Ok::<_, ReadError>(())
    })?;
    let payment = which.payment.clone();
    if gathered.about.all() == 0 {
        return Err(EvidenceError::Unknown { ledger: ledger.clone(), payment });
    }
    if !gathered.elsewhere.is_empty() {
        let origins = gathered.origins().iter().map(ToString::to_string).collect::<Vec<_>>();
        return Err(EvidenceError::Ambiguous { payment, origins: origins.join(", ") });
    }
    let records = gathered.records();
    let mut files = BTreeMap::new();
    let mut erased = Vec::new();
    for line in gathered.about.iter() {
        match log.body(ledger, line.sequence)?.filter(|body| !body.is_empty()) {
            Some(body) => drop(files.insert(format!("bodies/{:012}", line.sequence.get()), body)),
            None if line.delivered => erased.push(line.sequence),
            None => {}
        }
    }
    let proof = proving.map(|proving| proving.bundle(log, ledger, &records)).transpose()?;
    let proved = proof.as_ref().map(|bundle| bundle.records.len());
    let missing = gathered.missing(&erased, proved.map(|proved| (proved, records.len())));
    if let Some(bundle) = proof {
        files.insert("proof.json".to_owned(), bundle.to_text().into_bytes());
    }
    let document = index::document(&gathered, &payment, provenance, &missing);
    for (name, format) in
        [("index.html", Format::Html), ("index.txt", Format::Text), ("index.json", Format::Json)]
    {
        files.insert(name.to_owned(), document.render(format).into_bytes());
    }
    Ok(Evidence { files, missing, records })
}

impl Evidence {
    /// The archive.
    ///
    /// # Errors
    /// It would be too large.
    pub fn archive(&self) -> Result<Vec<u8>, TooLarge> {
        zip::zip(&self.files)
    }
}
