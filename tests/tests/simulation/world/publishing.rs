//! What leads to the subscribers: the publisher's turns, the broker, its operator.

use futures_util::FutureExt as _;
use publisher::{run::forget, standing::State, turn::Turn};
use tokio_util::sync::CancellationToken;

use super::{Doing, World};
use crate::{
    oracle::Oracle,
    plan::{Outside, Views},
    power::{PowerCut, powered},
    subscriber::Restart,
};

impl World {
    /// The program publishes, so many turns or until there is nothing more.
    pub(super) fn publish(&mut self, turns: u32) -> Result<(), String> {
        let stop = CancellationToken::new();
        for _ in 0..turns {
            let Some(program) = &mut self.program else { return Ok(()) };
            let taken = powered(|| program.publisher.turn(&stop).now_or_never());
            let struck = self.struck(Doing::Publishing);
            let happened = self.broker.happened();
            happened.iter().for_each(|name| self.reach(name));
            match taken {
                Err(PowerCut) => {
                    self.crash();
                    return Ok(());
                }
                Ok(None) => return Err("the publisher waits for something".to_owned()),
                Ok(Some(Err(error))) => return Err(format!("it can't publish: {error:?}")),
                Ok(Some(Ok(Turn::Worked))) => {}
                Ok(Some(Ok(Turn::Idle))) => return Ok(()),
                Ok(Some(Ok(Turn::Failed))) => self.stands(struck, !happened.is_empty())?,
            }
        }
        Ok(())
    }

    /// Whether there is a reason for how the publisher stands after a failed turn.
    fn stands(&mut self, struck: bool, happened: bool) -> Result<(), String> {
        let Some(program) = &self.program else { return Ok(()) };
        let state = program.publisher.standing().borrow().state.clone();
        let (name, reason) = match &state {
            State::Connecting => ("publisher-connects-anew", happened),
            State::BrokerAway { .. } => ("publisher-away", happened),
            State::BrokerUnfit { .. } => ("publisher-unfit", happened),
            State::StoreFailed { .. } => ("publisher-store-failed", struck),
            State::StreamBehind { .. } => ("stream-behind", self.stream_lost),
            State::LogBehind { .. } | State::Stopped | State::Publishing => ("", false),
        };
        if !reason {
            return Err(format!("the publisher has no reason to be so: {state:?}"));
        }
        self.reach(name);
        if let State::StreamBehind { .. } = state { self.republish() } else { Ok(()) }
    }

    /// An operator stops the program and has everything published anew that is not in the stream.
    fn republish(&mut self) -> Result<(), String> {
        self.stop()?;
        let forgotten = self.power.look(|| forget(&*self.views));
        forgotten.map_err(super::view_error)?;
        self.stream_lost = false;
        self.reach("republished");
        self.start(Views::Kept)
    }

    /// What happens to the broker and to subscribers.
    pub(super) fn outside(&mut self, outside: Outside) -> Result<(), String> {
        match outside {
            Outside::Mishap(mishap) => self.broker.mishap(Some(mishap)),
            Outside::Disconnect => self.broker.disconnect(),
            Outside::Sync => self.broker.sync(),
            Outside::Restart => {
                self.reach("broker-restarted");
                if self.broker.restart() > 0 {
                    (self.stream_lost, self.stream_ever_lost) = (true, true);
                    self.reach("broker-lost-messages");
                }
            }
            Outside::DeleteStream => {
                if self.broker.delete() > 0 {
                    (self.stream_lost, self.stream_ever_lost) = (true, true);
                    self.reach("stream-deleted");
                }
            }
            Outside::Listen { subscriber, most } => {
                let known = self.subscribers.get_mut(subscriber);
                known.map_or(Ok(()), |known| known.listen(&self.broker, most))?;
            }
            Outside::ListenAnew { subscriber, how } => {
                self.reach(match how {
                    Restart::Anew => "subscriber-anew",
                    Restart::Repeats(_) => "subscriber-repeats",
                });
                let known = self.subscribers.get_mut(subscriber);
                known.into_iter().for_each(|known| known.restart(how));
            }
        }
        Ok(())
    }

    /// What is new in the stream is what must be there.
    pub(super) fn check_stream(&mut self) -> Result<(), String> {
        let Oracle { messages, trace, covered, .. } = &mut self.oracle;
        messages.check(&self.broker, (trace, covered))
    }
}
