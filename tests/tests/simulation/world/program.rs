//! The program: opened, deciding, committing, storing its projections, stopped; and cut.

use std::{collections::VecDeque, sync::Arc};

use domain::{
    ids::{Actor, Digest, IdempotencyKey, OperationId},
    input::{Command, Input, Order},
};
use engine::step::{Decided, Engine, Request, StepError};
use event_store::{
    log::{AppendError, EventLog},
    views::ViewStore,
};
use projectors::{fold::FoldError, projections::Projections};
use publisher::{run::Publisher, turn::Pace};
use sha2::{Digest as _, Sha256};
use tallyhook_tests::history::ledger;

use super::{Doing, World};
use crate::{
    broker::MemoryBroker,
    oracle::Group,
    plan::Views,
    power::{PowerCut, SimulatedViews, powered},
};

/// How many holds are ended at once.
const EXPIRED_AT_ONCE: usize = 4;

/// The program while it runs.
pub(crate) struct Program {
    pub(super) engine: Engine,
    pub(crate) projections: Arc<Projections>,
    pub(super) publisher: Publisher<MemoryBroker>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) decided: VecDeque<Ahead>,
    /// Whether it takes nothing until it is started again.
    pub(super) latched: bool,
}

/// An input that waits.
pub(super) struct Waiting {
    /// Who asked; none: the program itself.
    pub(super) asking: Option<usize>,
    pub(super) request: Request,
}

/// A group that is decided and not committed.
pub(super) struct Ahead {
    asking: Vec<Option<usize>>,
    group: Group,
    decided: Decided,
}

impl World {
    /// Starts the program where it does not run, or takes nothing any more.
    pub(super) fn start(&mut self, views: Views) -> Result<(), String> {
        if self.program.as_ref().is_some_and(|program| !program.latched) {
            return Ok(());
        }
        self.crash();
        let entries = match (views, &self.copied) {
            (Views::Kept, _) | (Views::Older, None) => None,
            (Views::Lost, _) => Some(("views-lost", Vec::new())),
            (Views::Older, Some(copied)) => Some(("views-older", copied.clone())),
        };
        if let Some((name, entries)) = entries {
            self.views =
                Arc::new(SimulatedViews::of(&self.power, &entries).map_err(super::view_error)?);
            self.stream_lost |= self.stream_ever_lost;
            self.reach(name);
        }
        self.log = Arc::new(self.log.reopened());
        let opened = powered(|| self.open());
        let struck = self.struck(Doing::Opening);
        match opened {
            Err(PowerCut) => return Ok(()),
            Ok(Err(_)) if struck => return Ok(()),
            Ok(Err(error)) => return Err(format!("it can't be opened: {error:?}")),
            Ok(Ok(program)) => self.program = Some(program),
        }
        self.reach("started");
        let unanswered = std::mem::take(&mut self.unanswered);
        // What is not there now never will be.
        self.oracle.found(&self.stored()?, unanswered).map(drop)
    }

    fn open(&self) -> Result<Program, FoldError> {
        let log: Arc<dyn EventLog> = Arc::<crate::power::SimulatedLog>::clone(&self.log);
        let views: Arc<dyn ViewStore> = Arc::<SimulatedViews>::clone(&self.views);
        let projections = Arc::new(Projections::new(Arc::clone(&views)));
        let engine = Engine::open(Arc::clone(&log), Arc::clone(&projections), |_, _| {})?;
        let (scan_records, batch_messages_max, checkpoint_records) = self.conditions.pace;
        let pace = Pace { scan_records, batch_messages_max, checkpoint_records, ..Pace::STANDARD };
        let publisher = Publisher::over(self.broker.clone(), log, views, pace);
        let (queue, decided) = (VecDeque::new(), VecDeque::new());
        Ok(Program { engine, projections, publisher, queue, decided, latched: false })
    }

    /// The program is gone, with all that was in its memory. Says whether it ran.
    pub(super) fn crash(&mut self) -> bool {
        let Some(program) = self.program.take() else { return false };
        self.unanswered.extend(program.decided.into_iter().map(|ahead| ahead.group));
        self.asking.iter_mut().for_each(|asking| asking.waiting = 0);
        true
    }

