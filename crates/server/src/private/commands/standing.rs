//! Whether an account may act: operators' freezes, single measures, closing.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{
    account::FreezeId,
    ids::{Origin, PaymentId, PaymentKey},
    input::Order,
    payment::Clearable,
    refusal::Refusal,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::Role,
    private::{
        Api,
        request::{MeasuresBody, cause, measures, operation, text},
        step::{Asked, Step},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeBody {
    reason: String,
    measures: MeasuresBody,
}

pub(super) async fn freeze(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, FreezeBody) = asked.read(&api, Role::Operate).await?;
    let account = step.account()?;
    let (reason, measures) = (text("reason", &body.reason)?, measures(&body.measures)?);
    step.submit(Order::Freeze { account, reason, measures }).await?.created(json!({}))
}

/// Ends an operator's freeze. Without a key, the freeze itself is the key: it ends once.
pub(super) async fn unfreeze(
    State(api): State<Arc<Api>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let step = asked.end(&api, Role::Operate, "unfreeze")?;
    let (account, freeze) = (step.account()?, step.operation("freeze", Refusal::FreezeUnknown)?);
    step.submit(Order::Unfreeze { account, freeze }).await?.stepped(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClearBody {
    measure: String,
    reason: String,
}

/// Ends one measure of an open cause.
pub(super) async fn clear(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ClearBody) = asked.read(&api, Role::Operate).await?;
    let (account, reason) = (step.account()?, text("reason", &body.reason)?);
    let measure = match body.measure.as_str() {
        "verification" => Clearable::Verification,
        "service" => Clearable::Service,
        _ => return Err(Problem::malformed("measure is \"verification\" or \"service\"")),
    };
    let freeze = freeze_id(step.part("freeze")).ok_or(Refusal::MeasureUnknown)?;
    let fields = json!({"freeze": freeze.to_string(), "measure": body.measure});
    let order = Order::ClearMeasure { account, freeze, measure, reason };
    step.submit(order).await?.stepped(fields)
}

/// A freeze as its account shows it: an operator's command, or origin, payment and cause.
fn freeze_id(text: &str) -> Option<FreezeId> {
    if let Some(id) = operation(text) {
        return Some(FreezeId::Operator(id));
    }
    let (origin, rest) = text.split_once('/')?;
    // An id of a payment may have slashes itself.
    let (payment, name) = rest.rsplit_once('/')?;
    let (origin, id) = (Origin::new(origin).ok()?, PaymentId::new(payment).ok()?);
    Some(FreezeId::Dispute { payment: PaymentKey { origin, id }, cause: cause(name)? })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseBody {
    reason: String,
}

/// Closes an account for ever.
pub(super) async fn close(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, CloseBody) = asked.read(&api, Role::Operate).await?;
    let (account, reason) = (step.account()?, text("reason", &body.reason)?);
    step.submit(Order::Close { account, reason }).await?.stepped(json!({}))
}

#[cfg(test)]
mod tests {
    use domain::{
        account::{DisputeCause, FreezeId},
        ids::{Origin, PaymentId, PaymentKey},
    };

    use super::freeze_id;

    #[test]
    fn a_freeze_is_read_as_it_is_shown() {
        let payment = |id: &str| PaymentKey {
            origin: Origin::new("paddle").unwrap(),
            id: PaymentId::new(id).unwrap(),
        };
        for freeze in [
            FreezeId::Dispute { payment: payment("txn_1"), cause: DisputeCause::Warning },
            FreezeId::Dispute { payment: payment("a/b"), cause: DisputeCause::Chargeback },
            FreezeId::Operator(domain::ids::OperationId(uuid::Uuid::NAMESPACE_URL)),
        ] {
            assert_eq!(freeze_id(&freeze.to_string()), Some(freeze));
        }
        for bad in ["", "x", "paddle/chargeback", "paddle//warning", "P/x/warning", "paddle/x/y"] {
            assert_eq!(freeze_id(bad), None, "{bad}");
        }
    }
}
