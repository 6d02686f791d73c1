//! The table of all kinds.

use serde_json::{Value, json};
use tallyhook_tests::{
    home,
    paddle::{self, Delivery, Purchase, put},
};

use super::Desk;

/// The most credits that there can be: what one yen buys here.
pub(super) const CREDITS_MAX: &str = "1000000000000000";

/// How a kind comes and goes. Each story has a number: its account and its payment have it too.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What the webhook that raises it is answered.
    pub(super) outcome: &'static str,
    /// Does what must come before, and gives that webhook.
    pub(super) raise: fn(&Desk, u64) -> Delivery,
    /// Which of the filters `account` and `payment` find it.
    pub(super) found_by: &'static [&'static str],
    /// The status and code of its release, where that is refused.
    pub(super) release: Option<(u16, &'static str)>,
    /// Removes the cause and gives the number of the record that did; none where nothing can.
    pub(super) remove: Option<fn(&Desk, u64) -> Value>,
}

const BOTH: &[&str] = &["account", "payment"];
const PAYMENT: &[&str] = &["payment"];

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "orphan",
        outcome: "recorded",
        raise: |_, n| signed(&credit(n, n + 1, 100)),
        found_by: PAYMENT,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| desk.delivered(&purchase(n))),
    },
    Kind {
        name: "unassigned",
        outcome: "recorded",
        raise: |_, n| {
            let nobody = changed(purchase(n), "/data/custom_data", Value::Null);
            signed(&changed(nobody, "/data/customer_id", Value::Null))
        },
        found_by: PAYMENT,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| {
            let body = json!({"account": account(n), "reason": "their mail says so"});
            desk.done(&format!("payments/{}/assign", payment(n)), &body)["sequence"].clone()
        }),
    },
    Kind {
        name: "conflict",
        outcome: "conflict",
        raise: |desk, n| {
            desk.delivered(&purchase(n));
            signed(&changed(purchase(n), "/data/details/totals/subtotal", json!("999")))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: None,
    },
    Kind {
        name: "stale",
        outcome: "quarantined",
        raise: |_, n| signed_at(paddle::now().unwrap() - 3_600, &purchase(n)),
        found_by: BOTH,
        release: None,
        remove: Some(|desk, n| desk.delivered(&purchase(n))),
    },
    Kind {
        name: "simulated",
        outcome: "quarantined",
        raise: |_, n| signed(&changed(purchase(n), "/event_id", json!(paddle::id("ntfsimevt", n)))),
        found_by: BOTH,
        release: Some((409, "simulated_in_live")),
        remove: None,
    },
    Kind {
        name: "malformed",
        outcome: "quarantined",
        raise: |_, n| signed_text(format!("no JSON at all: {n}")),
        found_by: &[],
        release: Some((422, "record_unreadable")),
        remove: None,
    },
    Kind {
        name: "unknown-action",
        outcome: "quarantined",
        raise: |_, n| signed(&changed(credit(n, n + 1, 100), "/data/action", json!("gift_card"))),
        found_by: &[],
        release: Some((422, "record_unreadable")),
        remove: None,
    },
    Kind {
        name: "unknown-currency",
        outcome: "quarantined",
        raise: |_, n| signed(&in_currency(purchase(n), "XAU")),
        found_by: &[],
        release: Some((422, "record_unreadable")),
        remove: None,
    },
    Kind {
        name: "amount-invalid",
        outcome: "quarantined",
        raise: |_, n| signed(&changed(purchase(n), "/data/details/totals/subtotal", json!("10.5"))),
        found_by: &[],
        release: Some((422, "record_unreadable")),
        remove: None,
    },
    Kind {
        name: "currency-mismatch",
        outcome: "recorded",
        raise: |desk, n| {
            desk.delivered(&purchase(n));
            let other = changed(credit(n, n + 1, 100), "/data/currency_code", json!("EUR"));
            signed(&changed(other, "/data/totals/currency_code", json!("EUR")))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| desk.delivered(&later(credit(n, n + 1, 100), n + 2))),
    },
    Kind {
        name: "account-mismatch",
        outcome: "recorded",
        raise: |desk, n| {
            desk.delivered(&purchase(n));
            let other = json!("another-account");
            signed(&changed(later(purchase(n), n + 1), "/data/custom_data/account_id", other))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: None,
    },
    Kind {
        name: "over-refund",
        outcome: "recorded",
        raise: |desk, n| {
            desk.delivered(&purchase(n));
            desk.delivered(&credit(n, n + 1, 700));
            signed(&credit(n, n + 2, 301))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| desk.delivered(&later(credit(n, n + 2, 300), n + 3))),
    },
    Kind {
        name: "unlisted-price",
        outcome: "recorded",
        raise: |_, n| signed(&in_currency(purchase(n), "EUR")),
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| {
            let listed = later(in_currency(purchase(n), "EUR"), n + 1);
            let price = "/data/details/line_items/0/price_id";
            desk.delivered(&changed(listed, price, json!("pri_listed")))
        }),
    },
    Kind {
        name: "paid-then-canceled",
        outcome: "recorded",
        raise: |desk, n| {
            desk.delivered(&purchase(n));
            signed(&changed(later(purchase(n), n + 1), "/data/status", json!("canceled")))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: Some(|desk, n| {
            let last = json!("2026-07-21T00:00:00Z");
            desk.delivered(&changed(later(purchase(n), n + 2), "/occurred_at", last))
        }),
    },
    Kind {
        name: "closed-account",
        outcome: "recorded",
        raise: |desk, n| {
            let grant = json!({"amount": "1", "kind": "gift", "reason": "a first look"});
            desk.done(&format!("accounts/{}/grants", account(n)), &grant);
            desk.done(&format!("accounts/{}/close", account(n)), &json!({"reason": "they left"}));
            signed(&purchase(n))
        },
        found_by: BOTH,
        release: Some((409, "not_quarantined")),
        remove: None,
    },
    Kind {
        name: "undecided",
        outcome: "quarantined",
        raise: |desk, n| {
            let first = Purchase { number: n + 1, account: account(n), cents: 1 };
            desk.delivered(&in_currency(first.body().unwrap(), "JPY"));
            assert_eq!(desk.server.account(&account(n)).unwrap()["available"], CREDITS_MAX);
            let second = Purchase { number: n, account: account(n), cents: 1 };
            signed(&in_currency(second.body().unwrap(), "JPY"))
        },
        found_by: BOTH,
        release: None,
        // Once there is room for them, the credits come.
        remove: Some(|desk, n| {
            desk.done(&format!("accounts/{}/debits", account(n)), &json!({"amount": CREDITS_MAX}));
            let open = desk.only(&format!("kind=undecided&account={}", account(n)));
            let path = format!("exceptions/{}/release", open["id"].as_str().unwrap());
            let released = desk.done(&path, &json!({"reason": "there is room now"}));
            assert_eq!(released["available"], CREDITS_MAX, "{released}");
            released["sequence"].clone()
        }),
    },
];

pub(super) fn account(n: u64) -> String {
    format!("acct-{n}")
}

pub(super) fn payment(n: u64) -> String {
    paddle::id("txn", n)
}

/// Ten dollars of a story's account.
pub(super) fn purchase(n: u64) -> Value {
    Purchase { number: n, account: account(n), cents: 1_000 }.body().unwrap()
}

/// A partial credit of a story's payment.
fn credit(n: u64, number: u64, cents: u64) -> Value {
    let bought = Purchase { number: n, account: account(n), cents: 1_000 };
    let body = bought.adjustment("adjustment.created.credit", number, cents).unwrap();
    changed(body, "/data/type", json!("partial"))
}

pub(super) fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    put(&mut body, pointer, value).unwrap();
    body
}

pub(super) fn in_currency(body: Value, currency: &str) -> Value {
    let body = changed(body, "/data/currency_code", json!(currency));
    changed(body, "/data/details/totals/currency_code", json!(currency))
}

/// The same thing as told by a later event.
fn later(body: Value, number: u64) -> Value {
    let body = changed(body, "/event_id", json!(paddle::id("evt", number)));
    changed(body, "/occurred_at", json!("2026-07-20T00:00:00Z"))
}

pub(super) fn signed(body: &Value) -> Delivery {
    signed_text(body.to_string())
}

fn signed_text(body: String) -> Delivery {
    Delivery::signed_by(&home::secret().unwrap(), paddle::now().unwrap(), body)
}

fn signed_at(at: i64, body: &Value) -> Delivery {
    Delivery::signed_by(&home::secret().unwrap(), at, body.to_string())
}
