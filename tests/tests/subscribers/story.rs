//! What happens to some accounts: purchases, usage, refunds, disputes, operators' orders.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tallyhook_tests::{
    home::SOURCE,
    paddle::{Delivery, Purchase},
    server::Server,
};

const JOE: &str = "joe+1@example.org";
const MIA: &str = "mia";
const SNOW: &str = "snow \u{2603}.*>";
const PROTO: &str = "__proto__";

/// The accounts, by names that are hard on subjects and on tables.
pub(crate) const ACCOUNTS: [&str; 4] = [JOE, MIA, SNOW, PROTO];

/// What makes one record.
pub(crate) enum Step {
    Webhook(Delivery),
    Order { path: &'static str, body: Value },
}

impl Step {
    /// Has it happen.
    pub(crate) fn play(&self, server: &Server, number: usize) -> Result<()> {
        let answer = match self {
            Self::Webhook(delivery) => server.deliver(SOURCE, delivery)?,
            Self::Order { path, body } => server.command(path, &format!("step-{number}"), body)?,
        };
        ensure!(answer.status < 300, "step {number}: {} {}", answer.status, answer.text());
        Ok(())
    }
}

/// The story; its last step changes one account.
pub(crate) fn steps() -> Result<Vec<Step>> {
    let bought =
        |number, account: &str, cents| Purchase { number, account: account.to_owned(), cents };
    let (of_joe, of_mia, of_snow) =
        (bought(1, JOE, 1_000), bought(2, MIA, 500), bought(3, SNOW, 2_000));
    let adjusted = |purchase: &Purchase, fixture, number, cents| {
        Delivery::of(&purchase.adjustment(fixture, number, cents)?).map(Step::Webhook)
    };
    let order = |path, body| Step::Order { path, body };
    Ok(vec![
        Step::Webhook(of_joe.delivery()?),
        Step::Webhook(of_mia.delivery()?),
        Step::Webhook(of_snow.delivery()?),
        order("joe+1@example.org/debits", json!({"amount": "2.25"})),
        order(
            "mia/grants",
            json!({"amount": "1.5", "kind": "gift", "label": "welcome", "reason": "new"}),
        ),
        adjusted(&of_mia, "adjustment.updated.refund-approved", 10, 200)?,
        adjusted(&of_joe, "adjustment.created.chargeback-warning", 11, 1_000)?,
        adjusted(&of_snow, "adjustment.created.chargeback", 12, 2_000)?,
        adjusted(&of_joe, "adjustment.created.chargeback-warning-reverse", 13, 1_000)?,
        order("mia/holds", json!({"amount": "0.5", "expires_in_seconds": 3_600})),
        order("mia/freezes", json!({"measures": {"spending": "suspend"}, "reason": "looked into"})),
        Step::Webhook(bought(4, PROTO, 1).delivery()?),
        order("__proto__/close", json!({"reason": "they left"})),
        Step::Webhook(bought(5, JOE, 333).delivery()?),
    ])
}
