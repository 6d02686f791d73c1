//! How commands look in JSON.

use domain::{
    case::{Application, Invoice},
    input::{Approval, Import, LotKind, Mode, Order, Settings, Stale, Usage},
    usage::Metadata,
};
use serde_json::{Value, json};

use super::{clearable, conclusion, customer, dispute, event, key, measures, pair};

/// What a command asked: its name, the account that it named, and what else it said.
pub(super) fn order(order: &Order) -> Value {
    let mut shown = said(order);
    if let Value::Object(shown) = &mut shown {
        shown.insert("order".to_owned(), json!(order.name()));
        if let Some(account) = order.account() {
            shown.insert("account".to_owned(), json!(account.as_str()));
        }
    }
    shown
}

/// What a command said besides its account.
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn said(order: &Order) -> Value {
    match order {
        Order::Debit { amount, usage, metadata, .. } => json!({
            "amount": amount.to_string(),
            "already_happened": *usage == Usage::AlreadyHappened,
            "metadata": entries(metadata),
        }),
        Order::Hold { amount, expires_in_seconds, .. } => {
            json!({"amount": amount.to_string(), "expires_in_seconds": expires_in_seconds})
        }
        Order::Capture { hold, amount, metadata, .. } => json!({
            "hold": hold.to_string(),
            "amount": amount.to_string(),
            "metadata": entries(metadata),
        }),
        Order::ReleaseHold { hold, .. } | Order::ExpireHold { hold, .. } => {
            json!({"hold": hold.to_string()})
        }
        Order::Return { debit, amount, reason, .. } => json!({
            "debit": debit.to_string(),
            "amount": amount.to_string(),
            "reason": reason.as_str(),
        }),
        Order::Grant { amount, kind, label, reason, .. } => json!({
            "amount": amount.to_string(),
            "kind": lot_kind(*kind),
            "label": label.as_ref().map(ToString::to_string),
            "reason": reason.as_str(),
        }),
        Order::Freeze { reason, measures, .. } => {
            json!({"reason": reason.as_str(), "measures": self::measures(*measures)})
        }
        Order::Unfreeze { freeze, .. } => json!({"freeze": freeze.to_string()}),
        Order::ClearMeasure { freeze, measure, reason, .. } => json!({
            "freeze": freeze.to_string(),
            "measure": clearable(*measure),
            "reason": reason.as_str(),
        }),
        Order::Close { reason, .. } => json!({"reason": reason.as_str()}),
        Order::WriteOff { amount, reason, .. } => json!({
            "amount": amount.map(|amount| amount.to_string()),
            "reason": reason.as_str(),
        }),
        Order::AssignPayment { payment, reason, .. } => {
            json!({"payment": key(payment), "reason": reason.as_str()})
        }
        Order::AssignCustomer { customer, reason, .. } => {
            json!({"customer": self::customer(customer), "reason": reason.as_str()})
        }
        Order::OpenCase { payment, reason, application, .. } => json!({
            "payment": key(payment),
            "reason": reason.as_str(),
            "application": self::application(application),
        }),
        Order::InformCase { case, application } => {
            json!({"case": case.to_string(), "application": self::application(application)})
        }
        Order::ApproveCase { case, remedy, note } => json!({
            "case": case.to_string(),
            "remedy": remedy.map(approval),
            "note": note.as_ref().map(ToString::to_string),
        }),
        Order::DenyCase { case, note } => json!({"case": case.to_string(), "note": note.as_str()}),
        Order::WithdrawCase { case, note } => {
            json!({"case": case.to_string(), "note": note.as_ref().map(ToString::to_string)})
        }
        Order::ConcludeDispute { payment, cause, conclusion, reason } => json!({
            "payment": key(payment),
            "cause": dispute(*cause),
            "outcome": self::conclusion(*conclusion),
            "reason": reason.as_str(),
        }),
        Order::Release { record, event, reason, .. } => json!({
            "record": record.get(),
            "event": self::event(event),
            "reason": reason.as_str(),
        }),
        Order::Resolve { exception, note } => json!({
            "kind": exception.kind.name(),
            "sequence": exception.sequence.get(),
            "note": note.as_str(),
        }),
        Order::Import(import) => self::import(import),
        Order::ActivatePolicy { policy, file } => json!({
            "name": policy.name.as_str(),
            "version": policy.version,
            "effective_from": policy.effective_from.to_string(),
            "file_sha256": file.to_string(),
        }),
        Order::Configure(settings) => self::settings(settings),
        Order::Erase { records, reason } => json!({
            "records": records.iter().map(|record| record.get()).collect::<Vec<_>>(),
            "reason": reason.as_str(),
        }),
    }
}

/// The settings that decide.
pub(crate) fn settings(settings: &Settings) -> Value {
    let pointers: Vec<&str> =
        settings.account_from.iter().map(|pointer| pointer.as_str()).collect();
    json!({
        "order": "configure",
        "mode": match settings.mode { Mode::Live => "live", Mode::Sandbox => "sandbox" },
        "stale": match settings.stale { Stale::Accept => "accept", Stale::Quarantine => "quarantine" },
        "account_from": pointers,
        "tolerance_seconds": settings.tolerance_seconds,
        "future_seconds": settings.future_seconds,
    })
}

/// Each value is the text of one JSON scalar.
fn entries(metadata: &Metadata) -> Value {
    let entry = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let entries = metadata.entries().iter();
    Value::Object(entries.map(|(name, value)| (name.to_string(), entry(value))).collect())
}

/// What was said by name; money in minor units.
fn application(application: &Application) -> Value {
    let minor = |amount: domain::money::Minor| amount.get().to_string();
    json!({
        "facts": application.given.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "amount": application.amount.map(minor),
        "currency": application.currency.map(|currency| currency.to_string()),
        "paid_at": application.paid_at.map(|at| at.to_string()),
        "invoice": application.invoice.map(invoice),
        "third_party_costs": application.third_party_costs.map(minor),
    })
}

const fn invoice(invoice: Invoice) -> &'static str {
    match invoice {
        Invoice::None => "none",
        Invoice::Reversible => "reversible",
        Invoice::Final => "final",
    }
}

/// What is given back; money in minor units.
fn approval(approval: Approval) -> Value {
    match approval {
        Approval::Money(money) => json!({"money": money.get().to_string()}),
        Approval::Credits(credits) => json!({"credits": credits.to_string()}),
    }
}

/// A payment from before; money in minor units.
fn import(import: &Import) -> Value {
    json!({
        "payment": key(&import.payment),
        "paid_at": import.paid_at.to_string(),
        "currency": import.currency.code(),
        "net": import.net.get().to_string(),
        "tax": import.tax.get().to_string(),
        "granted": pair(import.opening.granted),
        "used": pair(import.opening.used),
        "reason": import.reason.as_str(),
    })
}

const fn lot_kind(kind: LotKind) -> &'static str {
    match kind {
        LotKind::Paid => "paid",
        LotKind::Gift => "gift",
    }
}
