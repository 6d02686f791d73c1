//! What records say, in plain words: for who answers a customer and knows no program.

use domain::{
    account::{Closing, DisputeCause, Freeze, FreezeId},
    case::{Case, CaseStatus, Decider},
    decision::{
        CreditBook, Effect, House, MoneyBook, Outcome, Quarantine, Section, Taking, Transfer,
    },
    holding::{HoldingId, LotId, Pair},
    ids::EventKey,
    input::{Approval, Delivery, LotKind, Order, Usage},
    money::Minor,
    notice::{Action, Adjustment, Notice, Progress, Purchase, Status},
    payment::{Clearable, Conclusion, Ruled},
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
    usage::HoldEnd,
};

use crate::reports::amount::Amount;

/// What a delivery said.
pub(crate) fn delivery(delivery: &Delivery) -> String {
    let kind = delivery.event_type.as_deref().unwrap_or("an event");
    let source = &delivery.source;
    match &delivery.notice {
        Ok(Notice::Purchase(said)) => format!("{source} told {kind}: {}", purchase(said)),
        Ok(Notice::Adjustment(said)) => format!("{source} told {kind}: {}", adjustment(said)),
        Ok(Notice::Nothing) => format!("{source} told {kind}, which is nothing for balances"),
        Err(why) => format!("{source} sent what could not be read: {}", why.detail),
    }
}

fn purchase(said: &Purchase) -> String {
    let payment = &said.payment.id;
    match &said.progress {
        Progress::Unpaid(status) => format!("payment {payment} is {status}, not paid"),
        Progress::Paid(basket) | Progress::Completed(basket) => {
            let money = |minor| Amount::money(minor, basket.currency);
            format!(
                "payment {payment} is paid: {} {} in all, of which {} is tax",
                money(basket.total),
                basket.currency,
                money(basket.tax)
            )
        }
    }
}

fn adjustment(said: &Adjustment) -> String {
    let what = match said.action {
        Action::Refund => "a refund",
        Action::Credit => "a credit",
        Action::CreditReverse => "the undoing of a credit",
        Action::Chargeback => "a chargeback",
        Action::ChargebackReverse => "the undoing of a chargeback",
        Action::Warning => "a warning of a chargeback",
        Action::WarningReverse => "the undoing of a warning",
    };
    let status = match said.status {
        Status::Pending => "asked for, not decided",
        Status::Approved => "in force",
        Status::Rejected => "rejected",
        Status::Reversed => "undone",
    };
    format!(
        "{what} of {} {} before tax on payment {} ({}) is {status}",
        Amount::money(said.subtotal, said.currency),
        said.currency,
        said.payment.id,
        said.id
    )
}

