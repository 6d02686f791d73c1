//! How often each rule was reached.

use std::{collections::BTreeMap, fmt};

use domain::{
    case::{Case, CaseStatus, Charge, Decider, QuoteLine},
    decide::Verdict,
    decision::{Effect, Outcome},
    exception::ExceptionKind,
    input::{Input, Order},
    money::Minor,
};

/// What must be reached, and how often it was.
#[derive(Default)]
pub(crate) struct Coverage {
    /// By order: accepted, refused.
    orders: BTreeMap<&'static str, (u64, u64)>,
    effects: BTreeMap<&'static str, u64>,
    exceptions: BTreeMap<&'static str, u64>,
    cases: BTreeMap<&'static str, u64>,
    verdicts: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<String, u64>,
    turns: BTreeMap<&'static str, u64>,
}

const ORDERS: [&str; 26] = [
    "debit",
    "hold",
    "capture",
    "release-hold",
    "expire-hold",
    "return",
    "grant",
    "freeze",
    "unfreeze",
    "clear-measure",
    "close",
    "write-off",
    "assign-payment",
    "assign-customer",
    "open-case",
    "inform-case",
    "approve-case",
    "deny-case",
    "withdraw-case",
    "conclude-dispute",
    "release",
    "resolve",
    "import",
    "activate-policy",
    "configure",
    "erase",
];

const EFFECTS: [&str; 31] = [
    "payment-assigned",
    "account-opened",
    "holding-opened",
    "granted",
    "taken",
    "awaited",
    "hold-placed",
    "reserved",
    "unreserved",
    "hold-ended",
    "debited",
    "returned",
    "forgiven",
    "drawn",
    "settled",
    "unsettled",
    "money-moved",
    "frozen",
    "unfrozen",
    "chargeback-counted",
    "closed",
    "reopened",
    "customer-assigned",
    "payment-imported",
    "case-changed",
    "dispute-ruled",
    "raised",
    "cleared",
    "resolved",
    "released",
    "forgiven-no-more",
];

const CASES: [&str; 8] = [
    "needs-information",
    "in-review",
    "eligible",
    "approved",
    "corrected",
    "denied",
    "withdrawn",
    "refunded",
];

const VERDICTS: [&str; 10] = [
    "recorded",
    "ignored",
    "conflict",
    "quarantined",
    "done",
    "duplicate",
    "known-conflict",
    "replayed",
    "refused",
    "key-reused",
];

/// Turns of refund cases and of what is owed that are easily missed.
const TURNS: [&str; 12] = [
    "case-of-unassigned-payment",
    "case-of-another-account-ends",
    "case-goes-on-when-assigned",
    "approved-below-quote",
    "approved-above-quote",
    "approved-after-refunds",
    "refunded-by-several",
    "refunded-case-loses-its-refund",
    "refunded-case-has-it-again",
    "gift-used-of-nothing",
    "promotion",
    "settled-before-decided",
];

impl Coverage {
    pub(crate) fn reach(&mut self, turn: &'static str) {
        *self.turns.entry(turn).or_default() += 1;
    }

    pub(crate) fn count(&mut self, input: &Input, verdict: &Verdict) {
        let recorded = matches!(verdict, Verdict::Record(_));
        if let Input::Command(command) = input {
            let (accepted, refused) = self.orders.entry(order(&command.order)).or_default();
            *if recorded { accepted } else { refused } += 1;
        }
        let name = match verdict {
            Verdict::Record(decision) => match decision.outcome {
                Outcome::Recorded => "recorded",
                Outcome::Ignored => "ignored",
                Outcome::Conflict { .. } => "conflict",
                Outcome::Quarantined(_) => "quarantined",
                Outcome::Done => "done",
            },
            Verdict::Duplicate(_) => "duplicate",
            Verdict::KnownConflict(_) => "known-conflict",
            Verdict::Replayed(_) => "replayed",
            Verdict::Refused(domain::refusal::Refusal::KeyReused) => "key-reused",
            Verdict::Refused(_) => "refused",
        };
        *self.verdicts.entry(name).or_default() += 1;
        if let Verdict::Refused(refusal) = verdict {
            let name = format!("{refusal:?}");
            let end = name.find([' ', '(', '{']).unwrap_or(name.len());
            *self.refusals.entry(name[..end].to_owned()).or_default() += 1;
        }
        let Verdict::Record(decision) = verdict else { return };
        for one in &decision.effects {
            *self.effects.entry(effect(one)).or_default() += 1;
            if let Effect::CaseChanged(case) = one {
                *self.cases.entry(case.status.name()).or_default() += 1;
                self.count_case(case);
            }
            if let Effect::Raised(exception) = one {
                *self.exceptions.entry(exception.id.kind.name()).or_default() += 1;
            }
        }
    }

