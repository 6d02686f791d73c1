//! What the provider sends: its bodies, signed, and what others send in its name.

use std::sync::LazyLock;

use domain::{
    ids::{EventKey, Origin, SourceName},
    input::{Delivery, Freshness, Reality, UnreadableFault},
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status},
    time::Timestamp,
};
use ingestion::{
    paddle::{self, HEADER},
    pointer::Pointer,
    read::read,
    secret::Secret,
    source::{Provider, Source},
    verify::{Headers, SignatureFault, verify},
};
use serde_json::{Value, json};

/// What must never be seen outside of the bodies.
pub(crate) const PERSON: &str = "jo@person.example";
/// What must never be seen at all: the secret in force, the one before it, and a stranger's.
pub(crate) const SECRETS: [&str; 3] = ["pdl_now_s3cr3t", "pdl_old_s3cr3t", "pdl_stranger"];

/// How old a delivery may be, and how far ahead, in microseconds: as the courses' settings say.
const TOLERANCE: i64 = 300_000_000;
const AHEAD: i64 = 60_000_000;

static KEYS: LazyLock<[Secret; 3]> =
    LazyLock::new(|| SECRETS.map(|text| Secret::new(text).expect("the secret is not empty")));

static SOURCE: LazyLock<Source> = LazyLock::new(|| {
    let [now, old, _] = &*KEYS;
    Source {
        name: SourceName::new("paddle").expect("the name is plain"),
        origin: Origin::new("paddle").expect("the name is plain"),
        provider: Provider::Paddle,
        secrets: vec![now.clone(), old.clone()],
        tolerance_seconds: Some(300),
        future_seconds: 60,
        account_from: vec![
            Pointer::new("/data/custom_data/account_id").expect("the pointer is one"),
        ],
    }
});

/// Where deliveries come in.
pub(crate) fn source() -> &'static Source {
    &SOURCE
}

/// An event that the provider sends, until it is acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// What it says, as the course has it.
    pub(crate) event: Delivery,
    pub(crate) signing: Signing,
    /// Whether it is signed with the secret before the one in force.
    pub(crate) older_secret: bool,
}

/// When a delivery was signed, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// As it is sent.
    Now,
    /// An hour before: somebody kept it and sends it again.
    AnHourAgo,
    /// By a clock that is ahead.
    Ahead,
}

/// How a delivery is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    StrangersSecret,
    OtherBody,
    OtherTime,
    NoHeader,
    TwoHeaders,
}

impl Sent {
    /// What arrives when it is sent now, by the clock of the program; checked against what it is.
    pub(crate) fn arrive(
        &self,
        (time, clock): (Timestamp, Timestamp),
        attempt: u32,
    ) -> Result<(Delivery, Vec<u8>), String> {
        let body = body(&self.event, attempt).into_bytes();
        let [now, old, _] = &*KEYS;
        let signed_at = self.signed_at(time);
        let header = paddle::sign(if self.older_secret { old } else { now }, signed_at, &body);
        let headers = [(HEADER, header.as_bytes())];
        let verified = verify(source(), Headers(&headers), &body, clock)
            .map_err(|fault| format!("a genuine delivery was refused: {fault}"))?;
        let read = read(source(), &verified, clock);
        self.is(&read, clock.micros() - signed_at * 1_000_000)?;
        Ok((read, body))
    }

    /// What becomes of a forged delivery.
    pub(crate) fn forged(
        &self,
        forgery: Forgery,
        (time, clock): (Timestamp, Timestamp),
    ) -> Result<(), SignatureFault> {
        let mut body = body(&self.event, 0).into_bytes();
        let [now, _, strangers] = &*KEYS;
        let ts = self.signed_at(time);
        let mut header = paddle::sign(now, ts, &body);
        match forgery {
            Forgery::StrangersSecret => header = paddle::sign(strangers, ts, &body),
            Forgery::OtherBody => body.push(b' '),
            Forgery::OtherTime => {
                header = header.replace(&format!("ts={ts}"), &format!("ts={}", ts + 1));
            }
            Forgery::NoHeader | Forgery::TwoHeaders => {}
        }
        let one = (HEADER, header.as_bytes());
        let headers = match forgery {
            Forgery::NoHeader => vec![],
            Forgery::TwoHeaders => vec![one, one],
            Forgery::StrangersSecret | Forgery::OtherBody | Forgery::OtherTime => vec![one],
        };
        verify(source(), Headers(&headers), &body, clock).map(drop)
    }

    fn signed_at(&self, time: Timestamp) -> i64 {
        match self.signing {
            Signing::Now => time.seconds(),
            Signing::AnHourAgo => time.seconds() - 3_600,
            Signing::Ahead => time.seconds() + 600,
        }
    }

