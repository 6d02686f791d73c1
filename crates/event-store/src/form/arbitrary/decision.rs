//! Any decision: every outcome, effect and transfer.

use domain::{
    account::{Closing, DisputeCause, Freeze, FreezeId},
    decision::{
        CreditBook, Decision, Effect, House, MoneyBook, Outcome, Quarantine, Section, Taking,
        Transfer,
    },
    holding::{HoldingId, LotId, Pair, Terms},
    ids::AccountId,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    case::case,
    exception::{exception, exception_id},
    order::{import, lot_kind},
    payment::ruling,
    policy::{measures, shortfall},
    usage::{debit, hold_end},
    values::{
        credits, currency, customer_key, id, minor, moment, operation_id, payment_key, sequence,
        short_text,
    },
};

pub(crate) fn decision() -> BoxedStrategy<Decision> {
    let versions = (any::<u16>(), any::<Option<u32>>());
    (versions, outcome(), vec(effect(), 0..6), vec(transfer(), 0..6))
        .prop_map(|((rules, policy), outcome, effects, transfers)| Decision {
            rules,
            policy,
            outcome,
            effects,
            transfers,
        })
        .boxed()
}

pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Recorded),
        Just(Outcome::Ignored),
        sequence().prop_map(|original| Outcome::Conflict { original }),
        quarantine().prop_map(Outcome::Quarantined),
        Just(Outcome::Done),
    ]
}

pub(crate) fn quarantine() -> impl Strategy<Value = Quarantine> {
    select(vec![
        Quarantine::Malformed,
        Quarantine::UnknownAction,
        Quarantine::UnknownCurrency,
        Quarantine::AmountInvalid,
        Quarantine::Stale,
        Quarantine::Simulated,
        Quarantine::Undecided,
    ])
}

pub(crate) fn effect() -> BoxedStrategy<Effect> {
    prop_oneof![
        effect_on_holding(),
        effect_of_usage(),
        effect_on_account(),
        effect_on_payment(),
        exceptional(),
    ]
    .boxed()
}

fn effect_of_usage() -> BoxedStrategy<Effect> {
    let parts = || (operation_id(), lot_id(), credits());
    prop_oneof![
        (operation_id(), account(), moment()).prop_map(|(hold, account, expires_at)| {
            Effect::HoldPlaced { hold, account, expires_at }
        }),
        parts().prop_map(|(hold, lot, amount)| Effect::Reserved { hold, lot, amount }),
        parts().prop_map(|(hold, lot, amount)| Effect::Unreserved { hold, lot, amount }),
        (operation_id(), hold_end()).prop_map(|(hold, end)| Effect::HoldEnded { hold, end }),
        (operation_id(), debit())
            .prop_map(|(debit, usage)| Effect::Debited { debit, usage: Box::new(usage) }),
        parts().prop_map(|(debit, lot, amount)| Effect::Returned { debit, lot, amount }),
    ]
    .boxed()
}

fn account() -> impl Strategy<Value = AccountId> {
    id(AccountId::new)
}

fn effect_on_payment() -> BoxedStrategy<Effect> {
    prop_oneof![
        (payment_key(), account())
            .prop_map(|(payment, account)| Effect::PaymentAssigned { payment, account }),
        (payment_key(), currency(), minor(), minor()).prop_map(
            |(payment, currency, received, reversed)| Effect::MoneyMoved {
                payment,
                currency,
                received,
                reversed
            }
        ),
        import().prop_map(|import| Effect::PaymentImported(Box::new(import))),
        case().prop_map(|case| Effect::CaseChanged(Box::new(case))),
        (payment_key(), ruling())
            .prop_map(|(payment, ruling)| Effect::DisputeRuled { payment, ruling }),
    ]
    .boxed()
}

fn effect_on_holding() -> BoxedStrategy<Effect> {
    let by = select(vec![Taking::Refund, Taking::Chargeback]);
    let pairs = || (holding_id(), holding_id(), credits());
    prop_oneof![
        (holding_id(), terms())
            .prop_map(|(holding, terms)| Effect::HoldingOpened { holding, terms }),
        (lot_id(), credits()).prop_map(|(lot, amount)| Effect::Granted { lot, amount }),
        (holding_id(), by, pair()).prop_map(|(holding, by, amount)| Effect::Taken {
            holding,
            by,
            amount
        }),
        (holding_id(), pair()).prop_map(|(holding, amount)| Effect::Awaited { holding, amount }),
        (lot_id(), credits()).prop_map(|(lot, amount)| Effect::Drawn { lot, amount }),
        (holding_id(), credits())
            .prop_map(|(holding, amount)| Effect::Forgiven { holding, amount }),
        pairs().prop_map(|(giver, taker, amount)| Effect::Settled { giver, taker, amount }),
        pairs().prop_map(|(giver, taker, amount)| Effect::Unsettled { giver, taker, amount }),
    ]
    .boxed()
}