    fn count_case(&mut self, case: &Case) {
        let of_quote = |what| case.quote.lines.iter().find(|line| line.what == what);
        let is_below_zero = |line: &QuoteLine| line.amount < Minor::ZERO;
        let approved =
            if let CaseStatus::Approved { money } = &case.status { Some(*money) } else { None };
        let by_policy = matches!(&case.status, CaseStatus::Denied { rule, by: Decider::Policy }
            if rule.as_str() == "payment-of-another-account");
        for (turn, holds) in [
            ("case-of-unassigned-payment", case.claim.credits.is_none()),
            ("case-of-another-account-ends", by_policy),
            ("approved-below-quote", approved.is_some_and(|money| money < case.quote.money)),
            ("approved-above-quote", approved.is_some_and(|money| money > case.quote.money)),
            ("approved-after-refunds", approved.is_some() && !case.claim.earlier.is_empty()),
            ("refunded-by-several", case.claim.own.len() > 1),
            (
                "gift-used-of-nothing",
                case.claim.credits.is_none() && of_quote(Charge::GiftUsed).is_some(),
            ),
            ("promotion", of_quote(Charge::Promotion).is_some_and(is_below_zero)),
        ] {
            if holds {
                self.reach(turn);
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, (accepted, refused)) in &other.orders {
            let own = self.orders.entry(name).or_default();
            *own = (own.0 + accepted, own.1 + refused);
        }
        for (own, all) in [
            (&mut self.effects, &other.effects),
            (&mut self.exceptions, &other.exceptions),
            (&mut self.cases, &other.cases),
            (&mut self.verdicts, &other.verdicts),
            (&mut self.turns, &other.turns),
        ] {
            all.iter().for_each(|(name, count)| *own.entry(name).or_default() += count);
        }
        let refusals = other.refusals.iter();
        refusals.for_each(|(name, count)| *self.refusals.entry(name.clone()).or_default() += count);
    }

    /// What was never reached and must be. A decision never fails its own checks.
    pub(crate) fn never(&self) -> Vec<String> {
        let accepted = |name: &&str| self.orders.get(name).is_some_and(|counts| counts.0 > 0);
        let refused = |name: &&str| self.orders.get(name).is_some_and(|counts| counts.1 > 0);
        let orders = ORDERS.iter().filter(|name| !accepted(name));
        let orders = orders.map(|name| format!("{name} accepted"));
        let refusals = ORDERS.iter().filter(|name| !refused(name));
        let refusals = refusals.map(|name| format!("{name} refused"));
        let effects = EFFECTS.iter().filter(|name| !self.effects.contains_key(*name));
        let verdicts = VERDICTS.iter().filter(|name| !self.verdicts.contains_key(*name));
        let cases = CASES.iter().filter(|name| !self.cases.contains_key(*name));
        let kinds = ExceptionKind::ALL.iter().filter(|kind| **kind != ExceptionKind::Undecided);
        let kinds = kinds.map(|kind| kind.name());
        let kinds = kinds.filter(|name| !self.exceptions.contains_key(name));
        let turns = TURNS.iter().filter(|name| !self.turns.contains_key(*name));
        let others = effects
            .chain(verdicts)
            .chain(turns)
            .chain(cases)
            .copied()
            .chain(kinds)
            .map(str::to_owned);
        orders.chain(refusals).chain(others).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orders accepted/refused:")?;
        for (name, (accepted, refused)) in &self.orders {
            write!(f, " {name} {accepted}/{refused}")?;
        }
        for (what, counts) in [
            ("effects", &self.effects),
            ("exceptions raised", &self.exceptions),
            ("cases", &self.cases),
            ("verdicts", &self.verdicts),
            ("turns", &self.turns),
        ] {
            write!(f, "\n{what}:")?;
            counts.iter().try_for_each(|(name, count)| write!(f, " {name} {count}"))?;
        }
        write!(f, "\nrefusals:")?;
        self.refusals.iter().try_for_each(|(name, count)| write!(f, " {name} {count}"))
    }
}

fn order(order: &Order) -> &'static str {
    match order {
        Order::Debit { .. } => "debit",
        Order::Hold { .. } => "hold",
        Order::Capture { .. } => "capture",
        Order::ReleaseHold { .. } => "release-hold",
        Order::ExpireHold { .. } => "expire-hold",
        Order::Return { .. } => "return",
        Order::Grant { .. } => "grant",
        Order::Freeze { .. } => "freeze",
        Order::Unfreeze { .. } => "unfreeze",
        Order::ClearMeasure { .. } => "clear-measure",
        Order::Close { .. } => "close",
        Order::WriteOff { .. } => "write-off",
        Order::AssignPayment { .. } => "assign-payment",
        Order::AssignCustomer { .. } => "assign-customer",
        Order::OpenCase { .. } => "open-case",
        Order::InformCase { .. } => "inform-case",
        Order::ApproveCase { .. } => "approve-case",
        Order::DenyCase { .. } => "deny-case",
        Order::WithdrawCase { .. } => "withdraw-case",
        Order::ConcludeDispute { .. } => "conclude-dispute",
        Order::Release { .. } => "release",
        Order::Resolve { .. } => "resolve",
        Order::Import(_) => "import",
        Order::ActivatePolicy { .. } => "activate-policy",
        Order::Configure(_) => "configure",
        Order::Erase { .. } => "erase",
    }
}

