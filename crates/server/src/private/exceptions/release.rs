//! Releases: a quarantined record is decided again, as its bytes read now.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{
    decision::Outcome,
    ids::{AccountId, EventKey, LedgerId, Sequence},
    input::{Delivery, Input, Order},
    notice::Notice,
    refusal::Refusal,
};
use ingestion::{
    pointer::Pointer,
    read::{Reading, reread},
    source::Provider,
};
use serde::Deserialize;

use super::{ended, known};
use crate::{
    config::Role,
    private::{
        Api,
        accounts::record,
        blocking, fault,
        records::kept,
        request::text,
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    reason: String,
}

/// Decides a quarantined record again, as its bytes read now.
pub(super) async fn release(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ReleaseBody) = asked.read(&api, Role::Operate).await?;
    let reason = text("reason", &body.reason)?;
    let ledger = step.caller.ledger.clone();
    let exception = known(&api, &ledger, step.part("exception"))?.exception;
    let (shared, record) = (Arc::clone(&api), exception.id.sequence);
    let read = blocking(move || read_again(&shared, &ledger, record));
    let (recorded, delivery) = read.await?;
    let account = concerned(&api, &step.caller.ledger, &delivery)?;
    let (event, delivery) = (recorded.event, Box::new(delivery));
    let order = Order::Release { record, event, delivery, reason };
    ended(&api, step, &exception, account.as_ref(), order).await
}

/// A quarantined delivery as it was recorded, and as its bytes read with the settings in force.
fn read_again(
    api: &Api,
    ledger: &LedgerId,
    sequence: Sequence,
) -> Result<(Delivery, Delivery), Problem> {
    let record = record(&*api.log, ledger, sequence)?;
    let (Input::Delivery(recorded), Outcome::Quarantined(_)) =
        (record.input, record.decision.outcome)
    else {
        return Err(Refusal::NotQuarantined.into());
    };
    let body = kept(&*api.log, ledger, sequence)?;
    let body = body.filter(|body| !body.is_empty()).ok_or_else(|| {
        Problem::from(Refusal::StillUnreadable { detail: Arc::from("its bytes are not kept") })
    })?;
    let settings = api.projections.book(ledger).map_err(|error| fault(&error))?.settings;
    let pointers = settings.map(|settings| settings.account_from).unwrap_or_default();
    let account_from: Vec<Pointer> =
        pointers.iter().filter_map(|text| Pointer::new(text.as_str()).ok()).collect();
    let (EventKey::Event { origin, .. } | EventKey::Body { origin, .. }) = &recorded.event;
    let reading = Reading {
        provider: Provider::Paddle,
        source: &recorded.source,
        origin,
        account_from: &account_from,
    };
    let delivery = reread(&reading, &body, &recorded);
    Ok((*recorded, delivery))
}

/// The account that a delivery would change: its payment's, or the one that it names.
fn concerned(
    api: &Api,
    ledger: &LedgerId,
    delivery: &Delivery,
) -> Result<Option<AccountId>, Problem> {
    let (payment, named) = match &delivery.notice {
        Ok(Notice::Purchase(purchase)) => (&purchase.payment, purchase.account.clone()),
        Ok(Notice::Adjustment(adjustment)) => (&adjustment.payment, None),
        Ok(Notice::Nothing) | Err(_) => return Ok(None),
    };
    let known = api.projections.payment(ledger, payment).map_err(|error| fault(&error))?;
    Ok(known.and_then(|(payment, _)| payment.account).or(named))
}
