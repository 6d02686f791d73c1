//! Balance events as they come: what `tallyhook tail` shows.
//!
//! Whatever happens to the connection, what was heard goes on after the last message: nothing is
//! left out, and nothing is repeated while the stream is the same.

use std::{ops::ControlFlow, time::Duration};

use balance_events::subject;
use bytes::Bytes;
use tokio::time::sleep;

use crate::{
    access::Access,
    broker::BrokerFault,
    nats::{
        connection::Connection,
        reached::{Contents, Place, Reached},
    },
};

/// How long to wait before a connection is tried again, or a stream looked for.
const DELAY: Duration = Duration::from_secs(1);

/// Where following begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that there is.
    First,
    /// With the next event.
    Now,
    /// With the newest event of each account.
    NewestOfEach,
    /// With the first event stored at this time, in RFC 3339, or later.
    Since(String),
}

/// What is heard.
#[derive(Clone, Debug)]
pub enum Heard {
    /// There is no stream yet.
    NoStream,
    /// From now on events are heard; again after [`Self::Lost`].
    Following,
    /// The stream is another one than before: its events begin anew.
    MadeAnew,
    /// The connection is lost, and tried again.
    Lost(String),
    /// An event, as it was published.
    Event(Bytes),
}

/// The subjects of these accounts in these ledgers; of all where there are none.
#[must_use]
pub fn subjects(ledgers: &[String], accounts: &[String]) -> Vec<String> {
    let any = ["*".to_owned()];
    let tokens: Vec<String> = accounts.iter().map(|account| subject::token(account)).collect();
    let ledgers = if ledgers.is_empty() { &any } else { ledgers };
    let tokens = if tokens.is_empty() { &any } else { tokens.as_slice() };
    let each = ledgers.iter().flat_map(|ledger| {
        tokens.iter().map(move |token| format!("{}.{ledger}.{token}", subject::PREFIX))
    });
    each.collect()
}

/// Follows the stream until `hear` breaks.
///
/// # Errors
/// The broker could not be reached the first time; or it refuses, which trying again doesn't mend.
pub async fn follow(
    access: &Access,
    start: &Start,
    subjects: &[String],
    mut hear: impl FnMut(Heard) -> ControlFlow<()>,
) -> Result<(), BrokerFault> {
    let mut follower = Follower { subjects, next: None, made: None, is_absent: false };
    let mut was_reached = false;
    loop {
        let lost = match Connection::open(access, "tallyhook tail").await {
            Ok(connection) => {
                was_reached = true;
                match follower.session(connection, start, &mut hear).await {
                    Ok(()) => return Ok(()),
                    Err(fault) => fault,
                }
            }
            Err(fault) => fault,
        };
        let told = match lost {
            // Looked for again in a moment.
            BrokerFault::Moved => ControlFlow::Continue(()),
            BrokerFault::Away { .. } if was_reached => hear(Heard::Lost(with_causes(&lost))),
            BrokerFault::Away { .. }
            | BrokerFault::ServerTooOld { .. }
            | BrokerFault::AccessUnreadable { .. }
            | BrokerFault::Unauthorized
            | BrokerFault::TlsFailed { .. }
            | BrokerFault::Forbidden { .. }
            | BrokerFault::StreamUnfit { .. }
            | BrokerFault::ForeignMessage { .. }
            | BrokerFault::Refused { .. } => return Err(lost),
        };
        if told.is_break() {
            return Ok(());
        }
        sleep(DELAY).await;
    }
}

/// How far was heard.
struct Follower<'a> {
    subjects: &'a [String],
    /// The place in the stream where it goes on, once that is known.
    next: Option<u64>,
    /// When the stream was made that this is a place in.
    made: Option<String>,
    /// Whether it was told that there is no stream.
    is_absent: bool,
}

impl Follower<'_> {
    /// Hears on one connection, until it breaks off or is told to end.
    async fn session(
        &mut self,
        connection: Connection,
        start: &Start,
        hear: &mut impl FnMut(Heard) -> ControlFlow<()>,
    ) -> Result<(), BrokerFault> {
        let reached = &Reached::over(connection).await?;
        if !reached.is_there() {
            // All that a stream will have that is not there yet comes after now.
            self.next = self.next.or((*start == Start::Now).then_some(1));
            let is_new = !std::mem::replace(&mut self.is_absent, true);
            return match is_new.then(|| hear(Heard::NoStream)) {
                Some(ControlFlow::Break(())) => Ok(()),
                Some(ControlFlow::Continue(())) | None => Err(BrokerFault::Moved),
            };
        }
        if self.goes_on_anew(reached) && hear(Heard::MadeAnew).is_break() {
            return Ok(());
        }
        let place = self.place(reached, start);
        let mut reading = reached.read(&place, self.subjects, Contents::Whole).await?;
        if hear(Heard::Following).is_break() {
            return Ok(());
        }
        loop {
            let message = reading.next().await?;
            self.next = Some(message.sequence.saturating_add(1));
            if hear(Heard::Event(message.body)).is_break() {
                return Ok(());
            }
        }
    }

    /// Whether the stream is not the one that was followed. A stream that ends before what was
    /// heard goes on where it ends.
    fn goes_on_anew(&mut self, reached: &Reached) -> bool {
        let made = reached.made();
        let is_other = self.made.is_some() && self.made != made;
        self.made = made;
        if is_other {
            self.next = Some(1);
            return true;
        }
        let end = reached.last_sequence().saturating_add(1);
        let is_behind = self.next.is_some_and(|next| next > end);
        if is_behind {
            self.next = Some(end);
        }
        is_behind
    }

    fn place(&mut self, reached: &Reached, start: &Start) -> Place {
        let next = match (self.next, start) {
            (Some(next), _) => next,
            (None, Start::First) => 1,
            (None, Start::Now) => reached.last_sequence().saturating_add(1),
            (None, Start::NewestOfEach) => return Place::NewestOfEach,
            (None, Start::Since(time)) => return Place::Since(time.clone()),
        };
        self.next = Some(next);
        Place::At(next)
    }
}

/// An error and all that led to it, for a person.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors say their cause themselves.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_in_each_ledger_has_a_subject() {
        let texts = |all: &[&str]| -> Vec<String> { all.iter().map(|&text| text.into()).collect() };
        for (ledgers, accounts, expected) in [
            (&[][..], &[][..], &["tallyhook.balances.*.*"][..]),
            (&["main"], &[], &["tallyhook.balances.main.*"]),
            (&[], &["jo@x"], &["tallyhook.balances.*.jo=40x"]),
            (
                &["a", "b"],
                &["x", "y"],
                &[
                    "tallyhook.balances.a.x",
                    "tallyhook.balances.a.y",
                    "tallyhook.balances.b.x",
                    "tallyhook.balances.b.y",
                ],
            ),
        ] {
            assert_eq!(subjects(&texts(ledgers), &texts(accounts)), expected);
        }
    }
}
