//! A refund case that is opened.

use std::collections::BTreeSet;

use domain::{
    case::{Application, Case, CaseStatus, Charge, Claim, Invoice, Quote, QuoteLine},
    credits::Credits,
    decision::{Effect, Section, Transfer},
    holding::{HoldingId, Pair},
    ids::{AdjustmentId, OperationId, Text},
    input::Order,
    money::Currency,
    record::Record,
    refunds::Remedy,
};

use super::{account, at, commanded, customer, minor, payment};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

/// An application for the unused 20 of 71 credits; a refund of another part is in force already.
pub(crate) fn case_record() -> Record {
    let application = Application {
        given: BTreeSet::from(["amount", "email"].map(text)),
        amount: Some(minor(1080)),
        currency: Some(Currency::new("USD").unwrap()),
        paid_at: None,
        invoice: Some(Invoice::None),
        third_party_costs: None,
    };
    let amount = Credits::parse("20", 0).unwrap();
    let unused = Pair { paid: amount, gift: Credits::ZERO };
    let quote = Quote {
        remedy: Remedy::Refund,
        currency: Currency::new("USD").unwrap(),
        lines: vec![
            QuoteLine { what: Charge::UnusedBalance, amount: minor(281) },
            QuoteLine { what: Charge::ChannelFee, amount: minor(-38) },
        ],
        money: minor(243),
        credits: unused,
    };
    let case = Case {
        id: OperationId(uuid::Uuid::from_bytes([0xcc; 16])),
        account: account(),
        payment: payment(),
        reason: text("unused-credits"),
        application: application.clone(),
        policy: 2,
        status: CaseStatus::Eligible { due_at: at("2026-07-14T16:00:00Z") },
        quote,
        claim: Claim {
            account: account(),
            opened_at: at("2026-07-03T09:08:08Z"),
            ended: None,
            credits: Some(Pair { paid: Credits::parse("20", 0).unwrap(), gift: Credits::ZERO }),
            money: minor(243),
            earlier: BTreeSet::from([AdjustmentId::new("adj_1").unwrap()]),
            own: BTreeSet::new(),
        },
    };
    let order = Order::OpenCase {
        account: account(),
        payment: payment(),
        reason: text("unused-credits"),
        application,
    };
    let awaited = Effect::Awaited { holding: HoldingId::Payment(payment()), amount: unused };
    let effects = vec![Effect::CaseChanged(Box::new(case)), awaited];
    let mut record = commanded("case-1", 4245, order, effects);
    record.decision.transfers = vec![Transfer::Credits {
        debit: customer(Section::Paid),
        credit: customer(Section::Held),
        amount,
    }];
    record
}
