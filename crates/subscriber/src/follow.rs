//! The task that follows the stream: the table's one writer, reading after reading.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    accounts::Shared,
    change::{Change, Kind, Repaired, Update},
    fold::{Arrived, Fold},
    nats::{Nats, Place, SILENCE_MAX, Session, Start, StreamFault},
    reconcile::Compared,
    standing::{Reconciliation, State},
};

/// How often the connection and what waits are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long nothing comes before the broker is asked whether that was all.
const ASK_AFTER: Duration = Duration::from_millis(500);

/// How often ledgers are looked through for what only the API knows. What is not there after one or
/// two of these, while all of the stream is read, is lost: the publisher is back sooner after the
/// broker was away.
const SWEEP: Duration = Duration::from_secs(5);

/// The wait after the first failed attempt to read; each further one doubles it.
const WAIT_MIN: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What follows the stream.
pub(crate) struct Follower {
    pub(crate) broker: Nats,
    pub(crate) fold: Fold,
    pub(crate) shared: Arc<Shared>,
    /// What comes from the API.
    pub(crate) compared: mpsc::Receiver<Compared>,
    /// Who wants to hear of changes.
    pub(crate) changes: Option<mpsc::Sender<Update>>,
    /// How far the stream was read.
    pub(crate) place: Option<Place>,
    /// The number of the last comparison with the API that ended.
    pub(crate) compared_last: u64,
}

/// One reading, as it goes on.
struct Reading {
    session: Session,
    /// Whether all that there was at the beginning has arrived.
    is_complete: bool,
    /// When something arrived, was handed over, or the broker was asked.
    active: Instant,
    swept: Instant,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.standing.send_modify(|standing| {
            let since = standing.since().unwrap_or_else(Instant::now);
            standing.state = State::Ended { since };
        });
    }
}

