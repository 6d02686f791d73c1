//! What operators do about exceptions: decide a quarantined record again, or put a note to it.

use std::sync::Arc;

use crate::{
    decide::{
        command::{Stop, Work},
        delivery,
    },
    decision::Effect,
    exception::ExceptionId,
    ids::{EventKey, Sequence},
    input::{Delivery, Mode, Reality},
    refusal::Refusal,
};

impl Work<'_, '_> {
    /// Rule 9: a simulated event never acts in a live ledger.
    pub(super) fn release(
        &mut self,
        record: Sequence,
        event: &EventKey,
        delivery: &Delivery,
    ) -> Result<(), Stop> {
        let prior = self.context.state.event(event)?;
        let prior = prior.filter(|prior| prior.sequence == record);
        let reason = prior.and_then(|prior| prior.quarantined).ok_or(Refusal::NotQuarantined)?;
        if self.draft.release(&record)?.is_some() {
            return Err(Refusal::NotQuarantined.into());
        }
        let settings = self.context.state.book.settings.as_ref();
        let live = settings.is_none_or(|settings| settings.mode == Mode::Live);
        if live && delivery.reality == Reality::Simulated {
            return Err(Refusal::SimulatedInLive.into());
        }
        if let Err(unreadable) = &delivery.notice {
            return Err(Refusal::StillUnreadable { detail: Arc::clone(&unreadable.detail) }.into());
        }
        self.draft.push(Effect::Released(record))?;
        let id = ExceptionId { sequence: record, kind: delivery::kind(reason) };
        if self.draft.exception(&id)?.is_some_and(|filed| filed.ended.is_none()) {
            self.draft.push(Effect::Cleared(id))?;
        }
        self.policy = delivery::learn(self.context, &mut self.draft, delivery)?;
        Ok(())
    }

    pub(super) fn resolve(&mut self, id: ExceptionId) -> Result<(), Stop> {
        let filed = self.draft.exception(&id)?.ok_or(Refusal::ExceptionUnknown)?;
        if filed.ended.is_some() {
            return Err(Refusal::ExceptionEnded.into());
        }
        self.draft.push(Effect::Resolved(id))?;
        Ok(())
    }
}