fn effect_on_account() -> BoxedStrategy<Effect> {
    prop_oneof![
        account().prop_map(|account| Effect::AccountOpened { account }),
        (account(), freeze()).prop_map(|(account, freeze)| Effect::Frozen { account, freeze }),
        (account(), freeze_id()).prop_map(|(account, freeze)| Effect::Unfrozen { account, freeze }),
        (account(), payment_key(), option::of(moment())).prop_map(
            |(account, payment, filed_at)| Effect::ChargebackCounted { account, payment, filed_at }
        ),
        (account(), closing()).prop_map(|(account, by)| Effect::Closed { account, by }),
        account().prop_map(|account| Effect::Reopened { account }),
        (customer_key(), account())
            .prop_map(|(customer, account)| Effect::CustomerAssigned { customer, account }),
    ]
    .boxed()
}

fn exceptional() -> BoxedStrategy<Effect> {
    prop_oneof![
        exception().prop_map(Effect::Raised),
        exception_id().prop_map(Effect::Cleared),
        exception_id().prop_map(Effect::Resolved),
        sequence().prop_map(Effect::Released),
    ]
    .boxed()
}

pub(crate) fn transfer() -> BoxedStrategy<Transfer> {
    prop_oneof![
        (credit_book(), credit_book(), credits())
            .prop_map(|(debit, credit, amount)| Transfer::Credits { debit, credit, amount }),
        (money_book(), money_book(), currency(), minor()).prop_map(
            |(debit, credit, currency, amount)| Transfer::Money { debit, credit, currency, amount }
        ),
    ]
    .boxed()
}

pub(crate) fn credit_book() -> impl Strategy<Value = CreditBook> {
    prop_oneof![
        (account(), section())
            .prop_map(|(account, section)| CreditBook::Customer(account, section)),
        house().prop_map(CreditBook::House),
    ]
}

pub(crate) fn section() -> impl Strategy<Value = Section> {
    select(vec![Section::Paid, Section::Gift, Section::Held, Section::Owed, Section::WrittenOff])
}

pub(crate) fn house() -> impl Strategy<Value = House> {
    select(vec![House::Sold, House::Given, House::Used, House::Returned, House::ChargedBack])
}

pub(crate) fn money_book() -> impl Strategy<Value = MoneyBook> {
    select(vec![MoneyBook::Processor, MoneyBook::Receipts])
}

pub(crate) fn holding_id() -> BoxedStrategy<HoldingId> {
    prop_oneof![
        payment_key().prop_map(HoldingId::Payment),
        operation_id().prop_map(HoldingId::Grant),
        account().prop_map(HoldingId::Overdraft),
    ]
    .boxed()
}

pub(crate) fn lot_id() -> impl Strategy<Value = LotId> {
    (holding_id(), lot_kind()).prop_map(|(holding, kind)| LotId { holding, kind })
}

pub(crate) fn terms() -> BoxedStrategy<Terms> {
    (account(), moment(), shortfall(), option::of(short_text()))
        .prop_map(|(account, since, shortfall, label)| Terms { account, since, shortfall, label })
        .boxed()
}

pub(crate) fn pair() -> impl Strategy<Value = Pair> {
    (credits(), credits()).prop_map(|(paid, gift)| Pair { paid, gift })
}

pub(crate) fn freeze() -> BoxedStrategy<Freeze> {
    (freeze_id(), moment(), measures(), option::of(short_text()))
        .prop_map(|(id, since, measures, reason)| Freeze { id, since, measures, reason })
        .boxed()
}

pub(crate) fn freeze_id() -> BoxedStrategy<FreezeId> {
    prop_oneof![
        (payment_key(), dispute_cause())
            .prop_map(|(payment, cause)| FreezeId::Dispute { payment, cause }),
        operation_id().prop_map(FreezeId::Operator),
    ]
    .boxed()
}

pub(crate) fn dispute_cause() -> impl Strategy<Value = DisputeCause> {
    select(vec![DisputeCause::Warning, DisputeCause::Chargeback])
}

pub(crate) fn closing() -> impl Strategy<Value = Closing> {
    select(vec![Closing::Policy, Closing::Operator])
}
