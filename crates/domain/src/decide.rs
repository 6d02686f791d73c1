//! What an input means: pure and total.
//!
//! [`decide`] reads the part of the state that was loaded and says what to record. Where it needs
//! more it names what is missing; the caller loads that and asks again with the same input.

mod assess;
mod case;
mod command;
mod delivery;
mod exception;
mod operate;
mod post;
mod settle;
mod spend;

use crate::{
    decision::{Decision, Effect, Outcome, RULES_VERSION},
    draft::{Draft, Fault},
    ids::{AccountId, Sequence},
    input::Input,
    policy::Policy,
    refusal::Refusal,
    state::{Missing, State},
    time::Timestamp,
};

/// What to do with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Record it with this decision.
    Record(Decision),
    /// A delivery of an event that is recorded already.
    Duplicate(Sequence),
    /// A delivery that contradicts an earlier one and is recorded already.
    KnownConflict(Sequence),
    /// A command that was carried out already.
    Replayed(Sequence),
    /// A command that is not carried out.
    Refused(Refusal),
}

/// Decides one input at the moment at which it will be recorded.
///
/// The same state, input and moment give the same verdict, always. A decision that fails its own
/// checks becomes the exception `undecided` with nothing moved; a command is then refused.
///
/// # Errors
/// The state lacks something that this input depends on.
pub fn decide(state: &State, input: &Input, now: Timestamp) -> Result<Verdict, Missing> {
    let context = Context { state, now, sequence: state.book.next_sequence() };
    match input {
        Input::Delivery(delivery) => delivery::decide(&context, delivery),
        Input::Command(command) => command::decide(&context, command),
    }
}

/// What to do with an input whose decision turned out to contradict the state: only our own bug can
/// do that, and one poisonous input must not stop the service.
#[must_use]
pub fn undecided(state: &State, input: &Input, now: Timestamp, what: &'static str) -> Verdict {
    let context = Context { state, now, sequence: state.book.next_sequence() };
    match input {
        Input::Delivery(delivery) => delivery::undecided(&context, delivery, what),
        Input::Command(_) => Verdict::Refused(Refusal::Undecided { what }),
    }
}

/// What every rule may look at.
struct Context<'s> {
    state: &'s State,
    now: Timestamp,
    sequence: Sequence,
}

impl Context<'_> {
    /// A draft over the state, for the next record.
    fn draft(&self) -> Draft<'_> {
        Draft::new(self.state, self.sequence, self.now)
    }

    /// The policy at a moment.
    fn policy(&self, at: Timestamp) -> Result<&Policy, Fault> {
        self.state.book.timeline.at(at).ok_or(Fault::Broken("no policy is in force"))
    }
}

/// The decision that a draft amounts to, once it passes its checks.
fn finish(draft: Draft<'_>, policy: Option<u32>, outcome: Outcome) -> Result<Decision, Fault> {
    for account in draft.own.accounts.values().flatten() {
        if !account.view.books.is_sound() {
            return Err(Fault::Broken("a part of a balance is below zero"));
        }
        if account.view.books != account.books()? {
            return Err(Fault::Broken("transfers and lots disagree"));
        }
        // What anyone computes of a balance stays in range: available, and all that is the
        // customer's.
        account.view.books.available()?.plus(account.view.books.held)?;
    }
    for holding in draft.own.holdings.values().flatten() {
        let taken = holding.refunded.plus(holding.charged_back)?;
        let granted = holding.granted();
        if taken.paid > granted.paid || taken.gift > granted.gift {
            return Err(Fault::Broken("more is taken than was granted"));
        }
    }
    let Draft { effects, transfers, .. } = draft;
    Ok(Decision { rules: RULES_VERSION, policy, outcome, effects, transfers })
}

/// Opens an account unless it is open.
fn open(draft: &mut Draft<'_>, account: &AccountId) -> Result<(), Fault> {
    match draft.account(account)? {
        Some(_) => Ok(()),
        None => draft.push(Effect::AccountOpened { account: account.clone() }),
    }
}

#[cfg(test)]
mod tests;
