//! Reading ahead: records, and what their raw bytes say today, on a thread of their own.
//!
//! What the bytes mean depends on the settings in force, which are in the records before, and on
//! nothing else: so it needs no state, and the fold can follow on another thread.

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::Scope,
};

use domain::{
    ids::{EventKey, LedgerId, Origin, Sequence},
    input::{Delivery, Evidence, Input, Order},
    record::Record,
};
use event_store::log::{EventLog, Place, ReadError, Recorded, body_fits};
use ingestion::{
    pointer::Pointer,
    read::{Reading, reread},
    secret::Secret,
    source::Provider,
    verify::{Again, verify_again},
};

use crate::findings::{Kind, Signatures};

/// How many records are read at once: about a block.
const CHUNK: usize = 256;

/// How many chunks are read ahead.
const AHEAD: usize = 8;

/// Records that follow each other, with what was found by reading them.
pub(super) struct Chunk {
    pub(super) records: Vec<Recorded>,
    /// What is wrong with the deliveries among them, rising.
    pub(super) faults: Vec<Fault>,
    pub(super) signatures: Signatures,
}

/// What is wrong with one delivery.
pub(super) struct Fault {
    pub(super) sequence: Sequence,
    pub(super) kind: Kind,
    pub(super) detail: &'static str,
}

/// Reads a ledger on a thread of `scope`, until its end, a fault of the log, or nobody listens.
pub(super) fn read_ahead<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    log: &'e dyn EventLog,
    ledger: LedgerId,
    secrets: &'e [Secret],
) -> Receiver<Result<Chunk, ReadError>> {
    let (sender, receiver) = sync_channel(AHEAD);
    scope.spawn(move || {
        let mut reader = Reader::new(log, ledger, secrets);
        while reader.send(&sender) {}
    });
    receiver
}

struct Reader<'l> {
    log: &'l dyn EventLog,
    ledger: LedgerId,
    secrets: &'l [Secret],
    after: Option<Sequence>,
    bodies: VecDeque<(Sequence, Vec<u8>)>,
    /// The last body that was read.
    last_body: Option<Sequence>,
    /// Where an event names the account, by the settings in force.
    account_from: Vec<Pointer>,
}

impl<'l> Reader<'l> {
    const fn new(log: &'l dyn EventLog, ledger: LedgerId, secrets: &'l [Secret]) -> Self {
        Self {
            log,
            ledger,
            secrets,
            after: None,
            bodies: VecDeque::new(),
            last_body: None,
            account_from: Vec::new(),
        }
    }

    /// Sends the next chunk; `false` when there is none or nobody listens.
    fn send(&mut self, sender: &SyncSender<Result<Chunk, ReadError>>) -> bool {
        let chunk = self.chunk();
        let goes_on = chunk.as_ref().is_ok_and(|chunk| !chunk.records.is_empty());
        sender.send(chunk).is_ok() && goes_on
    }

    fn chunk(&mut self) -> Result<Chunk, ReadError> {
        let records = self.log.scan(&self.ledger, self.after, CHUNK)?;
        let mut chunk =
            Chunk { records: Vec::new(), faults: Vec::new(), signatures: Signatures::NONE };
        for recorded in &records {
            let record = recorded.record();
            let body = self.body(record)?;
            match &record.input {
                Input::Delivery(delivery) => {
                    self.look(record.sequence, delivery, &body, &mut chunk);
                }
                Input::Command(command) => self.learn(&command.order),
            }
            self.after = Some(record.sequence);
        }
        chunk.records = records;
        Ok(chunk)
    }

    /// The body of the record that comes next.
    fn body(&mut self, record: &Record) -> Result<Vec<u8>, ReadError> {
        if self.bodies.is_empty() {
            self.bodies = self.log.bodies(&self.ledger, self.last_body, CHUNK)?.into();
            self.last_body = self.bodies.back().map(|(last, _)| *last);
        }
        let body = self.bodies.pop_front().filter(|(at, _)| *at == record.sequence);
        let damaged = |detail: &str| ReadError::Damaged {
            ledger: self.ledger.clone(),
            place: Place::Record(record.sequence),
            detail: detail.to_owned(),
        };
        let (_, body) = body.ok_or_else(|| damaged("its body is missing"))?;
        if body_fits(record, &body) {
            Ok(body)
        } else {
            Err(damaged("its body has another digest"))
        }
    }

    fn learn(&mut self, order: &Order) {
        if let Order::Configure(settings) = order {
            let texts = settings.account_from.iter();
            self.account_from = texts.filter_map(|text| Pointer::new(text.as_str()).ok()).collect();
        }
    }

    /// What the bytes of a delivery say today, where they are kept.
    fn look(&self, sequence: Sequence, recorded: &Delivery, body: &[u8], chunk: &mut Chunk) {
        let Evidence::Signed(signature) = &recorded.evidence else {
            chunk.signatures.back_filled = chunk.signatures.back_filled.saturating_add(1);
            self.read_again(sequence, recorded, body, chunk);
            return;
        };
        if body.is_empty() {
            chunk.signatures.erased = chunk.signatures.erased.saturating_add(1);
            return;
        }
        let signatures = &mut chunk.signatures;
        match verify_again(self.secrets, signature, body) {
            Again::Holds => signatures.hold = signatures.hold.saturating_add(1),
            Again::SecretNotGiven => signatures.miss(signature.secret, sequence),
            Again::Broken => {
                signatures.broken = signatures.broken.saturating_add(1);
                let detail = "the signature is not that of the secret which the record names";
                chunk.faults.push(Fault { sequence, kind: Kind::SignatureBroken, detail });
            }
        }
        self.read_again(sequence, recorded, body, chunk);
    }

    /// Reads the bytes again, where they are kept.
    fn read_again(&self, sequence: Sequence, recorded: &Delivery, body: &[u8], chunk: &mut Chunk) {
        if body.is_empty() {
            return;
        }
        let reading = Reading {
            provider: Provider::Paddle,
            source: &recorded.source,
            origin: origin(recorded),
            account_from: &self.account_from,
        };
        if reread(&reading, body, recorded) != *recorded {
            let detail = "the raw bytes say something else than the recorded notice";
            chunk.faults.push(Fault { sequence, kind: Kind::NoticeDiffers, detail });
        }
    }
}

const fn origin(delivery: &Delivery) -> &Origin {
    match &delivery.event {
        EventKey::Event { origin, .. } | EventKey::Body { origin, .. } => origin,
    }
}