/// What an order asked.
#[expect(clippy::too_many_lines, reason = "it is one table")]
pub(crate) fn order(order: &Order) -> String {
    match order {
        Order::Debit { account, amount, usage: Usage::Asked, .. } => {
            format!("account {account} was to be charged {amount} for usage")
        }
        Order::Debit { account, amount, usage: Usage::AlreadyHappened, .. } => {
            format!("account {account} was to be charged {amount} for usage that had happened")
        }
        Order::Hold { account, amount, expires_in_seconds } => {
            format!("{amount} of account {account} were to be reserved for {expires_in_seconds} s")
        }
        Order::Capture { account, hold, amount, .. } => {
            format!("account {account} was to be charged {amount} of what hold {hold} reserved")
        }
        Order::ReleaseHold { hold, .. } => format!("hold {hold} was to be released"),
        Order::ExpireHold { hold, .. } => format!("the time of hold {hold} was over"),
        Order::Return { debit, amount, reason, .. } => {
            format!("{amount} of debit {debit} were to be made good: {reason}")
        }
        Order::Grant { account, amount, kind, label, reason } => {
            let label = label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
            let kind = lot_kind(*kind);
            format!("account {account} was to get {amount} {kind} credits{label}: {reason}")
        }
        Order::Freeze { account, reason, measures } => {
            format!("account {account} was to be frozen ({}): {reason}", self::measures(measures))
        }
        Order::Unfreeze { account, freeze } => {
            format!("freeze {freeze} of account {account} was to end")
        }
        Order::ClearMeasure { account, freeze, measure, reason } => {
            let measure = clearable(*measure);
            format!("{measure} for freeze {freeze} of account {account} was to end: {reason}")
        }
        Order::Close { account, reason } => {
            format!("account {account} was to be closed for ever: {reason}")
        }
        Order::WriteOff { account, amount: Some(amount), reason } => {
            format!("{amount} that account {account} owes were to be forgiven: {reason}")
        }
        Order::WriteOff { account, amount: None, reason } => {
            format!("all that account {account} owes was to be forgiven: {reason}")
        }
        Order::AssignPayment { payment, account, reason } => {
            format!("payment {} was to be account {account}'s: {reason}", payment.id)
        }
        Order::AssignCustomer { customer, account, reason } => {
            format!("what customer {} buys was to be account {account}'s: {reason}", customer.id)
        }
        Order::OpenCase { account, payment, reason, .. } => {
            format!("account {account} applied for a refund of payment {}: {reason}", payment.id)
        }
        Order::InformCase { case, .. } => format!("more was said of refund case {case}"),
        Order::ApproveCase { case, remedy, note } => {
            let remedy = match remedy {
                None => "as quoted".to_owned(),
                // The currency is the payment's, which the case names.
                Some(Approval::Money(money)) => format!("with {} minor units", money.get()),
                Some(Approval::Credits(credits)) => format!("with {credits} credits"),
            };
            format!("refund case {case} was to be approved {remedy}{}", noted(note.as_ref()))
        }
        Order::DenyCase { case, note } => format!("refund case {case} was to be denied: {note}"),
        Order::WithdrawCase { case, note } => {
            format!("refund case {case} was taken back{}", noted(note.as_ref()))
        }
        Order::ConcludeDispute { payment, cause, conclusion, reason } => {
            let how = match conclusion {
                Conclusion::Lost => "lost",
                Conclusion::Settled => "settled",
            };
            format!("the {} of payment {} was {how}: {reason}", dispute(*cause), payment.id)
        }
        Order::Release { record, delivery, reason, .. } => {
            let said = self::delivery(delivery);
            format!("record #{record} was to be decided after all: {reason}; it says: {said}")
        }
        Order::Resolve { exception, note } => {
            let (kind, at) = (exception.kind.name(), exception.sequence);
            format!("the exception {kind} of record #{at} was resolved: {note}")
        }
        Order::Import(import) => format!(
            "payment {} of {} {} before tax was brought in from before Tallyhook for account {}: {}",
            import.payment.id,
            Amount::money(import.net, import.currency),
            import.currency,
            import.account,
            import.reason
        ),
        Order::ActivatePolicy { policy, .. } => {
            format!("policy {} version {} was to be in force", policy.name, policy.version)
        }
        Order::Configure(_) => "the settings that decide were to change".to_owned(),
        Order::Erase { records, reason } => {
            format!("the raw bytes of {} records were to be erased: {reason}", records.len())
        }
    }
}

fn noted(note: Option<&domain::ids::Text>) -> String {
    note.map_or_else(String::new, |note| format!(": {note}"))
}

/// What became of an input.
pub(super) fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Recorded => "taken in".to_owned(),
        Outcome::Ignored => "taken in; it is nothing for balances".to_owned(),
        Outcome::Conflict { original } => {
            format!("kept, nothing moved: record #{original} is the same event with other content")
        }
        Outcome::Quarantined(why) => format!("kept, nothing moved: {}", quarantine(why)),
        Outcome::Done => "done".to_owned(),
    }
}

