//! What can happen to one account: generated deliveries about its payments, and commands between.
//!
//! A history is plain data. Its deliveries may arrive in any order and repeatedly; its commands
//! keep their slots. The same seed makes the same history.

pub(crate) mod deliveries;
pub(crate) mod policies;
pub(crate) mod print;

use std::sync::Arc;

use domain::{
    account::{DisputeCause, FreezeId},
    credits::Credits,
    ids::{
        AccountId, Actor, Digest, EventId, EventKey, IdempotencyKey, LedgerId, OperationId, Origin,
        PaymentId, PaymentKey, SourceName, Text,
    },
    input::{
        Command, Delivery, Evidence, Freshness, Input, LotKind, Mode, Order, Reality, Settings,
        Signature, Stale, Usage,
    },
    notice::Notice,
    payment::{Clearable, Conclusion},
    policy::Policy,
    time::Timestamp,
    usage::Metadata,
};

use crate::{dice::Dice, naive};

/// The first of the seconds at which providers say that things happened.
const FIRST_DAY: i64 = 1_768_435_200;
const DAY: i64 = 86_400;
/// When the policies are put in force: before anything happened.
const ACTIVATED: i64 = FIRST_DAY - 10 * DAY;
/// When the second version applies: in the middle of what happens.
const SECOND_VERSION: i64 = FIRST_DAY + 20 * DAY;
/// When the first slot is recorded: after everything happened.
const RECORDED: i64 = FIRST_DAY + 100 * DAY;

/// Deliveries about the payments of one account, and commands in between.
#[derive(Clone, Debug)]
pub struct History {
    /// What made it.
    pub seed: u64,
    /// The versions of the policy, all put in force before the first slot.
    pub policies: Vec<Arc<Policy>>,
    /// What the provider says: each event once, in no particular order.
    pub events: Vec<Event>,
    /// What comes when: a permutation says which event takes which of the deliveries' slots.
    pub slots: Vec<Slot>,
}

/// One event of the provider.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number, which its id is made of.
    pub number: u32,
    /// What it says.
    pub notice: Notice,
}

/// A place in a history.
#[derive(Clone, Debug)]
pub enum Slot {
    /// Some event arrives.
    Delivery,
    /// A command, with the number that its key is made of.
    Command(u32, Order),
}

/// The only ledger.
#[must_use]
pub fn ledger() -> LedgerId {
    LedgerId::new("main").expect("the name is plain")
}

/// The only account.
#[must_use]
pub fn account() -> AccountId {
    AccountId::new("alice").expect("the id is short")
}

/// A short text.
#[must_use]
pub fn text(text: &str) -> Text {
    Text::new(text).expect("the text is short and not empty")
}

/// An amount of so many billionths of a credit.
#[must_use]
pub fn credits(billionths: i128) -> Credits {
    Credits::from_billionths(billionths).expect("generated amounts are in range")
}

/// A moment.
#[must_use]
pub fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("generated moments are in range")
}

/// The payment with this number.
#[must_use]
pub fn payment(number: u32) -> PaymentKey {
    let id = PaymentId::new(&format!("txn_{number}")).expect("the id is short");
    PaymentKey { origin: origin(), id }
}

/// The moment at which a slot is recorded, after `repeats` repeated deliveries in it.
#[must_use]
pub fn recorded_at(slot: usize, repeats: usize) -> Timestamp {
    let offset = slot * 1_000 + repeats;
    seconds(RECORDED + i64::try_from(offset).expect("histories are short"))
}

/// The delivery of an event.
#[must_use]
pub fn delivery(event: &Event) -> Input {
    let id = EventId::new(&format!("evt_{}", event.number)).expect("the id is short");
    let occurred_at = match &event.notice {
        Notice::Purchase(purchase) => Some(purchase.occurred_at),
        Notice::Adjustment(adjustment) => Some(adjustment.occurred_at),
        Notice::Nothing => None,
    };
    Input::Delivery(Box::new(Delivery {
        source: SourceName::new("paddle").expect("the name is plain"),
        event: EventKey::Event { origin: origin(), id },
        event_type: None,
        occurred_at,
        received_at: seconds(RECORDED),
        body: digest(0, event.number),
        content: digest(1, event.number),
        evidence: Evidence::Signed(Signature {
            header: Arc::from("ts=0;h1=0"),
            secret: [0; 4],
            signed_at: seconds(RECORDED),
        }),
        freshness: Freshness::Fresh,
        reality: Reality::Genuine,
        notice: Ok(event.notice.clone()),
    }))
}

/// The command with this number.
#[must_use]
pub fn command(number: u32, order: Order) -> Input {
    let key = command_key(number);
    Input::Command(Box::new(Command {
        id: OperationId::of(&ledger(), &key),
        key,
        actor: Actor::new("tests").expect("the name is short"),
        request: digest(2, number),
        order,
    }))
}

/// The freeze that the command with this number makes.
#[must_use]
pub fn operator_freeze(number: u32) -> FreezeId {
    FreezeId::Operator(OperationId::of(&ledger(), &command_key(number)))
}

