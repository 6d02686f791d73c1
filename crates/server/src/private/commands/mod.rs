//! What callers ask for besides refund cases, imports and policies.
//!
//! In the order of the credits' life: [`credits`] gives and forgives them, [`spending`] uses them,
//! [`holds`] reserves them, [`standing`] freezes and closes accounts, [`assignments`] says whose
//! payments are and ends their disputes. Each handler is built on [`super::step`]:
//!
//! ```text
//! let (step, body): (Step<'_>, Body) = asked.read(&api, Role::Spend).await?;
//! let order = Order::Debit { account: step.account()?, amount: step.amount(&body.amount)?, .. };
//! let done = step.submit(order).await?;        // or submit_about(&account, order)
//! done.created(json!({"amount": body.amount})) // or stepped(..): adds id, sequence, available
//! ```

mod assignments;
mod credits;
mod holds;
mod metadata;
mod spending;
mod standing;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};
use domain::usage::Part;
use serde_json::{Value, json};

use super::Api;

/// The routes of commands, under a ledger.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/accounts/{account}/debits", post(spending::debit))
        .route("/accounts/{account}/returns", post(spending::make_good))
        .route("/accounts/{account}/holds", post(holds::place))
        .route("/accounts/{account}/holds/{hold}", get(holds::show))
        .route("/accounts/{account}/holds/{hold}/capture", post(holds::capture))
        .route("/accounts/{account}/holds/{hold}/release", post(holds::release))
        .route("/accounts/{account}/grants", post(credits::grant))
        .route("/accounts/{account}/write-offs", post(credits::write_off))
        .route("/accounts/{account}/freezes", post(standing::freeze))
        .route("/accounts/{account}/freezes/{freeze}", delete(standing::unfreeze))
        .route("/accounts/{account}/freezes/{freeze}/clear", post(standing::clear))
        .route("/accounts/{account}/close", post(standing::close))
        .route("/accounts/{account}/customers", post(assignments::customer))
        .route("/payments/{payment}/assign", post(assignments::payment))
        .route("/payments/{payment}/disputes/{cause}/conclude", post(assignments::conclude))
}

/// Amounts by lot.
pub(super) fn parts<'p>(parts: impl IntoIterator<Item = &'p Part>) -> Value {
    let part =
        |part: &Part| json!({"lot": part.lot.to_string(), "amount": part.amount.to_string()});
    Value::Array(parts.into_iter().map(part).collect())
}
