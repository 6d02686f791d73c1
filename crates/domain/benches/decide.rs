//! What deciding one input costs, loading and storing apart.
//!
//! `cargo bench -p domain` prints the median of 101 batches, in microseconds an input, over an
//! account that bought 1, 8 and 64 times. A refund and a chargeback name its oldest payment.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    sync::Arc,
    time::Instant,
};

use domain::{
    apply::{ApplyFault, apply},
    calendar::{Calendar, Weekday, Zone},
    case::Application,
    credits::Credits,
    decide::{Verdict, decide},
    entities::Key,
    ids::{
        AccountId, Actor, AdjustmentId, Digest, EventId, EventKey, IdempotencyKey, LedgerId,
        OperationId, Origin, PaymentId, PaymentKey, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Order, Reality, Signature, Usage,
    },
    money::{Currency, Minor},
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status},
    policy::{Measures, Policy, Returns, Shortfall, Unlisted, UsageRules},
    record::Record,
    refunds::{QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
    state::{Book, Missing, State},
    time::Timestamp,
    usage::Metadata,
};

const BATCHES: usize = 101;
const BATCH: u32 = 200;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    for lots in [1, 8, 64] {
        let mut ledger = Ledger::new()?;
        for number in 0..lots {
            ledger.record(&purchase(number)?)?;
        }
        let hold = command("hold", hold()?)?;
        let held = OperationId::of(&ledger.state.ledger, &IdempotencyKey::new("hold")?);
        let inputs = [
            ("purchase", purchase(lots)?),
            ("debit", command("debit", debit("0.5")?)?),
            ("debit of all lots", command("all", debit(&lots.to_string())?)?),
            ("hold", hold.clone()),
            ("refund", adjustment(Action::Refund)?),
            ("chargeback", adjustment(Action::Chargeback)?),
            ("refund case", command("case", case()?)?),
        ];
        for (name, input) in &inputs {
            println!("{lots:>3} lots  {name:<18} {:>6.2} us", ledger.median(input)?);
        }
        ledger.record(&hold)?;
        let capture = command("capture", capture(held)?)?;
        println!("{lots:>3} lots  {:<18} {:>6.2} us", "capture", ledger.median(&capture)?);
    }
    Ok(())
}

struct Ledger {
    state: State,
    now: Timestamp,
}

impl Ledger {
    fn new() -> Fallible<Self> {
        let state = State::new(LedgerId::new("main")?, Book::empty());
        let mut ledger = Self { state, now: moment()? };
        let (policy, file) = (Arc::new(policy()?), Digest([0; 32]));
        ledger.record(&command("policy", Order::ActivatePolicy { policy, file })?)?;
        Ok(ledger)
    }

    /// Loads what an input needs, which is not measured, and gives its verdict.
    fn verdict(&mut self, input: &Input) -> Verdict {
        loop {
            match decide(&self.state, input, self.now) {
                Ok(verdict) => return verdict,
                Err(missing) => self.nothing_there(missing),
            }
        }
    }

    fn record(&mut self, input: &Input) -> Fallible<()> {
        let Verdict::Record(decision) = self.verdict(input) else {
            return Err(format!("not recorded: {input:?}").into());
        };
        let (sequence, recorded_at) = (self.state.book.next_sequence(), self.now);
        let record = Record { sequence, recorded_at, input: input.clone(), decision };
        loop {
            match apply(&mut self.state, &record) {
                Ok(_) => return Ok(()),
                Err(ApplyFault::Missing(missing)) => self.nothing_there(missing),
                Err(ApplyFault::Contradiction(found)) => return Err(found.into()),
            }
        }
    }

    fn nothing_there(&mut self, Missing(key): Missing) {
        if self.state.entities.put(&key, None) {
        } else if let Key::Event(event) = key {
            self.state.events.insert(event, None);
        } else if let Key::Command(key) = key {
            self.state.commands.insert(key, None);
        }
    }

    #[expect(clippy::float_arithmetic, reason = "a time to print, no money")]
    fn median(&mut self, input: &Input) -> Fallible<f64> {
        let Verdict::Record(_) = self.verdict(input) else {
            return Err(format!("not decided: {input:?}").into());
        };
        let mut batches = Vec::with_capacity(BATCHES);
        for _ in 0..BATCHES {
            let start = Instant::now();
            for _ in 0..BATCH {
                let _ = black_box(decide(&self.state, black_box(input), self.now));
            }
            batches.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH));
        }
        batches.sort_by(f64::total_cmp);
        batches.get(BATCHES / 2).copied().ok_or_else(|| "no batches".into())
    }
}

fn moment() -> Fallible<Timestamp> {
    Timestamp::parse("2026-07-03T00:00:00Z").ok_or_else(|| "a moment".into())
}

fn usd() -> Fallible<Currency> {
    Currency::new("USD").ok_or_else(|| "a currency".into())
}

fn minor(amount: i64) -> Fallible<Minor> {
    Minor::new(amount).ok_or_else(|| "an amount".into())
}