    /// The program decides a group of what waits.
    pub(super) fn decide(&mut self, most: usize) -> Result<(), String> {
        let ahead_max = self.conditions.ahead_max;
        let Some(program) = &mut self.program else { return Ok(()) };
        if program.latched || program.queue.is_empty() || program.decided.len() >= ahead_max {
            return Ok(());
        }
        let count = most.min(program.queue.len());
        let waiting: Vec<Waiting> = program.queue.drain(..count).collect();
        let (asking, requests): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|one| (one.asking, one.request)).unzip();
        let inputs: Vec<Input> = requests.iter().map(|request| request.input.clone()).collect();
        let clock = self.clock_for(&inputs);
        let Some(program) = &mut self.program else { return Ok(()) };
        let ahead = program.decided.len();
        let decided = powered(|| program.engine.decide(clock, requests));
        let struck = self.struck(Doing::Deciding);
        match decided {
            Err(PowerCut) => drop(self.crash()),
            Ok(Ok(decided)) => {
                if count > 1 {
                    self.reach("group-of-several");
                }
                if ahead > 0 {
                    self.reach("groups-ahead");
                }
                let ahead = Ahead { asking, group: Group { inputs, clock }, decided };
                if let Some(program) = &mut self.program {
                    program.decided.push_back(ahead);
                }
            }
            Ok(Err(StepError::Append(AppendError::NoSpace(_)))) if struck => {
                self.reach("group-for-which-there-is-no-room");
                self.no_longer_waiting(&asking);
            }
            Ok(Err(_)) if struck => self.latch()?,
            Ok(Err(error)) => return Err(format!("a group can't be decided: {error:?}")),
        }
        Ok(())
    }

    /// The program commits the oldest decided group and answers it.
    pub(super) fn commit(&mut self) -> Result<(), String> {
        let Some(program) = &mut self.program else { return Ok(()) };
        let Some(Ahead { asking, group, decided }) = program.decided.pop_front() else {
            return Ok(());
        };
        let committed = powered(|| program.engine.commit(decided));
        let struck = self.struck(Doing::Committing);
        match committed {
            Err(PowerCut) => {
                self.unanswered.push_back(group);
                self.crash();
                Ok(())
            }
            Ok(Ok(answers)) => {
                self.no_longer_waiting(&asking);
                self.oracle.answered(&group, &answers)?;
                if std::mem::take(&mut self.answers_get_lost) {
                    self.reach("answer-lost");
                    return Ok(());
                }
                for place in asking.into_iter().flatten() {
                    if let Some(asking) = self.asking.get_mut(place) {
                        asking.answered = true;
                    }
                }
                Ok(())
            }
            Ok(Err(_)) if struck => {
                self.unanswered.push_back(group);
                self.latch()
            }
            Ok(Err(error)) => Err(format!("a group can't be committed: {error:?}")),
        }
    }

    /// After a failure that leaves open what is stored, nothing is taken any more, and nothing that
    /// was decided is committed.
    fn latch(&mut self) -> Result<(), String> {
        let clock = self.clock();
        let Some(program) = &mut self.program else { return Ok(()) };
        program.latched = true;
        let rest = std::mem::take(&mut program.decided);
        let new: Vec<Request> =
            std::mem::take(&mut program.queue).into_iter().map(|waiting| waiting.request).collect();
        let log_latched = self.log.latched().is_some();
        let mut refused = Vec::new();
        for Ahead { group, decided, .. } in rest {
            self.unanswered.push_back(group);
            if log_latched {
                refused.push("latched-refuses-what-was-decided");
                if program.engine.commit(decided).is_ok() {
                    return Err("a group was committed after one that failed".to_owned());
                }
            }
        }
        if log_latched && !new.is_empty() {
            match program.engine.decide(clock, new).map(|new| program.engine.commit(new)) {
                Ok(Ok(_)) => return Err("a group was taken after one that failed".to_owned()),
                Ok(Err(_)) => {}
                Err(_) => refused.push("latched-refuses-what-is-new"),
            }
        }
        self.asking.iter_mut().for_each(|asking| asking.waiting = 0);
        self.reach("latched");
        refused.into_iter().for_each(|name| self.reach(name));
        // What readers see of the failed group, the publisher sees too.
        let unanswered = std::mem::take(&mut self.unanswered);
        let stored = self.stored()?;
        self.unanswered = if stored.len() > self.oracle.records.len() {
            self.oracle.found(&stored, unanswered)?
        } else {
            unanswered
        };
        Ok(())
    }

    fn no_longer_waiting(&mut self, asking: &[Option<usize>]) {
        for place in asking.iter().flatten() {
            if let Some(asking) = self.asking.get_mut(*place) {
                asking.waiting = asking.waiting.saturating_sub(1);
            }
        }
    }

    /// The program asks itself to end the holds whose time is over, as its expiry does.
    pub(super) fn expire(&mut self) -> Result<(), String> {
        let clock = self.clock();
        let Some(program) = &mut self.program else { return Ok(()) };
        if program.latched {
            return Ok(());
        }
        let due =
            self.power.look(|| program.projections.due_holds(&ledger(), clock, EXPIRED_AT_ONCE));
        for (account, hold) in due.map_err(|error| error.to_string())? {
            let request = expiry(&Order::ExpireHold { account, hold }, hold)?;
            program.queue.push_back(Waiting { asking: None, request });
            self.oracle.covered.reach("hold-expired");
        }
        Ok(())
    }

    /// The program stores its projections.
    pub(super) fn checkpoint(&mut self) -> Result<(), String> {
        let Some(program) = &self.program else { return Ok(()) };
        let stored = powered(|| program.projections.checkpoint());
        let struck = self.struck(Doing::Storing);
        match stored {
            Err(PowerCut) => drop(self.crash()),
            // The next one tries again.
            Ok(Err(_)) if struck => {}
            Ok(Err(error)) => return Err(format!("the projections can't be stored: {error}")),
            Ok(Ok(())) => {}
        }
        Ok(())
    }

    /// The program is told to end: it decides what waits, answers, and stores all.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        while let Some(program) = &self.program {
            if program.latched || program.queue.is_empty() && program.decided.is_empty() {
                break;
            }
            self.commit()?;
            self.decide(usize::MAX)?;
        }
        let Some(program) = &mut self.program else { return Ok(()) };
        let stopped = powered(|| {
            let closed = program.publisher.close();
            (closed, program.projections.checkpoint())
        });
        self.struck(Doing::Stopping);
        if let Ok((Err(error), _)) = stopped {
            return Err(format!("the publisher can't stop: {error:?}"));
        }
        self.crash();
        self.reach("stopped");
        Ok(())
    }
}

fn expiry(order: &Order, hold: OperationId) -> Result<Request, String> {
    let key = IdempotencyKey::new(&format!("expire:{hold}")).map_err(|fault| fault.to_string())?;
    let body = format!("{order:?}").into_bytes();
    let command = Command {
        id: OperationId::of(&ledger(), &key),
        key,
        actor: Actor::new("tallyhook").map_err(|fault| fault.to_string())?,
        request: Digest(Sha256::digest(&body).into()),
        order: order.clone(),
    };
    let input = Input::Command(Box::new(command));
    Ok(Request { ledger: ledger(), input, body: body.into() })
}
