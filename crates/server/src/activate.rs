//! Puts a policy in force in the log of a stopped server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::{
    ids::{Actor, Digest, IdFault, IdempotencyKey, LedgerId, OperationId, Sequence},
    input::{Command, Input, Order},
    policy::{Policy, TimelineFault},
    refusal::Refusal,
    time::Timestamp,
};
use engine::step::{Answer, Engine, Request, StepError};
use event_store::sled::{OpenError, Options, SledStore};
use projectors::{
    fold::FoldError,
    projections::{Projections, StateError},
};
use sha2::{Digest as _, Sha256};

/// A version that is to be put in force, with the text that it was read from.
#[derive(Clone, Debug)]
pub struct Activation {
    /// In which ledger.
    pub ledger: LedgerId,
    /// The version.
    pub policy: Arc<Policy>,
    /// Its text, which is kept beside the record.
    pub text: Arc<[u8]>,
    /// Who asks.
    pub actor: Actor,
}

/// What became of an activation. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activated {
    /// The version is in force by this record.
    Now {
        /// The record.
        sequence: Sequence,
        /// The version that was put in force before it.
        before: Arc<Policy>,
    },
    /// The same text was in force already; nothing was recorded.
    Before,
}

/// Why a version is not put in force.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// There is no store: an empty one would be no ledger's.
    #[error("{} is no folder; start the server once, which puts the first policy in force", path.display())]
    NoStore {
        /// Where it should be.
        path: PathBuf,
    },
    /// The ledger has no version yet.
    #[error(
        "ledger {ledger} has no policy yet; the server puts the configured one in force when it \
         first starts"
    )]
    NoPolicy {
        /// The ledger.
        ledger: LedgerId,
    },
    /// The version can't follow the one in force.
    #[error("the version was refused: {fault}")]
    Unfit {
        /// Why.
        fault: TimelineFault,
        /// The version in force.
        last: Arc<Policy>,
    },
    /// The same text was in force before another was.
    #[error("this text was in force before; raise its version to put it in force again")]
    Superseded,
    /// The rules refuse it for another reason.
    #[error("the version was refused: {0:?}")]
    Refused(Refusal),
    /// The log can't be opened.
    #[error("open the log")]
    Open(#[from] OpenError),
    /// The state can't follow the log.
    #[error("bring the state up to the log's end")]
    Fold(#[from] FoldError),
    /// The state could not be read.
    #[error("read the policy in force")]
    State(#[from] StateError),
    /// The record could not be stored.
    #[error("record the activation")]
    Step(#[from] StepError),
    /// The key of the activation is none; never with the form of today.
    #[error("name the activation")]
    Name(#[from] IdFault),
}

/// The key of an activation: the text itself, so that it is put in force once.
///
/// # Errors
/// Never with the form of today.
pub fn key(file: Digest) -> Result<IdempotencyKey, IdFault> {
    IdempotencyKey::new(&format!("policy-{file}"))
}

/// SHA-256 of a policy's text, as the record of its activation has it.
#[must_use]
pub fn digest(text: &[u8]) -> Digest {
    Digest(Sha256::digest(text).into())
}

/// Puts a version in force in the log of a stopped server.
///
/// The record is the one that a running server would make: the body is the text itself.
///
/// # Errors
/// The server runs, the ledger has no policy yet, or the version can't follow the one in force.
pub fn activate(
    data: &Path,
    activation: &Activation,
    now: Timestamp,
) -> Result<Activated, ActivateError> {
    if !data.is_dir() {
        return Err(ActivateError::NoStore { path: data.to_owned() });
    }
    let store = SledStore::open(data, Options::STANDARD)?;
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| {})?;
    recorded(&engine, &projections, activation, now)
}

fn recorded(
    engine: &Engine,
    projections: &Projections,
    activation: &Activation,
    now: Timestamp,
) -> Result<Activated, ActivateError> {
    let Activation { ledger, policy, text, actor } = activation;
    let book = projections.book(ledger)?;
    let no_policy = || ActivateError::NoPolicy { ledger: ledger.clone() };
    let last = Arc::clone(book.timeline.versions().last().ok_or_else(no_policy)?);
    let file = digest(text);
    if book.policy_file == Some(file) {
        return Ok(Activated::Before);
    }
    let key = key(file)?;
    let id = OperationId::of(ledger, &key);
    let order = Order::ActivatePolicy { policy: Arc::clone(policy), file };
    let command = Command { key, id, actor: actor.clone(), request: file, order };
    let input = Input::Command(Box::new(command));
    let request = Request { ledger: ledger.clone(), input, body: Arc::clone(text) };
    match engine.step(now, vec![request])?.into_iter().next() {
        Some(Answer::Recorded { record, .. }) => {
            Ok(Activated::Now { sequence: record.sequence, before: last })
        }
        Some(Answer::Refused(Refusal::PolicyRefused(fault))) => {
            Err(ActivateError::Unfit { fault, last })
        }
        Some(Answer::Refused(refusal)) => Err(ActivateError::Refused(refusal)),
        // Its key is known, and it is not the text in force.
        Some(Answer::Replayed { .. } | Answer::Duplicate { .. } | Answer::KnownConflict { .. })
        | None => Err(ActivateError::Superseded),
    }
}

#[cfg(test)]
mod tests {
    use event_store::memory::{MemoryLog, MemoryViews};

    use super::*;

    const POLICY: &str = include_str!("../../../policies/case-by-case.toml");

    /// After the effective moment of the first version.
    const NOW: &str = "2026-10-01T00:00:00Z";

    fn ledger() -> LedgerId {
        LedgerId::new("main").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn later(version: u32, from: &str) -> String {
        let first = policy_file::parse(POLICY).unwrap();
        let line = |name: &str| {
            POLICY.lines().find(|line| line.starts_with(&format!("{name} ="))).unwrap().to_owned()
        };
        assert_eq!(first.version, 1);
        POLICY
            .replace(&line("version"), &format!("version = {version}"))
            .replace(&line("effective_from"), &format!("effective_from = \"{from}\""))
    }

    struct Book {
        engine: Engine,
        projections: Arc<Projections>,
        log: Arc<MemoryLog>,
    }

    impl Book {
        fn new() -> Self {
            let log = Arc::new(MemoryLog::new());
            let projections = Arc::new(Projections::new(Arc::new(MemoryViews::new())));
            let engine = Engine::open(log.clone(), Arc::clone(&projections), |_, _| {}).unwrap();
            Self { engine, projections, log }
        }

        /// With the first version in force, as the server's first start leaves it.
        fn started() -> Self {
            let book = Self::new();
            let text: Arc<[u8]> = Arc::from(POLICY.as_bytes());
            let file = digest(&text);
            let key = key(file).unwrap();
            let command = Command {
                id: OperationId::of(&ledger(), &key),
                key,
                actor: Actor::new("tallyhook").unwrap(),
                request: file,
                order: Order::ActivatePolicy {
                    policy: Arc::new(policy_file::parse(POLICY).unwrap()),
                    file,
                },
            };
            let input = Input::Command(Box::new(command));
            let request = Request { ledger: ledger(), input, body: text };
            book.engine.step(at(NOW), vec![request]).unwrap();
            book
        }

        fn activate(&self, text: &str) -> Result<Activated, ActivateError> {
            let activation = Activation {
                ledger: ledger(),
                policy: Arc::new(policy_file::parse(text).unwrap()),
                text: Arc::from(text.as_bytes()),
                actor: Actor::new("someone").unwrap(),
            };
            recorded(&self.engine, &self.projections, &activation, at(NOW))
        }
    }

    #[test]
    fn a_version_is_put_in_force_with_its_text() {
        use event_store::log::EventLog as _;

        let book = Book::started();
        let text = later(2, "2026-10-02T00:00:00Z");
        let Activated::Now { sequence, before } = book.activate(&text).unwrap() else {
            panic!("it was not in force")
        };
        assert_eq!((sequence.get(), before.version), (2, 1));
        assert_eq!(
            book.projections.book(&ledger()).unwrap().policy_file,
            Some(digest(text.as_bytes()))
        );
        let body = book.log.body(&ledger(), sequence).unwrap().unwrap();
        assert_eq!(&body[..], text.as_bytes());
        let recorded = book.log.read(&ledger(), sequence).unwrap().unwrap();
        let Input::Command(command) = &recorded.record().input else { panic!("a command") };
        assert_eq!(command.actor.as_str(), "someone");
        assert_eq!(book.activate(&text).unwrap(), Activated::Before);
    }

    #[test]
    fn what_cannot_follow_is_refused_with_the_version_in_force() {
        let book = Book::started();
        assert_eq!(book.activate(POLICY).unwrap(), Activated::Before);
        for (text, expected) in [
            (
                later(1, "2026-10-02T00:00:00Z"),
                TimelineFault::VersionNotRising { version: 1, last: 1 },
            ),
            (later(2, "2026-09-30T23:59:59Z"), TimelineFault::InThePast),
            (
                later(2, "2026-10-02T00:00:00Z").replace("decimals = 6", "decimals = 2"),
                TimelineFault::UnitChanged,
            ),
        ] {
            match book.activate(&text) {
                Err(ActivateError::Unfit { fault, last }) => {
                    assert_eq!((fault, last.version), (expected, 1));
                }
                other => panic!("{expected:?}: {other:?}"),
            }
        }
        assert_eq!(book.projections.book(&ledger()).unwrap().timeline.versions().len(), 1);
    }

    #[test]
    fn a_text_that_was_followed_by_another_needs_a_new_version() {
        let book = Book::started();
        book.activate(&later(2, "2026-10-02T00:00:00Z")).unwrap();
        assert!(matches!(book.activate(POLICY), Err(ActivateError::Superseded)));
    }

    #[test]
    fn a_ledger_without_a_policy_gets_none() {
        assert!(matches!(Book::new().activate(POLICY), Err(ActivateError::NoPolicy { .. })));
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("none");
        let activation = Activation {
            ledger: ledger(),
            policy: Arc::new(policy_file::parse(POLICY).unwrap()),
            text: Arc::from(POLICY.as_bytes()),
            actor: Actor::new("someone").unwrap(),
        };
        let refused = activate(&data, &activation, at(NOW));
        assert!(matches!(refused, Err(ActivateError::NoStore { .. })), "{refused:?}");
        assert!(!data.exists(), "nothing was made");
    }
}
