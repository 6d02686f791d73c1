//! A log with every part of the state: it is decided again as it was, and every part is compared.

use std::collections::BTreeSet;

use domain::{
    calendar::{Calendar, Zone},
    case::Application,
    ids::{CustomerId, CustomerKey, PaymentId, PaymentKey},
    input::Freshness,
    record::Record,
    refunds::{QuoteRules, Reason, ReasonVerdict, Refunds, Remedy},
};

use super::*;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn account() -> AccountId {
    AccountId::new("acct-demo").unwrap()
}

fn credits(text: &str) -> Credits {
    Credits::parse(text, 6).unwrap()
}

fn operation(key: &str) -> OperationId {
    OperationId::of(&ledger(), &IdempotencyKey::new(key).unwrap())
}

fn refunds() -> Refunds {
    let reason = Reason {
        verdict: ReasonVerdict::Review,
        rule: text("A1"),
        facts: BTreeSet::new(),
        within_days: None,
        unused: false,
        remedy: Remedy::Refund,
        despite: BTreeSet::new(),
    };
    Refunds {
        facts: BTreeSet::new(),
        review_business_days: 7,
        calendar: Calendar {
            zone: Zone::named("Asia/Shanghai").unwrap(),
            weekend: BTreeSet::new(),
            holidays: BTreeSet::new(),
            working_days: BTreeSet::new(),
        },
        denials: BTreeMap::new(),
        reasons: BTreeMap::from([(text("unused"), reason)]),
        quote: QuoteRules {
            tax: true,
            channel_fee: None,
            invoice_tax: None,
            gift_used: false,
            promotion: false,
            third_party_costs: false,
        },
    }
}

/// A purchase that came too late, and the order that releases it as it reads.
fn stale_purchase() -> (Request, Request) {
    let mut late =
        delivery(BODIES[1], domain::time::Timestamp::from_seconds(1_700_000_000).unwrap());
    let Input::Delivery(own) = &mut late.input else { panic!("no delivery") };
    own.freshness = Freshness::Old;
    let release = Order::Release {
        // After policy and settings.
        record: Sequence::new(3).unwrap(),
        event: own.event.clone(),
        delivery: own.clone(),
        reason: text("it is ours"),
    };
    (late, command("release", release))
}

/// What is done with the purchase once it is released.
fn later() -> Vec<Request> {
    let (late, _) = stale_purchase();
    let Input::Delivery(delivery) = late.input else { panic!("no delivery") };
    let Ok(domain::notice::Notice::Purchase(purchase)) = delivery.notice else {
        panic!("no purchase")
    };
    let (amount, reason, metadata) = (credits("0.5"), text("test"), Metadata::NONE);
    let origin = Origin::new("paddle").unwrap();
    let customer = CustomerKey { origin: origin.clone(), id: CustomerId::new("ctm_1").unwrap() };
    let unknown = PaymentKey { origin, id: PaymentId::new("txn_none").unwrap() };
    let refusal =
        Order::AssignPayment { payment: unknown, account: account(), reason: reason.clone() };
    let payment = purchase.payment;
    let orders = [
        ("hold", Order::Hold { account: account(), amount, expires_in_seconds: 60 }),
        ("held", Order::Hold { account: account(), amount, expires_in_seconds: 60 }),
        ("use", Order::Capture { account: account(), hold: operation("held"), amount, metadata }),
        (
            "return",
            Order::Return {
                account: account(),
                debit: operation("use"),
                amount,
                reason: reason.clone(),
            },
        ),
        (
            "customer",
            Order::AssignCustomer { customer, account: account(), reason: reason.clone() },
        ),
        (
            "case",
            Order::OpenCase {
                account: account(),
                payment,
                reason: text("unused"),
                application: Application::EMPTY,
            },
        ),
        ("refused", refusal),
    ];
    orders.map(|(key, order)| command(key, order)).into()
}

fn write(dir: &Path) -> SledStore {
    let store = SledStore::open(dir, Options::STANDARD).unwrap();
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ()).unwrap();
    let at = domain::time::Timestamp::from_seconds(1_800_000_000).unwrap();
    let policy = Policy { refunds: Some(refunds()), ..policy() };
    engine.step(at, in_force(policy, Stale::Quarantine)).unwrap();
    let (late, release) = stale_purchase();
    engine.step(at, vec![late, delivery(BODIES[4], at), release]).unwrap();
    engine.step(at, later()).unwrap();
    projections.checkpoint().unwrap();
    store
}

#[test]
fn every_part_of_the_state_is_decided_again_and_compared() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let report = audited(&store);
    // All but the refused command.
    assert_eq!((report.findings, report.differences, report.records), (vec![], vec![], 11));
    let parts: BTreeSet<u8> = store
        .views()
        .scan(&[], None, usize::MAX)
        .unwrap()
        .iter()
        .map(|(key, _)| key["sxmain".len()])
        .collect();
    assert_eq!(parts.into_iter().collect::<Vec<u8>>(), b"abcdhpqruxy");
    check_views(&store);
}

#[test]
fn a_release_of_what_was_never_quarantined_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let log = store.log();
    let changed = super::rules::rewritten(&*log, |record: &mut Record| {
        if let Input::Command(command) = &mut record.input
            && let Order::Release { record, .. } = &mut command.order
        {
            *record = Sequence::new(4).unwrap();
        }
    });
    let report = super::rules::audited(&changed);
    let found: Vec<_> = report.findings.iter().map(|found| (found.kind, found.sequence)).collect();
    assert_eq!(found, [(Kind::DecisionDiffers, Sequence::new(5))]);
}
