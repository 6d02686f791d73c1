//! Records and bodies as a ledger of Paddle purchases has them: for tests and the benchmark.

use std::sync::{Arc, LazyLock};

use domain::{
    credits::Credits,
    decision::{
        CreditBook, Decision, Effect, House, MoneyBook, Outcome, RULES_VERSION, Section, Transfer,
    },
    holding::{HoldingId, LotId, Terms},
    ids::{
        AccountId, Actor, CustomerId, Digest, EventId, EventKey, IdFault, IdempotencyKey, ItemId,
        LedgerId, OperationId, Origin, PaymentId, PaymentKey, PriceId, Sequence, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Order, Reality, Signature, Usage,
    },
    money::{Currency, Minor},
    notice::{Basket, Line, Notice, Progress, Purchase},
    policy::Shortfall,
    record::Record,
    time::Timestamp,
    usage::Metadata,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sha2::{Digest as _, Sha256};

const FIXTURE: &str = include_str!("../../../../tests/fixtures/paddle/transaction.completed.json");

/// The fixture as it comes over the wire: without white space between its values.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let mut quoted = false;
    let mut escaped = false;
    let keep = |c: &char| {
        if *c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = *c == '\\' && !escaped;
        quoted || !c.is_whitespace()
    };
    FIXTURE.chars().filter(keep).collect()
});

/// A body of Paddle's shape with ids, times, amounts and an account of its own.
fn body(number: u64, account: &str) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number);
    let salt: [u8; 8] = random.random();
    let amount: u32 = random.random_range(500..50_000);
    let clock = format!("T{:02}:{:02}:{:02}", amount % 24, amount % 60, number % 60);
    let text = TEMPLATE.replace("acct-demo", account);
    let text = text.replace("T09:05:14", &clock).replace("\"1000\"", &format!("\"{amount}\""));
    let text = text.replace("\"1200\"", &format!("\"{}\"", amount + amount / 5));
    with_own_ids(&text, salt).into_bytes()
}