const fn quarantine(why: Quarantine) -> &'static str {
    match why {
        Quarantine::Malformed => "it could not be read",
        Quarantine::UnknownAction => "its action or status is not known",
        Quarantine::UnknownCurrency => "its currency is not known",
        Quarantine::AmountInvalid => "an amount is no integer or out of range",
        Quarantine::Stale => "it came too late, or from the future",
        Quarantine::Simulated => "the provider's simulator made it and the ledger is live",
        Quarantine::Undecided => "the decision failed its own checks",
    }
}

/// What changed by an effect, with the rule behind it; none where another effect says the same.
#[expect(clippy::too_many_lines, reason = "it is one table")]
pub(super) fn effect(effect: &Effect) -> Option<String> {
    let said = match effect {
        Effect::PaymentAssigned { payment, account } => {
            format!("payment {} belongs to account {account}", payment.id)
        }
        Effect::AccountOpened { account } => format!("account {account} exists from now on"),
        // What is granted to the lots says so.
        Effect::HoldingOpened { .. } | Effect::Debited { .. } => return None,
        Effect::Granted { lot, amount } if amount.is_positive() => {
            format!("{amount} granted to {}", self::lot(lot))
        }
        Effect::Granted { lot, amount } => format!(
            "{} granted too much to {} before are taken out of it",
            amount.negated(),
            self::lot(lot)
        ),
        Effect::Taken { holding, by, amount } => {
            let by = match by {
                Taking::Refund => "refunds",
                Taking::Chargeback => "chargebacks",
            };
            let rule = "the reversed share of what it granted, rounded down";
            format!("{} of {} by {by} ({rule})", taken(*amount), self::holding(holding))
        }
        Effect::Awaited { holding, amount } => format!(
            "{} of {} for a refund that is not decided: nobody may spend them meanwhile",
            change(*amount, "held", "no longer held"),
            self::holding(holding)
        ),
        Effect::HoldPlaced { hold, expires_at, .. } => {
            format!("hold {hold} is open until {expires_at}")
        }
        Effect::Reserved { hold, lot, amount } => {
            format!("{amount} of {} reserved by hold {hold}", self::lot(lot))
        }
        Effect::Unreserved { hold, lot, amount } => {
            format!("{amount} of {} set free from hold {hold}", self::lot(lot))
        }
        Effect::HoldEnded { hold, end } => match end {
            HoldEnd::Captured { debit, amount } => {
                format!("hold {hold} ended: {amount} of it were used, as debit {debit}")
            }
            HoldEnd::Released => format!("hold {hold} ended: it was released"),
            HoldEnd::Expired => format!("hold {hold} ended: its time was over"),
        },
        Effect::Returned { debit, lot, amount } => {
            format!("{amount} of debit {debit} made good in {}", self::lot(lot))
        }
        Effect::Forgiven { holding, amount } => {
            let (pair, holding) = (Pair { paid: *amount, ..Pair::ZERO }, self::holding(holding));
            format!("{} of what {holding} lacks", change(pair, "forgiven", "no longer forgiven"))
        }
        Effect::Drawn { lot, amount } => format!("{amount} used of {}", self::lot(lot)),
        Effect::Settled { giver, taker, amount } => format!(
            "{amount} of {} went to what {} lacks: free paid credits pay what is owed",
            self::holding(giver),
            self::holding(taker)
        ),
        Effect::Unsettled { giver, taker, amount } => format!(
            "{amount} went back to {}, since {} no longer lacks them",
            self::holding(giver),
            self::holding(taker)
        ),
        Effect::MoneyMoved { payment, currency, received, reversed } => {
            let part = |minor: Minor, what: &str| {
                let amount = Amount::money(minor, *currency);
                (minor != Minor::ZERO).then(|| format!("{amount} {currency} {what}"))
            };
            let parts = [part(*received, "received for credits"), part(*reversed, "went back")];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("money of payment {}: {}", payment.id, parts.join(", "))
        }
        Effect::Frozen { freeze, .. } => frozen(freeze),
        Effect::Unfrozen { freeze, .. } => format!("{} no longer freezes", cause(freeze)),
        Effect::ChargebackCounted { payment, filed_at: Some(at), .. } => {
            format!("the chargeback on payment {} of {at} counts against the account", payment.id)
        }
        Effect::ChargebackCounted { payment, filed_at: None, .. } => {
            format!("no chargeback on payment {} counts against the account", payment.id)
        }
        Effect::Closed { account, by } => match by {
            Closing::Policy => format!("account {account} is closed by the policy's limit"),
            Closing::Operator => format!("account {account} is closed by an operator"),
        },
        Effect::Reopened { account } => {
            format!("account {account} is open: what closed it no longer holds")
        }
        Effect::CustomerAssigned { customer, account } => {
            format!("what customer {} buys is account {account}'s", customer.id)
        }
        Effect::PaymentImported(import) => {
            format!("payment {} is known from before Tallyhook", import.payment.id)
        }
        Effect::CaseChanged(case) => self::case(case),
        Effect::DisputeRuled { payment, ruling } => {
            let what = match ruling.what {
                Ruled::Concluded(Conclusion::Lost) => "is over: lost",
                Ruled::Concluded(Conclusion::Settled) => "is over: settled",
                Ruled::Cleared(Clearable::Verification) => "needs no verification any more",
                Ruled::Cleared(Clearable::Service) => "restricts no service any more",
            };
            format!("the {} of payment {} {what}", dispute(ruling.cause), payment.id)
        }
        Effect::Raised(exception) => {
            let kind = exception.id.kind.name();
            format!("a person must look at it, exception {kind}: {}", exception.detail)
        }
        Effect::Cleared(id) => {
            let (kind, at) = (id.kind.name(), id.sequence);
            format!("the exception {kind} of record #{at} is over: its cause is gone")
        }
        Effect::Resolved(id) => {
            let (kind, at) = (id.kind.name(), id.sequence);
            format!("the exception {kind} of record #{at} is resolved")
        }
        Effect::Released(record) => format!("record #{record} counts from now on"),
    };
    Some(said)
}