fn effect(effect: &Effect) -> &'static str {
    match effect {
        Effect::PaymentAssigned { .. } => "payment-assigned",
        Effect::AccountOpened { .. } => "account-opened",
        Effect::HoldingOpened { .. } => "holding-opened",
        Effect::Granted { .. } => "granted",
        Effect::Taken { .. } => "taken",
        Effect::Awaited { .. } => "awaited",
        Effect::HoldPlaced { .. } => "hold-placed",
        Effect::Reserved { .. } => "reserved",
        Effect::Unreserved { .. } => "unreserved",
        Effect::HoldEnded { .. } => "hold-ended",
        Effect::Debited { .. } => "debited",
        Effect::Returned { .. } => "returned",
        Effect::Forgiven { amount, .. } if amount.is_positive() => "forgiven",
        Effect::Forgiven { .. } => "forgiven-no-more",
        Effect::Drawn { .. } => "drawn",
        Effect::Settled { .. } => "settled",
        Effect::Unsettled { .. } => "unsettled",
        Effect::MoneyMoved { .. } => "money-moved",
        Effect::Frozen { .. } => "frozen",
        Effect::Unfrozen { .. } => "unfrozen",
        Effect::ChargebackCounted { .. } => "chargeback-counted",
        Effect::Closed { .. } => "closed",
        Effect::Reopened { .. } => "reopened",
        Effect::CustomerAssigned { .. } => "customer-assigned",
        Effect::PaymentImported(_) => "payment-imported",
        Effect::CaseChanged(_) => "case-changed",
        Effect::DisputeRuled { .. } => "dispute-ruled",
        Effect::Raised(_) => "raised",
        Effect::Cleared(_) => "cleared",
        Effect::Resolved(_) => "resolved",
        Effect::Released(_) => "released",
    }
}