    /// Whether what was read is what was sent.
    fn is(&self, read: &Delivery, age: i64) -> Result<(), String> {
        let fresh = if age > TOLERANCE {
            Freshness::Old
        } else if age < -AHEAD {
            Freshness::Future
        } else {
            Freshness::Fresh
        };
        let told = match (&self.event.notice, &read.notice) {
            (Ok(sent), Ok(read)) => sent == read,
            (Err(sent), Err(read)) => sent.fault == read.fault,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        let known = read.event == self.event.event || !is_json(&self.event);
        let real = read.reality == self.event.reality || !is_json(&self.event);
        if told && known && real && read.freshness == fresh {
            return Ok(());
        }
        Err(format!("what was read is not what was sent\n  sent {self:?}\n  read {read:?}"))
    }
}

/// Every second body that can't be read is not even JSON.
fn is_json(event: &Delivery) -> bool {
    let malformed = matches!(&event.notice, Err(unreadable)
        if unreadable.fault == UnreadableFault::Malformed);
    let EventKey::Event { id, .. } = &event.event else { return false };
    !(malformed && id.as_str().ends_with(['1', '3', '5', '7', '9']))
}

/// The body of one attempt, or of one destination: they differ in the notification's id.
fn body(event: &Delivery, attempt: u32) -> String {
    let EventKey::Event { id, .. } = &event.event else { return String::new() };
    let content = event.content.to_string();
    let revision = content.get(..12).unwrap_or_default();
    if !is_json(event) {
        return format!("{{ {id} {revision}");
    }
    let (kind, mut data) = match &event.notice {
        Ok(Notice::Purchase(purchase)) => paid(purchase),
        Ok(Notice::Adjustment(adjustment)) => adjusted(adjustment, id.as_str()),
        Ok(Notice::Nothing) => ("customer.updated", json!({"id": "ctm_1"})),
        Err(unreadable) => unreadable_data(unreadable.fault),
    };
    if let Some(fields) = data.as_object_mut() {
        fields.insert("revision".to_owned(), revision.into());
        fields.insert("customer".to_owned(), json!({"email": PERSON}));
    }
    let notification = match event.reality {
        Reality::Genuine => "ntf",
        Reality::Simulated => "ntfsimntf",
    };
    let occurred_at = event.occurred_at.unwrap_or(event.received_at);
    json!({
        "event_id": id.as_str(),
        "event_type": kind,
        "occurred_at": occurred_at.to_string(),
        "notification_id": format!("{notification}_{attempt}"),
        "data": data,
    })
    .to_string()
}

fn paid(purchase: &Purchase) -> (&'static str, Value) {
    let mut data = json!({
        "id": purchase.payment.id.as_str(),
        "customer_id": purchase.customer.as_ref().map(domain::ids::CustomerId::as_str),
        "custom_data": purchase.account.as_ref().map(|id| json!({"account_id": id.as_str()})),
    });
    let mut put = |key: &str, value: Value| {
        if let Some(fields) = data.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
    };
    let kind = match &purchase.progress {
        Progress::Unpaid(status) => {
            put("status", status.as_str().into());
            "transaction.updated"
        }
        Progress::Paid(basket) => {
            put("status", "paid".into());
            put("currency_code", basket.currency.code().into());
            put("details", details(basket));
            "transaction.paid"
        }
        Progress::Completed(basket) => {
            put("status", "completed".into());
            put("currency_code", basket.currency.code().into());
            put("details", details(basket));
            "transaction.completed"
        }
    };
    (kind, data)
}

fn details(basket: &Basket) -> Value {
    let lines: Vec<Value> = basket
        .lines
        .iter()
        .map(|line| {
            json!({
                "id": line.item.as_str(),
                "price_id": line.price.as_ref().map(domain::ids::PriceId::as_str),
                "quantity": line.quantity,
                "totals": {
                    "subtotal": line.subtotal.get().to_string(),
                    "discount": line.discount.get().to_string(),
                },
            })
        })
        .collect();
    json!({
        "totals": {
            "subtotal": basket.subtotal.get().to_string(),
            "discount": basket.discount.get().to_string(),
            "tax": basket.tax.get().to_string(),
            "total": basket.total.get().to_string(),
            "currency_code": basket.currency.code(),
        },
        "line_items": lines,
    })
}

/// Amounts of adjustments have a sign or none: it says nothing.
fn adjusted(fact: &Adjustment, event: &str) -> (&'static str, Value) {
    let sign = if event.ends_with(['0', '4', '8']) { -1 } else { 1 };
    let amount = |minor: domain::money::Minor| (sign * minor.get()).to_string();
    let items: Vec<Value> = fact
        .lines
        .iter()
        .map(|line| {
            json!({"item_id": line.item.as_str(), "totals": {"subtotal": amount(line.subtotal)}})
        })
        .collect();
    let data = json!({
        "id": fact.id.as_str(),
        "transaction_id": fact.payment.id.as_str(),
        "customer_id": fact.customer.as_ref().map(domain::ids::CustomerId::as_str),
        "action": action(fact.action),
        "status": status(fact.status),
        "type": match fact.extent {
            Extent::Full => Some("full"),
            Extent::Partial => Some("partial"),
            Extent::Unsaid => None,
        },
        "currency_code": fact.currency.code(),
        "created_at": fact.filed_at.to_string(),
        "totals": {"subtotal": amount(fact.subtotal), "total": amount(fact.total)},
        "items": items,
    });
    ("adjustment.updated", data)
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Refund => "refund",
        Action::Credit => "credit",
        Action::CreditReverse => "credit_reverse",
        Action::Chargeback => "chargeback",
        Action::ChargebackReverse => "chargeback_reverse",
        Action::Warning => "chargeback_warning",
        Action::WarningReverse => "chargeback_warning_reverse",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending_approval",
        Status::Approved => "approved",
        Status::Rejected => "rejected",
        Status::Reversed => "reversed",
    }
}

fn unreadable_data(fault: UnreadableFault) -> (&'static str, Value) {
    match fault {
        UnreadableFault::Malformed => ("transaction.paid", json!({"status": "paid"})),
        UnreadableFault::UnknownAction => (
            "adjustment.created",
            json!({"id": "adj_1", "transaction_id": "txn_1", "currency_code": "USD",
                "action": "magic"}),
        ),
        UnreadableFault::UnknownCurrency => {
            ("transaction.paid", json!({"id": "txn_1", "status": "paid", "currency_code": "XXQ"}))
        }
        UnreadableFault::AmountInvalid => (
            "transaction.paid",
            json!({"id": "txn_1", "status": "paid", "currency_code": "USD",
                "details": {"totals": {"subtotal": "12.5"}}}),
        ),
    }
}
