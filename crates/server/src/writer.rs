//! The one thread that decides, and the one that makes durable what was decided. Others reach them
//! through a bounded queue and hear from them only after the sync.

use std::{
    io,
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use engine::step::{Answer, Decided, Engine, Request, StepError};
use event_store::log::AppendError;
use tokio::sync::{oneshot, watch};

use crate::{
    clock::Clock,
    limits::{GROUP_INPUTS_MAX, QUEUE_INPUTS_MAX},
    metrics::Metrics,
};

/// Why an input was not taken: nothing is known to have happened, and it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// Too many inputs wait.
    Full,
    /// An earlier write failed: nothing is taken until a restart.
    Latched,
    /// The server is stopping.
    Stopping,
}

/// An input that waits for its answer.
struct Waiting {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

enum Job {
    Input(Waiting),
    /// Decide what still waits, then end.
    Stop,
}

/// The way to the writer's thread.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: Sender<Job>,
    latched: Latched,
}

/// The writer's threads, to be stopped and awaited by their owner.
pub(crate) struct WriterThread {
    queue: Sender<Job>,
    decider: thread::JoinHandle<()>,
    committer: thread::JoinHandle<()>,
}

impl Writer {
    /// Starts the writer's threads.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(
        engine: Engine,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        wake: watch::Sender<u64>,
    ) -> io::Result<(Self, WriterThread)> {
        let (queue, waiting) = bounded(QUEUE_INPUTS_MAX);
        // A group is handed over from hand to hand: while one is committed one more is decided,
        // and what arrives meanwhile waits and makes the next group larger.
        let (hand_over, decided) = bounded(0);
        let latched = Arc::new(OnceLock::new());
        let engine = Arc::new(engine);
        let decider = Decider {
            engine: Arc::clone(&engine),
            clock,
            hand_over,
            latched: Arc::clone(&latched),
        };
        let committer = Committer { engine, metrics, wake, latched: Arc::clone(&latched) };
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        let committer = spawn("committer").spawn(move || committer.run(&decided))?;
        let decider = spawn("writer").spawn(move || decider.run(&waiting))?;
        let writer = Self { queue: queue.clone(), latched };
        Ok((writer, WriterThread { queue, decider, committer }))
    }

    /// Has an input decided; returns when the answer is durable.
    ///
    /// Dropping the future does not undo the input.
    pub(crate) async fn submit(&self, request: Request) -> Result<Answer, Unavailable> {
        self.queued(request)?.await.map_err(|_| self.gone())
    }

    /// As [`Self::submit`] for several inputs at once, from a thread that may wait.
    pub(crate) fn submit_blocking(
        &self,
        requests: Vec<Request>,
    ) -> Result<Vec<Answer>, Unavailable> {
        let queued: Result<Vec<_>, _> =
            requests.into_iter().map(|request| self.queued(request)).collect();
        let answers = queued?.into_iter().map(oneshot::Receiver::blocking_recv);
        answers.map(|answer| answer.map_err(|_| self.gone())).collect()
    }

    fn queued(&self, request: Request) -> Result<oneshot::Receiver<Answer>, Unavailable> {
        if self.latched.get().is_some() {
            return Err(Unavailable::Latched);
        }
        let (answer, answered) = oneshot::channel();
        match self.queue.try_send(Job::Input(Waiting { request, answer })) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => Err(Unavailable::Full),
            Err(TrySendError::Disconnected(_)) => Err(self.gone()),
        }
    }

    /// The number of inputs that wait.
    pub(crate) fn depth(&self) -> usize {
        self.queue.len()
    }

    /// Why nothing is taken any more.
    pub(crate) fn latched(&self) -> Option<&str> {
        self.latched.get().map(String::as_str)
    }

    fn gone(&self) -> Unavailable {
        if self.latched.get().is_some() { Unavailable::Latched } else { Unavailable::Stopping }
    }
}

impl WriterThread {
    /// Decides and commits what waits and ends the threads. Blocks; `false` when one had failed.
    pub(crate) fn stop(self) -> bool {
        // A queue whose other end is gone means that the thread ended already.
        let _ = self.queue.send(Job::Stop);
        let decided = self.decider.join().is_ok();
        let committed = self.committer.join().is_ok();
        decided && committed
    }
}

/// Why nothing is taken any more, for everyone who asks.
type Latched = Arc<OnceLock<String>>;

/// A group on its way from the decider to the committer.
struct Group {
    decided: Decided,
    answers: Vec<oneshot::Sender<Answer>>,
    started: Instant,
}

/// Decides groups of what waits.
struct Decider {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    hand_over: Sender<Group>,
    latched: Latched,
}

/// A fault of ours that ends the thread is told by `/readyz` like a failed write.
impl Drop for Decider {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.latched.set("the writer's thread failed".to_owned());
        }
    }
}

impl Decider {
    fn run(self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            if self.group(first, queue) {
                break;
            }
        }
        while let Ok(job) = queue.try_recv() {
            self.group(job, queue);
        }
    }

    /// Decides what waits, up to a group. Says whether to stop.
    fn group(&self, first: Job, queue: &Receiver<Job>) -> bool {
        let mut group = Vec::with_capacity(GROUP_INPUTS_MAX);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Input(waiting) => group.push(waiting),
                Job::Stop => {
                    self.decide(group);
                    return true;
                }
            }
            next = if group.len() < GROUP_INPUTS_MAX { queue.try_recv().ok() } else { None };
        }
        self.decide(group);
        false
    }

    fn decide(&self, group: Vec<Waiting>) {
        if group.is_empty() || self.latched.get().is_some() {
            // Dropping the answers' senders tells each that nothing is acknowledged.
            return;
        }
        let started = Instant::now();
        let (requests, answers): (Vec<Request>, Vec<oneshot::Sender<Answer>>) =
            group.into_iter().map(|waiting| (waiting.request, waiting.answer)).unzip();
        match self.engine.decide(self.clock.now(), requests) {
            // A committer that is gone has latched; dropping the group tells everyone.
            Ok(decided) => drop(self.hand_over.send(Group { decided, answers, started })),
            // Nothing was written: the next group is taken once there is room.
            Err(StepError::Append(AppendError::NoSpace(_))) => {}
            Err(error) => latch(&self.latched, &error),
        }
    }
}

/// Makes decided groups durable, in their order, and answers them.
struct Committer {
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    wake: watch::Sender<u64>,
    latched: Latched,
}

/// See [`Decider`].
impl Drop for Committer {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.latched.set("the committer's thread failed".to_owned());
        }
    }
}

impl Committer {
    fn run(self, decided: &Receiver<Group>) {
        while let Ok(group) = decided.recv() {
            if self.latched.get().is_none() {
                self.commit(group);
            }
        }
    }

    fn commit(&self, group: Group) {
        let Group { decided, answers, started } = group;
        match self.engine.commit(decided) {
            Ok(answered) => {
                self.metrics.commit(answers.len(), started.elapsed());
                self.wake.send_modify(|groups| *groups = groups.wrapping_add(1));
                for (sender, answer) in answers.into_iter().zip(answered) {
                    // Nobody waits where the client went away; its input is durable all the same.
                    let _ = sender.send(answer);
                }
            }
            Err(error) => latch(&self.latched, &error),
        }
    }
}

/// Takes nothing more from now on.
fn latch(latched: &OnceLock<String>, error: &StepError) {
    let error = with_causes(error);
    tracing::error!(%error, "the writer takes nothing until the server is restarted");
    let _ = latched.set(error);
}

/// An error with all its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