fn taken(amount: Pair) -> String {
    change(amount, "taken back", "given back")
}

/// An amount of both lots that rose, or fell.
fn change(amount: Pair, rises: &str, falls: &str) -> String {
    let part = |amount: domain::credits::Credits, kind: &str| {
        let (size, word) =
            if amount.is_positive() { (amount, rises) } else { (amount.negated(), falls) };
        (!size.get().is_zero()).then(|| format!("{size} {kind} {word}"))
    };
    let parts = [part(amount.paid, "paid"), part(amount.gift, "gift")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

fn case(case: &Case) -> String {
    let status = match &case.status {
        CaseStatus::NeedsInformation { .. } => "waits for what the applicant must still say".into(),
        CaseStatus::InReview { due_at } => format!("must be looked at by {due_at}"),
        CaseStatus::Eligible { due_at } => format!("may be approved, by {due_at}"),
        CaseStatus::Approved { money } => {
            let currency = case.quote.currency;
            format!("is approved: {} {currency} to refund", Amount::money(*money, currency))
        }
        CaseStatus::Corrected { credits } => format!("was made good with {credits} credits"),
        CaseStatus::Denied { rule, by: Decider::Policy } => {
            format!("is denied by the policy's rule {rule}")
        }
        CaseStatus::Denied { rule, by: Decider::Operator } => {
            format!("is denied by an operator: {rule}")
        }
        CaseStatus::Withdrawn => "was taken back".into(),
        CaseStatus::Refunded => "is over: the money went back".into(),
    };
    let (id, payment, policy) = (case.id, &case.payment.id, case.policy);
    format!("refund case {id} of payment {payment} {status} (policy version {policy})")
}

/// A cause that freezes, with what is done.
pub(super) fn frozen(freeze: &Freeze) -> String {
    let reason = freeze.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let (cause, since) = (cause(&freeze.id), freeze.since);
    format!("{cause} freezes since {since}{reason} ({})", measures(&freeze.measures))
}

fn cause(freeze: &FreezeId) -> String {
    match freeze {
        FreezeId::Dispute { payment, cause } => {
            format!("the {} of payment {}", dispute(*cause), payment.id)
        }
        FreezeId::Operator(id) => format!("an operator's freeze {id}"),
    }
}

/// What is done while a cause is open.
fn measures(measures: &Measures) -> String {
    let done = [
        (measures.spending == Spending::Suspend).then_some("no spending"),
        match measures.balance {
            Balance::Keep => None,
            Balance::FreezePayment => Some("the payment's credits are held"),
            Balance::FreezeAccount => Some("all credits are held"),
        },
        (measures.checkout == Checkout::Limit).then_some("purchases limited"),
        (measures.verification == Verification::Require).then_some("verification needed"),
        (measures.service == Service::Restrict).then_some("service restricted"),
    ];
    let done: Vec<&str> = done.into_iter().flatten().collect();
    if done.is_empty() { "nothing is done".to_owned() } else { done.join(", ") }
}

const fn clearable(measure: Clearable) -> &'static str {
    match measure {
        Clearable::Verification => "the need of verification",
        Clearable::Service => "the restriction of service",
    }
}

const fn dispute(cause: DisputeCause) -> &'static str {
    match cause {
        DisputeCause::Warning => "warning of a chargeback",
        DisputeCause::Chargeback => "chargeback",
    }
}