/// Replaces the random part of every id, the same id always by the same; prices and products
/// stay.
fn with_own_ids(text: &str, salt: [u8; 8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_01k") {
        let (before, id) = rest.split_at(at);
        out.push_str(before);
        let (id, after) = id.split_at_checked(27).unwrap_or((id, ""));
        let shared = before.ends_with("pri") || before.ends_with("pro");
        match id.split_at_checked(8) {
            Some((time, own)) if !shared => {
                let mut hasher = Sha256::new();
                hasher.update(salt);
                hasher.update(own);
                let fresh = hex::encode(hasher.finalize());
                out.push_str(time);
                out.push_str(fresh.get(..own.len()).unwrap_or_default());
            }
            Some(_) | None => out.push_str(id),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A purchase of credits that was recorded and granted them: record and body.
///
/// # Errors
/// An id that is none.
pub(crate) fn purchase(
    number: u64,
    sequence: Sequence,
    account: &str,
) -> Result<(Record, Arc<[u8]>), IdFault> {
    let body: Arc<[u8]> = body(number, account).into();
    let at = Timestamp::EPOCH;
    let recorded_at =
        Timestamp::from_micros(i64::try_from(sequence.get()).unwrap_or(0) * 1000).unwrap_or(at);
    let origin = Origin::new("paddle")?;
    let payment =
        PaymentKey { origin: origin.clone(), id: PaymentId::new(&own_id("txn", number))? };
    let account = AccountId::new(account)?;
    let digest = Digest(Sha256::digest(&body).into());
    let delivery = Delivery {
        source: SourceName::new("paddle-live")?,
        event: EventKey::Event { origin, id: EventId::new(&own_id("evt", number))? },
        event_type: Some("transaction.completed".into()),
        occurred_at: Some(recorded_at),
        received_at: recorded_at,
        body: digest,
        content: digest,
        evidence: Evidence::Signed(Signature {
            header: format!("ts=1783328714;h1={digest}").into(),
            secret: [1, 2, 3, 4],
            signed_at: recorded_at,
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(Notice::Purchase(bought(number, &payment, &account, recorded_at)?)),
    };
    let decision = granted(&payment, &account, recorded_at);
    let input = Input::Delivery(Box::new(delivery));
    Ok((Record { sequence, recorded_at, input, decision }, body))
}

fn own_id(prefix: &str, number: u64) -> String {
    let fresh = hex::encode(Sha256::digest(number.to_le_bytes()));
    format!("{prefix}_01kwvas{}", fresh.get(..19).unwrap_or_default())
}

fn bought(
    number: u64,
    payment: &PaymentKey,
    account: &AccountId,
    occurred_at: Timestamp,
) -> Result<Purchase, IdFault> {
    let amount = Minor::new(1000).unwrap_or(Minor::ZERO);
    let line = Line {
        item: ItemId::new(&own_id("txnitm", number))?,
        price: Some(PriceId::new("pri_01kv5jqdf0ta11yh00kdem0004")?),
        quantity: 1,
        subtotal: amount,
        discount: Minor::ZERO,
    };
    let basket = Basket {
        currency: usd(),
        subtotal: amount,
        discount: Minor::ZERO,
        tax: Minor::ZERO,
        total: amount,
        lines: vec![line],
    };
    Ok(Purchase {
        payment: payment.clone(),
        occurred_at,
        account: Some(account.clone()),
        customer: Some(CustomerId::new(&own_id("ctm", number))?),
        progress: Progress::Completed(basket),
    })
}

fn usd() -> Currency {
    Currency::new("USD").unwrap_or_else(|| unreachable!("USD is in the list"))
}

fn granted(payment: &PaymentKey, account: &AccountId, since: Timestamp) -> Decision {
    let credits = Credits::from_billionths(1_000_000_000_000).unwrap_or(Credits::ZERO);
    let money = Minor::new(1000).unwrap_or(Minor::ZERO);
    let holding = HoldingId::Payment(payment.clone());
    let lot = LotId { holding: holding.clone(), kind: LotKind::Paid };
    let terms = Terms { account: account.clone(), since, shortfall: Shortfall::Owed, label: None };
    Decision {
        rules: RULES_VERSION,
        policy: Some(1),
        outcome: Outcome::Recorded,
        effects: vec![
            Effect::PaymentAssigned { payment: payment.clone(), account: account.clone() },
            Effect::HoldingOpened { holding, terms },
            Effect::Granted { lot, amount: credits },
            Effect::MoneyMoved {
                payment: payment.clone(),
                currency: usd(),
                received: money,
                reversed: Minor::ZERO,
            },
        ],
        transfers: vec![
            Transfer::Credits {
                debit: CreditBook::House(House::Sold),
                credit: CreditBook::Customer(account.clone(), Section::Paid),
                amount: credits,
            },
            Transfer::Money {
                debit: MoneyBook::Processor,
                credit: MoneyBook::Receipts,
                currency: usd(),
                amount: money,
            },
        ],
    }
}

/// Usage of credits that was carried out, by this idempotency key.
///
/// # Errors
/// An id that is none.
pub(crate) fn debit(
    ledger: &LedgerId,
    key: &str,
    sequence: Sequence,
    account: &str,
    body: &[u8],
) -> Result<Record, IdFault> {
    let account = AccountId::new(account)?;
    let key = IdempotencyKey::new(key)?;
    let amount = Credits::from_billionths(1).unwrap_or(Credits::ZERO);
    let command = Command {
        id: OperationId::of(ledger, &key),
        key,
        actor: Actor::new(Text::new("test")?.as_str())?,
        request: Digest(Sha256::digest(body).into()),
        order: Order::Debit {
            account: account.clone(),
            amount,
            usage: Usage::Asked,
            metadata: Metadata::NONE,
        },
    };
    let transfer = Transfer::Credits {
        debit: CreditBook::Customer(account, Section::Paid),
        credit: CreditBook::House(House::Used),
        amount,
    };
    let decision = Decision {
        rules: RULES_VERSION,
        policy: None,
        outcome: Outcome::Done,
        effects: Vec::new(),
        transfers: vec![transfer],
    };
    let recorded_at = Timestamp::from_micros(i64::try_from(sequence.get()).unwrap_or(0) * 1000);
    let recorded_at = recorded_at.unwrap_or(Timestamp::EPOCH);
    Ok(Record { sequence, recorded_at, input: Input::Command(Box::new(command)), decision })
}
