//! Refund cases: opened, informed, decided; listed for whoever must look at them.

mod facts;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use domain::{
    case::Case,
    decision::{Decision, Effect},
    ids::{AccountId, LedgerId, OperationId, Text},
    input::{Approval, Order},
    refusal::Refusal,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::Value;

use self::facts::{Facts, application};
use super::{
    Api, access,
    accounts::query,
    blocking,
    case_form::{self, overdue},
    fault, json, money,
    page::{self, Page, Search},
    request::{operation, text},
    step::{Asked, Done, Step},
};
use crate::{config::Role, limits::CASES_SCANNED_MAX, path::Path, problem::Problem};

/// The routes of refund cases, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/accounts/{account}/refund-cases", post(open))
        .route("/cases", get(list))
        .route("/cases/{case}", get(show))
        .route("/cases/{case}/information", post(inform))
        .route("/cases/{case}/approve", post(approve))
        .route("/cases/{case}/deny", post(deny))
        .route("/cases/{case}/withdraw", post(withdraw))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenBody {
    payment: String,
    origin: Option<String>,
    reason: String,
    #[serde(default)]
    facts: Facts,
}

async fn open(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, OpenBody) = asked.read(&api, Role::Spend).await?;
    let (account, reason) = (step.account()?, text("reason", &body.reason)?);
    let found = step.payment(&body.payment, body.origin.as_deref())?;
    let currency = found.payment.currency.ok_or(Refusal::PaymentUnknown)?;
    let application = application(&body.facts, currency)?;
    let order = Order::OpenCase { account, payment: found.key, reason, application };
    let done = step.submit(order).await?;
    done.created(decided(&api, &done)?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InformBody {
    facts: Facts,
}

async fn inform(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, InformBody) = asked.read(&api, Role::Spend).await?;
    let case = of_path(&api, &step)?;
    let application = application(&body.facts, case.quote.currency)?;
    carried_out(&api, step, &case, Order::InformCase { case: case.id, application }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproveBody {
    amount: Option<String>,
    credits: Option<String>,
    note: Option<String>,
}

async fn approve(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, ApproveBody) = asked.read(&api, Role::Operate).await?;
    let note = note(body.note.as_deref())?;
    let case = of_path(&api, &step)?;
    let remedy = match (&body.amount, &body.credits) {
        (None, None) => None,
        (Some(amount), None) => {
            Some(Approval::Money(money::minor("amount", amount, case.quote.currency)?))
        }
        (None, Some(credits)) => Some(Approval::Credits(step.amount(credits)?)),
        (Some(_), Some(_)) => {
            return Err(Problem::malformed("approve an amount or credits, not both"));
        }
    };
    carried_out(&api, step, &case, Order::ApproveCase { case: case.id, remedy, note }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenyBody {
    note: String,
}

async fn deny(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, DenyBody) = asked.read(&api, Role::Operate).await?;
    let note = text("note", &body.note)?;
    let case = of_path(&api, &step)?;
    carried_out(&api, step, &case, Order::DenyCase { case: case.id, note }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawBody {
    note: Option<String>,
}

async fn withdraw(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
    let (step, body): (Step<'_>, WithdrawBody) = asked.read(&api, Role::Spend).await?;
    let note = note(body.note.as_deref())?;
    let case = of_path(&api, &step)?;
    carried_out(&api, step, &case, Order::WithdrawCase { case: case.id, note }).await
}

fn note(said: Option<&str>) -> Result<Option<Text>, Problem> {
    said.map(|note| text("note", note)).transpose()
}

async fn carried_out(
    api: &Api,
    step: Step<'_>,
    case: &Case,
    order: Order,
) -> Result<Response, Problem> {
    let done = step.submit_about(&case.account, order).await?;
    done.stepped(decided(api, &done)?)
}

/// The case as the record left it, so that a repeated request has the same answer.
fn decided(api: &Api, done: &Done) -> Result<Value, Problem> {
    let case = changed(done.decision()).ok_or_else(|| {
        tracing::error!("a step of a case changed no case");
        Problem::internal()
    })?;
    Ok(Value::Object(case_form::case(case, api.clock.now())))
}

fn changed(decision: &Decision) -> Option<&Case> {
    decision.effects.iter().rev().find_map(|effect| {
        if let Effect::CaseChanged(case) = effect { Some(&**case) } else { None }
    })
}

fn of_path(api: &Api, step: &Step<'_>) -> Result<Case, Problem> {
    known(api, &step.caller.ledger, step.part("case"))
}

fn known(api: &Api, ledger: &LedgerId, id: &str) -> Result<Case, Problem> {
    let id = operation(id).ok_or(Refusal::CaseUnknown)?;
    let case = api.projections.case(ledger, id).map_err(|error| fault(&error))?;
    case.ok_or_else(|| Refusal::CaseUnknown.into())
}

async fn show(
    State(api): State<Arc<Api>>,
    Path((ledger, case)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let case = known(&api, &caller.ledger, &case)?;
    json(StatusCode::OK, &case_form::case(&case, api.clock.now()))
}

/// The names of all statuses.
const STATUSES: [&str; 8] = [
    "needs-information",
    "in-review",
    "eligible",
    "approved",
    "corrected",
    "denied",
    "withdrawn",
    "refunded",
];

/// What a list of cases can be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<usize>,
    cursor: Option<String>,
    status: Option<String>,
    account: Option<String>,
    overdue: Option<bool>,
}

/// A filter as it is looked for.
struct Wanted {
    status: Option<String>,
    account: Option<AccountId>,
    overdue: Option<bool>,
    now: Timestamp,
}

impl Wanted {
    fn of(filter: &Filter, now: Timestamp) -> Result<Self, Problem> {
        let status = filter.status.clone();
        if status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
            let names = STATUSES.join(", ");
            return Err(Problem::query(format!("status is one of {names}")));
        }
        let account = filter.account.as_deref().map(access::account).transpose()?;
        Ok(Self { status, account, overdue: filter.overdue, now })
    }

    fn fits(&self, case: &Case) -> bool {
        self.status.as_deref().is_none_or(|status| status == case.status.name())
            && self.account.as_ref().is_none_or(|account| *account == case.account)
            && self.overdue.is_none_or(|asked| asked == overdue(case, self.now))
    }
}

/// A filtered page looks at a limited number of cases, so it may be empty and still go on.
async fn list(
    State(api): State<Arc<Api>>,
    Path(ledger): Path<String>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let caller = api.admit(&headers, &ledger, Role::Read)?;
    let filter = query(filter)?;
    let limit = page::limit(filter.limit)?;
    let after = page::after(filter.cursor.as_deref(), operation)?;
    let wanted = Wanted::of(&filter, api.clock.now())?;
    let (shared, ledger) = (Arc::clone(&api), caller.ledger);
    let search = Search { limit, scanned_max: CASES_SCANNED_MAX, after };
    let page = blocking(move || {
        let part = |after: Option<&OperationId>, most: usize| {
            shared.projections.cases(&ledger, after.copied(), most).map_err(|error| fault(&error))
        };
        let (found, next) = search.find(part, |case| case.id, |case| wanted.fits(case))?;
        let items = found.iter().map(|case| case_form::case(case, wanted.now)).collect();
        Ok(Page { items, next: next.map(|id| id.to_string()) })
    });
    json(StatusCode::OK, &page.await?)
}
