//! One exception of every kind: what raises it, and when.

use anyhow::Result;
use domain::{exception::ExceptionKind, time::Timestamp};
use serde_json::{Value, json};

use super::bodies::{Bodies, Correction, CorrectionKind, Sale};
use crate::{
    history::seconds,
    paddle::{id, put},
};

/// What raises an exception, or must come before.
pub(super) struct Planned {
    /// It comes after so many records.
    pub(super) after: u64,
    /// Whether it was signed too long ago.
    pub(super) stale: bool,
    step: Step,
    /// Its place among the steps to the exception: each happened a second after the one before.
    place: i64,
    number: u64,
}

/// What comes.
#[derive(Clone, Copy)]
enum Step {
    /// A sale in this currency.
    Sale(&'static str),
    /// The sale's event, changed there.
    Changed(&'static [(&'static str, Change)]),
    /// A refund of so many hundredths of the sale, changed there.
    Refund(u64, u64, &'static [(&'static str, Change)]),
    /// No JSON.
    Nonsense,
    /// A chargeback of the sale with this offset, which closes the account when it is the second.
    Chargeback(u64),
    /// A further sale of the account, with this offset.
    Further(&'static str, u64),
}

/// What stands there instead.
#[derive(Clone, Copy)]
enum Change {
    To(&'static str),
    Null,
    /// An id of its own with this prefix.
    Id(&'static str),
}

use Change::{Id, Null, To};

/// The steps to each kind; the last one raises it.
const fn steps(kind: ExceptionKind) -> &'static [Step] {
    const SALE: Step = Step::Sale("USD");
    match kind {
        ExceptionKind::Orphan => &[Step::Refund(1, 50, &[])],
        ExceptionKind::Unassigned => {
            &[Step::Changed(&[("/data/custom_data", Null), ("/data/customer_id", Null)])]
        }
        ExceptionKind::Conflict => {
            &[SALE, Step::Changed(&[("/data/details/totals/subtotal", To("999"))])]
        }
        ExceptionKind::Stale => &[SALE],
        ExceptionKind::Simulated => &[Step::Changed(&[("/event_id", Id("ntfsimevt"))])],
        ExceptionKind::Malformed => &[Step::Nonsense],
        ExceptionKind::UnknownAction => {
            &[SALE, Step::Refund(1, 50, &[("/data/action", To("gift_card"))])]
        }
        ExceptionKind::UnknownCurrency => &[Step::Sale("XAU")],
        ExceptionKind::AmountInvalid => {
            &[Step::Changed(&[("/data/details/totals/subtotal", To("10.5"))])]
        }
        ExceptionKind::CurrencyMismatch => &[
            SALE,
            Step::Refund(
                1,
                50,
                &[("/data/currency_code", To("EUR")), ("/data/totals/currency_code", To("EUR"))],
            ),
        ],
        ExceptionKind::AccountMismatch => &[
            SALE,
            Step::Changed(&[
                ("/event_id", Id("evt_b")),
                ("/data/custom_data/account_id", To("another-account")),
            ]),
        ],
        ExceptionKind::OverRefund => &[SALE, Step::Refund(1, 70, &[]), Step::Refund(2, 31, &[])],
        ExceptionKind::UnlistedPrice => &[Step::Sale("EUR")],
        ExceptionKind::PaidThenCanceled => {
            &[SALE, Step::Changed(&[("/event_id", Id("evt_b")), ("/data/status", To("canceled"))])]
        }
        ExceptionKind::ClosedAccount => &[
            SALE,
            Step::Further("USD", 1),
            Step::Chargeback(0),
            Step::Chargeback(1),
            Step::Further("USD", 2),
        ],
        ExceptionKind::Undecided => &[Step::Sale("JPY"), Step::Further("JPY", 1)],
    }
}

/// The ids of planned events begin here, beyond all others.
const FIRST: u64 = 900_000_000_000;

/// All kinds, spread over a ledger of so many records, the last one in front.
pub(super) fn plan(records: u64) -> Vec<Planned> {
    let kinds = u64::try_from(ExceptionKind::ALL.len()).unwrap_or(16);
    let mut planned = Vec::new();
    for (place, kind) in (1..).zip(ExceptionKind::ALL) {
        let stale = kind == ExceptionKind::Stale;
        let (after, number) = (records * place / (kinds + 2), FIRST + place * 100);
        let steps = (0..).zip(steps(kind));
        planned.extend(steps.map(|(place, step)| Planned {
            after,
            stale,
            step: *step,
            place,
            number,
        }));
    }
    planned.reverse();
    planned
}

impl Planned {
    pub(super) fn body(&self, bodies: &Bodies, now: Timestamp) -> Result<Vec<u8>> {
        let at = seconds(now.seconds() - 10 + self.place);
        let sale = |offset: u64, currency| Sale {
            number: self.number + offset,
            account: format!("odd-{}", self.number),
            amount: if currency == "JPY" { 1 } else { 1_000 },
            currency,
            pack: false,
        };
        let correction = |offset: u64, amount: u64, kind| {
            let (of, number) = (sale(0, "USD"), self.number + 50 + offset);
            let what = Correction { sale: &of, number, kind, amount, filed_at: at };
            bodies.correction(number, at, &what)
        };
        Ok(match self.step {
            Step::Sale(currency) => bodies.sale(self.number, at, true, &sale(0, currency)),
            Step::Further(currency, offset) => {
                bodies.sale(self.number + offset, at, true, &sale(offset, currency))
            }
            Step::Changed(changes) => {
                changed(&bodies.sale(self.number, at, true, &sale(0, "USD")), self.number, changes)?
            }
            Step::Refund(offset, hundredths, changes) => {
                let body = correction(offset, hundredths * 10, CorrectionKind::RefundApproved);
                changed(&body, self.number, changes)?
            }
            Step::Chargeback(offset) => {
                let (of, number) = (sale(offset, "USD"), self.number + 60 + offset);
                let kind = CorrectionKind::Chargeback;
                let what = Correction { sale: &of, number, kind, amount: of.amount, filed_at: at };
                bodies.correction(number, at, &what)
            }
            Step::Nonsense => b"no JSON at all".to_vec(),
        })
    }
}

fn changed(body: &[u8], number: u64, changes: &[(&str, Change)]) -> Result<Vec<u8>> {
    let mut body: Value = serde_json::from_slice(body)?;
    for (pointer, change) in changes {
        let value = match change {
            To(text) => json!(text),
            Null => Value::Null,
            Id(prefix) => json!(id(prefix, number)),
        };
        put(&mut body, pointer, value)?;
    }
    Ok(body.to_string().into_bytes())
}
