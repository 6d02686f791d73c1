//! What the rules refuse, as the outside sees it: a stable code, and what can be done about it.

use axum::http::StatusCode;
use domain::{ids::Text, refusal::Refusal};
use serde_json::{Value, json};

use super::Problem;

const CONFLICT: StatusCode = StatusCode::CONFLICT;
const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let told = Told::of(&refusal);
        let member = member(refusal);
        let problem = match told {
            Told::Refused(status, code, detail) => Self::new(status, code, detail),
            Told::Because(status, code, detail) => Self::new(status, code, detail),
            Told::Undecided(what) => {
                tracing::error!(what, "a command could not be decided; nothing moved");
                Self::internal()
            }
        };
        match member {
            Some((name, value)) => problem.with(name, value),
            None => problem,
        }
    }
}

/// What is told of a refusal.
enum Told {
    /// A sentence that is always the same.
    Refused(StatusCode, &'static str, &'static str),
    /// A sentence that names what is wrong.
    Because(StatusCode, &'static str, String),
    /// A fault of ours.
    Undecided(&'static str),
}

impl Told {
    #[expect(clippy::too_many_lines, reason = "it is one table")]
    fn of(refusal: &Refusal) -> Self {
        let (status, code, detail) = match refusal {
            Refusal::AmountInvalid { detail } => {
                return Self::Because(UNFIT, "amount_invalid", format!("the amount {detail}"));
            }
            Refusal::ImportInvalid { detail } => {
                return Self::Because(UNFIT, "import_invalid", (*detail).to_owned());
            }
            Refusal::StillUnreadable { detail } => {
                return Self::Because(UNFIT, "record_unreadable", detail.to_string());
            }
            Refusal::ApprovalUnfit { detail } => {
                return Self::Because(UNFIT, "amount_invalid", (*detail).to_owned());
            }
            Refusal::PolicyRefused(fault) => {
                return Self::Because(CONFLICT, "policy_refused", fault.to_string());
            }
            Refusal::Undecided { what } => return Self::Undecided(what),
            Refusal::AccountUnknown => {
                (NOT_FOUND, "account_unknown", "the ledger has no such account")
            }
            Refusal::AccountFrozen => (
                CONFLICT,
                "account_frozen",
                "the account is frozen: its freezes say why, and spending is refused until they end",
            ),
            Refusal::AccountClosed => (
                CONFLICT,
                "account_closed",
                "the account is closed: it takes no new credits, holds or debits",
            ),
            Refusal::CreditsInsufficient { .. } => (
                StatusCode::PAYMENT_REQUIRED,
                "credits_insufficient",
                "less is available than asked for: ask for at most `available`, or buy credits",
            ),
            Refusal::FreezeUnknown => {
                (NOT_FOUND, "freeze_unknown", "the account has no such open freeze by an operator")
            }
            Refusal::KeyReused => (
                UNFIT,
                "idempotency_key_reused",
                "the idempotency key was used for another request: send a new key",
            ),
            Refusal::MetadataMissing { .. } => (
                UNFIT,
                "metadata_missing",
                "the policy asks for metadata that the usage lacks: send the names in `missing` too",
            ),
            Refusal::HoldUnknown => (NOT_FOUND, "hold_unknown", "the account has no such hold"),
            Refusal::HoldFinished => (
                CONFLICT,
                "hold_finished",
                "the hold was captured or released, or its time is over: place a new one",
            ),
            Refusal::HoldTimeInvalid => {
                (UNFIT, "hold_time_invalid", "expires_in_seconds is from 1 to 31536000")
            }
            Refusal::HoldNotOver => (CONFLICT, "hold_not_over", "the hold's time is not over yet"),
            Refusal::CaptureAboveHold { .. } => (
                UNFIT,
                "capture_above_hold",
                "more is captured than was reserved: capture at most `reserved`, debit the rest",
            ),
            Refusal::DebitUnknown => (NOT_FOUND, "debit_unknown", "the account has no such debit"),
            Refusal::ReturnAlreadyMade => (
                CONFLICT,
                "return_already_made",
                "the debit was made good already, which can be done once",
            ),
            Refusal::ReturnAboveDebit { .. } => (
                UNFIT,
                "return_above_debit",
                "more is returned than was used: return at most `used`",
            ),
            Refusal::ReturnsNotOffered => {
                (CONFLICT, "returns_not_offered", "the policy in force has no credit returns")
            }
            Refusal::MeasureUnknown => (
                NOT_FOUND,
                "measure_unknown",
                "the account has no such open cause, or the cause has no such measure",
            ),
            Refusal::WriteOffAboveOwed { .. } => (
                UNFIT,
                "write_off_above_owed",
                "more is written off than is owed: write off at most `owed`",
            ),
            Refusal::PaymentUnknown => {
                (NOT_FOUND, "payment_unknown", "the ledger has no such payment")
            }
            Refusal::PaymentOfAnotherAccount => (
                CONFLICT,
                "payment_of_another_account",
                "the payment belongs to another account, which keeps it",
            ),
            Refusal::PaymentAssigned => {
                (CONFLICT, "payment_assigned", "the payment has an account already, which keeps it")
            }
            Refusal::PaymentKnown => (
                CONFLICT,
                "payment_known",
                "the ledger has the payment already: leave it out of the import",
            ),
            Refusal::RefundsNotOffered => {
                (UNFIT, "refunds_not_offered", "the policy in force has no refunds")
            }
            Refusal::ReasonUnknown { .. } => (
                UNFIT,
                "reason_unknown",
                "the policy in force has no such reason: give one of `reasons`",
            ),
            Refusal::CaseAlreadyOpen => (
                CONFLICT,
                "case_already_open",
                "a case for the payment is open: go on with that one",
            ),
            Refusal::CaseUnknown => (NOT_FOUND, "case_unknown", "the ledger has no such case"),
            Refusal::CaseFinished => (
                CONFLICT,
                "case_finished",
                "the case has ended, or waits for the processor's refund alone",
            ),
            Refusal::CaseIncomplete => (
                CONFLICT,
                "case_incomplete",
                "the case waits for information: provide it, deny the case or withdraw it",
            ),
            Refusal::ApprovalAbovePaid { .. } => (
                UNFIT,
                "approval_above_paid",
                "more is approved than was paid and not yet reversed: approve at most `paid`",
            ),
            Refusal::DisputeUnknown => {
                (NOT_FOUND, "dispute_unknown", "the payment has no such open dispute")
            }
            Refusal::NotQuarantined => (
                CONFLICT,
                "not_quarantined",
                "the record is no delivery in quarantine, or it was released already",
            ),
            Refusal::SimulatedInLive => (
                CONFLICT,
                "simulated_in_live",
                "a simulated event never acts in a live ledger: resolve the exception instead",
            ),
            Refusal::ExceptionUnknown => {
                (NOT_FOUND, "exception_unknown", "the ledger has no such exception")
            }
            Refusal::ExceptionEnded => (CONFLICT, "exception_ended", "the exception has ended"),
            Refusal::RecordUnknown { .. } => {
                (NOT_FOUND, "record_unknown", "the ledger has no such record")
            }
            Refusal::ErasureInvalid { .. } => {
                (UNFIT, "erasure_invalid", "an erasure names 1 to 4096 records")
            }
        };
        Self::Refused(status, code, detail)
    }
}

/// What a caller can act on.
fn member(refusal: Refusal) -> Option<(&'static str, Value)> {
    let member = match refusal {
        Refusal::CreditsInsufficient { available } => ("available", json!(available.to_string())),
        Refusal::MetadataMissing { names } => ("missing", texts(names)),
        Refusal::CaptureAboveHold { reserved } => ("reserved", json!(reserved.to_string())),
        Refusal::ReturnAboveDebit { used } => ("used", json!(used.to_string())),
        Refusal::WriteOffAboveOwed { owed } => ("owed", json!(owed.to_string())),
        Refusal::ReasonUnknown { reasons } => ("reasons", texts(reasons)),
        Refusal::ApprovalAbovePaid { paid, currency } => ("paid", json!(paid.major(currency))),
        Refusal::AccountUnknown
        | Refusal::AccountFrozen
        | Refusal::AccountClosed
        | Refusal::FreezeUnknown
        | Refusal::KeyReused
        | Refusal::HoldUnknown
        | Refusal::HoldFinished
        | Refusal::HoldTimeInvalid
        | Refusal::HoldNotOver
        | Refusal::DebitUnknown
        | Refusal::ReturnAlreadyMade
        | Refusal::ReturnsNotOffered
        | Refusal::MeasureUnknown
        | Refusal::PaymentUnknown
        | Refusal::PaymentOfAnotherAccount
        | Refusal::PaymentAssigned
        | Refusal::PaymentKnown
        | Refusal::RefundsNotOffered
        | Refusal::CaseAlreadyOpen
        | Refusal::CaseUnknown
        | Refusal::CaseFinished
        | Refusal::CaseIncomplete
        | Refusal::DisputeUnknown
        | Refusal::NotQuarantined
        | Refusal::SimulatedInLive
        | Refusal::ExceptionUnknown
        | Refusal::ExceptionEnded
        | Refusal::RecordUnknown { .. }
        | Refusal::ErasureInvalid { .. }
        | Refusal::AmountInvalid { .. }
        | Refusal::ImportInvalid { .. }
        | Refusal::ApprovalUnfit { .. }
        | Refusal::StillUnreadable { .. }
        | Refusal::PolicyRefused(_)
        | Refusal::Undecided { .. } => return None,
    };
    Some(member)
}

fn texts(texts: impl IntoIterator<Item = Text>) -> Value {
    texts.into_iter().map(|text| Value::from(text.as_str())).collect()
}
