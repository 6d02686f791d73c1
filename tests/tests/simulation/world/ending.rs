//! How a simulation ends: nothing fails any more, everyone is answered, everything is published and
//! heard, and what is stored is what was live.

use std::sync::Arc;

use event_store::{
    log::EventLog,
    memory::MemoryViews,
    views::{Entry, ViewStore},
};
use projectors::projections::{Projections, stored_prefix};
use tallyhook_tests::history::ledger;

use super::{World, view_error};
use crate::{oracle::equal, plan::Views, subscriber::Subscriber};

/// More than enough rounds to answer everyone, and turns to publish everything.
const ROUNDS: u32 = 2_000;

impl World {
    /// Nothing fails any more: within some rounds all is well.
    pub(super) fn come_to_rest(&mut self) -> Result<(), String> {
        self.power.arm(None);
        self.broker.calm();
        self.ahead = 0;
        self.answers_get_lost = false;
        for _ in 0..ROUNDS {
            if self.asking.iter().all(|asking| asking.answered) {
                break;
            }
            self.start(Views::Kept)?;
            self.ask_again(false)?;
            while self.program.as_ref().is_some_and(|program| !program.queue.is_empty()) {
                self.decide(8)?;
                self.commit()?;
            }
            self.commit()?;
            self.check()?;
        }
        let unanswered = self.asking.iter().filter(|asking| !asking.answered).count();
        equal("unanswered in the end", unanswered, 0)?;
        self.start(Views::Kept)?;
        while self.program.as_ref().is_some_and(|program| !program.decided.is_empty()) {
            self.commit()?;
        }
        self.publish(ROUNDS)?;
        // A publisher that had to begin anew has stopped at that.
        self.publish(ROUNDS)?;
        self.check()?;
        equal("messages in the end", self.broker.len(), self.oracle.messages.len())?;
        self.subscribers.push(Subscriber::default());
        for subscriber in &mut self.subscribers {
            subscriber.listen(&self.broker, usize::MAX)?;
            equal("a subscriber has everything", subscriber.has_all(&self.broker), true)?;
        }
        self.refold()?;
        self.oracle.decide_again()
    }

    /// The projections as they were kept live, and folded anew from the log, byte for byte.
    pub(super) fn refold(&mut self) -> Result<(), String> {
        let Some(program) = &self.program else { return Ok(()) };
        let (live, folded) = self.power.look(|| -> Result<_, String> {
            program.projections.checkpoint().map_err(view_error)?;
            let live = entries(&*self.views)?;
            let views = Arc::new(MemoryViews::new());
            let folded = Projections::new(Arc::<MemoryViews>::clone(&views));
            let log: &dyn EventLog = &*self.log;
            folded.catch_up(log, |_, _| {}).map_err(|error| error.to_string())?;
            folded.checkpoint().map_err(view_error)?;
            Ok((live, entries(&*views)?))
        })?;
        equal("number of stored projections", live.len(), folded.len())?;
        for (live, folded) in live.iter().zip(&folded) {
            equal("a stored projection", live, folded)?;
        }
        self.reach("refolded");
        Ok(())
    }
}

fn entries(views: &dyn ViewStore) -> Result<Vec<Entry>, String> {
    views.scan(&stored_prefix(&ledger()), None, usize::MAX).map_err(view_error)
}