impl Follower {
    /// Follows until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut wait = WAIT_MIN;
        loop {
            let opened = self.broker.open(self.place.as_ref()).await;
            let fault = match opened {
                Ok((session, start)) => {
                    wait = WAIT_MIN;
                    self.read(session, start).await
                }
                Err(fault) => fault,
            };
            if matches!(fault, StreamFault::Replaced) {
                self.place = None;
            }
            self.away(fault);
            sleep(wait).await;
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// Reads until the session is of no more use, and says why.
    async fn read(&mut self, session: Session, start: Start) -> StreamFault {
        match start {
            Start::State => self.fold.start(),
            Start::Place => self.fold.resume(),
        }
        let is_empty = session.is_empty();
        let now = Instant::now();
        let mut reading = Reading { session, is_complete: false, active: now, swept: now };
        if is_empty {
            self.caught_up(&mut reading);
        }
        match self.follow(&mut reading).await {
            Ok(never) => match never {},
            Err(fault) => fault,
        }
    }

    async fn follow(
        &mut self,
        reading: &mut Reading,
    ) -> Result<std::convert::Infallible, StreamFault> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut updates = Vec::new();
            tokio::select! {
                message = reading.session.next() => {
                    let message = message?;
                    let (subject, payload) = (&*message.subject, &*message.payload);
                    let arrived = Arrived { subject, payload, stream_sequence: message.sequence };
                    self.fold.message(arrived, &mut updates);
                    self.place = Some(message.place);
                    reading.active = Instant::now();
                    let has_waited = self.hand_over(updates).await;
                    // What it said of the rest was so when it was sent.
                    if message.pending == 0 && !has_waited {
                        self.caught_up(reading);
                    } else {
                        self.behind();
                    }
                }
                Some(compared) = self.compared.recv() => {
                    self.compare(compared, &mut updates);
                    self.hand_over(updates).await;
                }
                _ = ticks.tick() => {
                    self.tick(reading, &mut updates).await?;
                    self.hand_over(updates).await;
                }
            }
            self.note_compared();
        }
    }

    async fn tick(
        &mut self,
        reading: &mut Reading,
        updates: &mut Vec<Update>,
    ) -> Result<(), StreamFault> {
        if !reading.session.is_connected() {
            return Err(StreamFault::Disconnected);
        }
        if matches!(self.shared.standing.borrow().state, State::Following) {
            if reading.swept.elapsed() >= SWEEP {
                reading.swept = Instant::now();
                self.fold.sweep(updates);
            }
        } else if reading.active.elapsed() >= ASK_AFTER {
            reading.active = Instant::now();
            if reading.session.has_all().await? {
                self.caught_up(reading);
            }
        }
        Ok(())
    }

    fn compare(&mut self, compared: Compared, updates: &mut Vec<Update>) {
        match compared {
            Compared::Views(views) => {
                views.into_iter().for_each(|view| self.fold.compare(view, updates));
            }
            Compared::All { number } => self.compared_last = number,
            Compared::Failed(fault) => {
                tracing::warn!(error = %fault, "the accounts can't be compared with the API");
                let fault = Arc::new(fault);
                self.shared.standing.send_modify(|standing| {
                    standing.reconciliation = Reconciliation::Failed(fault);
                });
            }
        }
    }

    /// All of the last comparison is here once nothing of it waits for its message.
    fn note_compared(&self) {
        if !self.fold.has_suspects() {
            self.shared.compared(self.compared_last);
        }
    }

    /// Hands updates over, and counts them. Says whether it had to wait for who takes them.
    async fn hand_over(&mut self, updates: Vec<Update>) -> bool {
        let mut has_waited = false;
        for update in updates {
            self.count(&update);
            let Some(changes) = &self.changes else { continue };
            match changes.try_send(update) {
                Ok(()) => {}
                Err(TrySendError::Full(update)) => {
                    has_waited = true;
                    self.behind();
                    if changes.send(update).await.is_err() {
                        self.changes = None;
                    }
                }
                Err(TrySendError::Closed(_)) => self.changes = None,
            }
        }
        has_waited
    }

    /// Counts what is missing, and has it looked up.
    fn count(&self, update: &Update) {
        let (missed, unreadable) = match update {
            Update::Change(change) => match (&**change, change.kind) {
                (_, Kind::New | Kind::Next) => return,
                (Change { envelope, .. }, Kind::Gap { missed }) => {
                    let change = &envelope.data;
                    let (ledger, account) = (&change.ledger, &change.account);
                    tracing::warn!(ledger, account, missed, "changes of an account never arrived");
                    self.shared.compare();
                    (missed, 0)
                }
            },
            Update::Repaired(Repaired { view, missed }) => {
                let (ledger, account) = (&view.ledger, &view.account);
                tracing::debug!(ledger, account, missed, "an account was looked up in the API");
                (*missed, 0)
            }
            Update::Unreadable(message) => {
                let (subject, sequence) = (&message.subject, message.stream_sequence);
                let error = &message.fault;
                tracing::warn!(subject, sequence, %error, "a message can't be read");
                self.shared.compare();
                (0, 1)
            }
        };
        self.shared.standing.send_modify(|standing| {
            standing.missed = standing.missed.saturating_add(missed);
            standing.unreadable = standing.unreadable.saturating_add(unreadable);
        });
    }

    fn caught_up(&mut self, reading: &mut Reading) {
        self.fold.complete();
        if !reading.is_complete {
            reading.is_complete = true;
            self.shared.compare();
        }
        self.shared.standing.send_if_modified(|standing| {
            let is_new = !standing.is_caught_up();
            standing.is_complete = true;
            standing.state = State::Following;
            is_new
        });
    }

    fn behind(&self) {
        self.shared.standing.send_if_modified(|standing| {
            let since = standing.since();
            standing.state = State::Behind { since: since.unwrap_or_else(Instant::now) };
            since.is_none()
        });
    }

    fn away(&self, fault: StreamFault) {
        // Silence is noticed late: what it hid may be as old as it was.
        let unnoticed = match &fault {
            StreamFault::Ended(_) => SILENCE_MAX,
            StreamFault::Disconnected
            | StreamFault::StreamAbsent
            | StreamFault::Refused { .. }
            | StreamFault::Lost { .. }
            | StreamFault::Replaced => TICK,
        };
        let noticed = Instant::now();
        let since = noticed.checked_sub(unnoticed).unwrap_or(noticed);
        self.shared.standing.send_modify(|standing| {
            let since = standing.since().unwrap_or(since);
            if !matches!(standing.state, State::Away { .. }) {
                tracing::warn!(error = %fault, "the stream of balance events can't be read");
            }
            standing.state = State::Away { since, fault: Arc::new(fault) };
        });
    }
}
