//! The form of what was decided.
//!
//! ```text
//! decision  rules v | policy? v | outcome | effects: effect .. | transfers: transfer ..
//! outcome   01      02      03 | original v      04 | quarantine 1      05
//! transfer  01 | debit | credit | amount z                 of credits, between credit books
//!           02 | debit 1 | credit 1 | currency 3 | amount z        of money
//! book      01 | account text | section 1      02 | house 1
//! holding   01 | payment key      02 | grant 16      03 | account text
//! lot       holding | kind 1
//! terms     account text | since 8 | shortfall 1 | label? text
//! pair      paid z | gift z
//! freeze    freeze id | since 8 | measures 5 | reason? text
//! freeze id 01 | payment key | cause 1      02 | operation 16
//! ```
//!
//! The table of [`Effect`] below is its drawing.

use domain::{
    account::{Closing, DisputeCause, Freeze, FreezeId},
    decision::{
        CreditBook, Decision, Effect, House, MoneyBook, Outcome, Quarantine, Section, Taking,
        Transfer,
    },
    holding::{HoldingId, LotId, Pair, Terms},
};

use super::table::{fields, variants};

fields!(Decision { rules, policy, outcome, effects, transfers });

variants!(Outcome, "outcome" {
    1 => Recorded,
    2 => Ignored,
    3 => Conflict { original },
    4 => Quarantined(quarantine),
    5 => Done,
});

variants!(Quarantine, "cause of a quarantine" {
    1 => Malformed,
    2 => UnknownAction,
    3 => UnknownCurrency,
    4 => AmountInvalid,
    5 => Stale,
    6 => Simulated,
    7 => Undecided,
});

variants!(Effect, "effect" {
    1 => PaymentAssigned { payment, account },
    2 => AccountOpened { account },
    3 => HoldingOpened { holding, terms },
    4 => Granted { lot, amount },
    5 => Taken { holding, by, amount },
    6 => Awaited { holding, amount },
    7 => Drawn { lot, amount },
    8 => Settled { giver, taker, amount },
    9 => Unsettled { giver, taker, amount },
    10 => MoneyMoved { payment, currency, received, reversed },
    11 => Frozen { account, freeze },
    12 => Unfrozen { account, freeze },
    13 => ChargebackCounted { account, payment, filed_at },
    14 => Closed { account, by },
    15 => Reopened { account },
    16 => Raised(exception),
    17 => Cleared(exception),
    18 => HoldPlaced { hold, account, expires_at },
    19 => Reserved { hold, lot, amount },
    20 => Unreserved { hold, lot, amount },
    21 => HoldEnded { hold, end },
    22 => Debited { debit, usage },
    23 => Returned { debit, lot, amount },
    24 => Forgiven { holding, amount },
    25 => CustomerAssigned { customer, account },
    26 => PaymentImported(import),
    27 => CaseChanged(case),
    28 => DisputeRuled { payment, ruling },
    29 => Resolved(exception),
    30 => Released(record),
});

variants!(Taking, "cause of a taking" {
    1 => Refund,
    2 => Chargeback,
});

variants!(Transfer, "transfer" {
    1 => Credits { debit, credit, amount },
    2 => Money { debit, credit, currency, amount },
});

variants!(CreditBook, "book account for credits" {
    1 => Customer(account, section),
    2 => House(house),
});

variants!(Section, "section of an account" {
    1 => Paid,
    2 => Gift,
    3 => Held,
    4 => Owed,
    5 => WrittenOff,
});

variants!(House, "book account of the house" {
    1 => Sold,
    2 => Given,
    3 => Used,
    4 => Returned,
    5 => ChargedBack,
});

variants!(MoneyBook, "book account for money" {
    1 => Processor,
    2 => Receipts,
});

variants!(HoldingId, "holding" {
    1 => Payment(payment),
    2 => Grant(id),
    3 => Overdraft(account),
});

fields!(LotId { holding, kind });

fields!(Terms { account, since, shortfall, label });

fields!(Pair { paid, gift });

fields!(Freeze { id, since, measures, reason });

variants!(FreezeId, "freeze" {
    1 => Dispute { payment, cause },
    2 => Operator(id),
});

variants!(DisputeCause, "cause of a dispute" {
    1 => Warning,
    2 => Chargeback,
});

variants!(Closing, "cause of a closing" {
    1 => Policy,
    2 => Operator,
});