impl History {
    /// The history of a seed.
    #[must_use]
    pub fn generate(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let policies = policies::generate(&mut dice);
        let events = deliveries::generate(&mut dice, &policies);
        let mut slots: Vec<Slot> = events.iter().map(|_| Slot::Delivery).collect();
        let scale = scale(&policies, &events);
        let mut freezes = Vec::new();
        for number in 0..u32::try_from(dice.below(8)).expect("below eight") {
            let order = order(&mut dice, number, scale, &policies, &mut freezes);
            // A freeze stands before its end: commands keep their order.
            let after = slots.iter().rposition(|slot| matches!(slot, Slot::Command(..)));
            let first = after.map_or(0, |index| index + 1);
            let place = first + dice.below((slots.len() + 1 - first).min(4));
            slots.insert(place, Slot::Command(number, order));
        }
        Self { seed, policies, events, slots }
    }

    /// What puts the settings and the policies in force, before the first slot, and when.
    #[must_use]
    pub fn setup(&self) -> Vec<(Input, Timestamp)> {
        let settings = Order::Configure(Settings {
            mode: Mode::Live,
            stale: Stale::Accept,
            account_from: vec![text("/data/custom_data/account_id")],
            tolerance_seconds: Some(300),
            future_seconds: 60,
        });
        let activations = self.policies.iter().map(|policy| Order::ActivatePolicy {
            policy: Arc::clone(policy),
            file: digest(3, policy.version),
        });
        let orders = std::iter::once(settings).chain(activations);
        (1_000..)
            .zip(orders)
            .map(|(number, order)| (command(number, order), seconds(ACTIVATED)))
            .collect()
    }

    /// The history without one of its events.
    #[must_use]
    pub fn without_event(&self, index: usize) -> Self {
        let mut shorter = self.clone();
        shorter.events.remove(index);
        let slots = shorter.slots.iter();
        let mut places = slots.enumerate().filter(|(_, slot)| matches!(slot, Slot::Delivery));
        let place = places.nth(index).map(|(place, _)| place);
        if let Some(place) = place {
            shorter.slots.remove(place);
        }
        shorter
    }

    /// The history without one of its slots, when that is a command's.
    #[must_use]
    pub fn without_command(&self, place: usize) -> Option<Self> {
        matches!(self.slots.get(place), Some(Slot::Command(..))).then(|| {
            let mut shorter = self.clone();
            shorter.slots.remove(place);
            shorter
        })
    }
}

pub(crate) fn origin() -> Origin {
    Origin::new("paddle").expect("the name is plain")
}

pub(crate) fn command_key(number: u32) -> IdempotencyKey {
    IdempotencyKey::new(&format!("key-{number}")).expect("the key is short")
}

pub(crate) fn digest(space: u8, number: u32) -> Digest {
    let mut bytes = [space; 32];
    for (byte, part) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *byte = part;
    }
    Digest(bytes)
}

/// About how many credits the account gets in all, in billionths: what debits are sized by.
fn scale(policies: &[Arc<Policy>], events: &[Event]) -> i128 {
    let facts: Vec<_> =
        events.iter().map(|event| naive::Fact::Said(event.notice.clone())).collect();
    let payments = naive::entitled(policies, &facts);
    payments.values().map(|payment| payment.granted.sum()).sum::<i128>().max(10_000_000_000)
}

fn order(
    dice: &mut Dice,
    number: u32,
    scale: i128,
    policies: &[Arc<Policy>],
    freezes: &mut Vec<u32>,
) -> Order {
    let decimals = policies.first().map_or(0, |policy| policy.decimals);
    let unit = 10_i128.pow(9 - u32::from(decimals));
    let amount = |dice: &mut Dice, percent: i64| {
        let share = i128::from(dice.between(1, percent)) * scale / 100;
        credits((share / unit * unit).max(unit))
    };
    let some_payment =
        |dice: &mut Dice| payment(u32::from(dice.chance(40)) + u32::from(dice.chance(20)) + 1);
    let reason = text("because");
    match dice.below(16) {
        10 => Order::AssignPayment { payment: some_payment(dice), account: account(), reason },
        11..13 => Order::ConcludeDispute {
            payment: some_payment(dice),
            cause: dice.pick(&[DisputeCause::Warning, DisputeCause::Chargeback]),
            conclusion: dice.pick(&[Conclusion::Lost, Conclusion::Settled]),
            reason,
        },
        13 => Order::ClearMeasure {
            account: account(),
            freeze: FreezeId::Dispute {
                payment: some_payment(dice),
                cause: dice.pick(&[DisputeCause::Warning, DisputeCause::Chargeback]),
            },
            measure: dice.pick(&[Clearable::Verification, Clearable::Service]),
            reason,
        },
        14 => Order::WriteOff { account: account(), amount: None, reason },
        15 if dice.chance(40) => Order::Close { account: account(), reason },
        0..4 => Order::Debit {
            account: account(),
            amount: amount(dice, 60),
            usage: Usage::Asked,
            metadata: Metadata::NONE,
        },
        4..6 => Order::Debit {
            account: account(),
            amount: amount(dice, 90),
            usage: Usage::AlreadyHappened,
            metadata: Metadata::NONE,
        },
        6..8 => Order::Grant {
            account: account(),
            amount: amount(dice, 40),
            kind: dice.pick(&[LotKind::Paid, LotKind::Gift]),
            label: dice.chance(50).then(|| text("coupon")),
            reason: text("because"),
        },
        8 if !freezes.is_empty() => {
            let freeze = OperationId::of(&ledger(), &command_key(dice.pick(freezes)));
            Order::Unfreeze { account: account(), freeze }
        }
        _ => {
            freezes.push(number);
            let measures = policies::measures(dice);
            Order::Freeze { account: account(), reason: text("because"), measures }
        }
    }
}