fn payment(number: u32) -> Fallible<PaymentKey> {
    let id = PaymentId::new(&format!("txn_{number:026}"))?;
    Ok(PaymentKey { origin: Origin::new("paddle")?, id })
}

fn command(key: &str, order: Order) -> Fallible<Input> {
    let key = IdempotencyKey::new(key)?;
    let id = OperationId::of(&LedgerId::new("main")?, &key);
    let (actor, request) = (Actor::new("bench")?, Digest([1; 32]));
    Ok(Input::Command(Box::new(Command { key, id, actor, request, order })))
}

fn debit(amount: &str) -> Fallible<Order> {
    let (account, amount) = (AccountId::new("alice")?, Credits::parse(amount, 6)?);
    Ok(Order::Debit { account, amount, usage: Usage::Asked, metadata: Metadata::NONE })
}

fn hold() -> Fallible<Order> {
    let (account, amount) = (AccountId::new("alice")?, Credits::parse("0.5", 6)?);
    Ok(Order::Hold { account, amount, expires_in_seconds: 60 })
}

fn capture(hold: OperationId) -> Fallible<Order> {
    let (account, amount) = (AccountId::new("alice")?, Credits::parse("0.25", 6)?);
    Ok(Order::Capture { account, hold, amount, metadata: Metadata::NONE })
}

fn case() -> Fallible<Order> {
    let (account, reason) = (AccountId::new("alice")?, Text::new("duplicate")?);
    let application = Application::EMPTY;
    Ok(Order::OpenCase { account, payment: payment(0)?, reason, application })
}

fn purchase(number: u32) -> Fallible<Input> {
    let basket = Basket {
        currency: usd()?,
        subtotal: minor(100)?,
        discount: Minor::ZERO,
        tax: minor(20)?,
        total: minor(120)?,
        lines: Vec::new(),
    };
    let notice = Notice::Purchase(Purchase {
        payment: payment(number)?,
        occurred_at: moment()?,
        account: Some(AccountId::new("alice")?),
        customer: None,
        progress: Progress::Completed(basket),
    });
    delivery(&format!("evt_{number:026}"), notice)
}

fn adjustment(action: Action) -> Fallible<Input> {
    let notice = Notice::Adjustment(Adjustment {
        id: AdjustmentId::new("adj_1")?,
        payment: payment(0)?,
        occurred_at: moment()?,
        filed_at: moment()?,
        action,
        status: Status::Approved,
        extent: Extent::Partial,
        currency: usd()?,
        subtotal: minor(50)?,
        total: minor(60)?,
        lines: Vec::new(),
        customer: None,
    });
    delivery("evt_adjustment", notice)
}

fn delivery(event: &str, notice: Notice) -> Fallible<Input> {
    let signed_at = moment()?;
    Ok(Input::Delivery(Box::new(Delivery {
        source: SourceName::new("paddle")?,
        event: EventKey::Event { origin: Origin::new("paddle")?, id: EventId::new(event)? },
        event_type: None,
        occurred_at: Some(signed_at),
        received_at: signed_at,
        body: Digest([2; 32]),
        content: Digest([3; 32]),
        evidence: Evidence::Signed(Signature {
            header: Arc::from("ts=1;h1=2"),
            secret: [0; 4],
            signed_at,
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(notice),
    })))
}

fn policy() -> Fallible<Policy> {
    Ok(Policy {
        name: Text::new("bench")?,
        version: 1,
        effective_from: moment()?,
        unit: Text::new("USD")?,
        decimals: 6,
        rates: BTreeMap::from([(usd()?, Credits::parse("1", 6)?)]),
        prices: BTreeMap::new(),
        unlisted: Unlisted::Ignore,
        spend_first: LotKind::Gift,
        shortfall: Shortfall::Owed,
        settle_owed: true,
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
        usage: UsageRules { metadata: BTreeSet::new(), returns: Returns::Allow },
        refunds: Some(refunds()?),
    })
}

fn refunds() -> Fallible<Refunds> {
    let reason = Reason {
        verdict: ReasonVerdict::Review,
        rule: Text::new("N2")?,
        facts: BTreeSet::new(),
        within_days: None,
        unused: false,
        remedy: Remedy::Refund,
        despite: BTreeSet::new(),
    };
    Ok(Refunds {
        facts: BTreeSet::new(),
        review_business_days: 7,
        calendar: Calendar {
            zone: Zone::named("Asia/Shanghai").ok_or("a zone")?,
            weekend: [Weekday::Saturday, Weekday::Sunday].into(),
            holidays: BTreeSet::new(),
            working_days: BTreeSet::new(),
        },
        denials: BTreeMap::new(),
        reasons: BTreeMap::from([(Text::new("duplicate")?, reason)]),
        quote: QuoteRules {
            tax: true,
            channel_fee: None,
            invoice_tax: None,
            gift_used: true,
            promotion: true,
            third_party_costs: true,
        },
    })
}