/// One lot.
fn lot(lot: &LotId) -> String {
    match &lot.holding {
        HoldingId::Overdraft(_) => holding(&lot.holding),
        HoldingId::Payment(_) | HoldingId::Grant(_) => {
            format!("the {} credits of {}", lot_kind(lot.kind), holding(&lot.holding))
        }
    }
}

/// What lots belong to.
pub(super) fn holding(holding: &HoldingId) -> String {
    match holding {
        HoldingId::Payment(payment) => format!("payment {}", payment.id),
        HoldingId::Grant(id) => format!("grant {id}"),
        HoldingId::Overdraft(_) => "usage beyond what was there".to_owned(),
    }
}

const fn lot_kind(kind: LotKind) -> &'static str {
    match kind {
        LotKind::Paid => "paid",
        LotKind::Gift => "gift",
    }
}

/// A transfer between book accounts.
pub(super) fn transfer(transfer: &Transfer) -> String {
    match transfer {
        Transfer::Credits { debit, credit, amount } => {
            format!("{amount} from {} to {}", book(debit), book(credit))
        }
        Transfer::Money { debit, credit, currency, amount } => {
            let (amount, debit, credit) =
                (Amount::money(*amount, *currency), money_book(*debit), money_book(*credit));
            format!("{amount} {currency} from {debit} to {credit}")
        }
    }
}

fn book(book: &CreditBook) -> String {
    match book {
        CreditBook::Customer(account, section) => {
            let section = match section {
                Section::Paid => "paid",
                Section::Gift => "gift",
                Section::Held => "held",
                Section::Owed => "owed",
                Section::WrittenOff => "written off",
            };
            format!("{account}: {section}")
        }
        CreditBook::House(house) => match house {
            House::Sold => "credits sold".to_owned(),
            House::Given => "credits given".to_owned(),
            House::Used => "credits used".to_owned(),
            House::Returned => "credits returned by refunds".to_owned(),
            House::ChargedBack => "credits charged back".to_owned(),
        },
    }
}

const fn money_book(book: MoneyBook) -> &'static str {
    match book {
        MoneyBook::Processor => "the processor",
        MoneyBook::Receipts => "receipts",
    }
}

/// What an event is known by.
pub(super) fn event(event: &EventKey) -> String {
    match event {
        EventKey::Event { id, .. } => id.to_string(),
        EventKey::Body { digest, .. } => format!("sha256:{digest}"),
    }
}
