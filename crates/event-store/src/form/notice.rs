//! The form of what a delivery says.
//!
//! ```text
//! notice      01 | purchase      02 | adjustment      03
//! purchase    payment key | occurred_at 8 | account? text | customer? text | progress
//! progress    01 | status text      02 | basket      03 | basket
//! basket      currency 3 | subtotal z | discount z | tax z | total z | lines: line ..
//! line        item text | price? text | quantity v | subtotal z | discount z
//! adjustment  id text | payment key | occurred_at 8 | filed_at 8 | action 1 | status 1 | extent 1
//!             | currency 3 | subtotal z | total z | lines: (item text | subtotal z) ..
//!             | customer? text
//! ```

use domain::notice::{
    Action, Adjustment, AdjustmentLine, Basket, Extent, Line, Notice, Progress, Purchase, Status,
};

use super::table::{fields, variants};

variants!(Notice, "notice" {
    1 => Purchase(purchase),
    2 => Adjustment(adjustment),
    3 => Nothing,
});

fields!(Purchase { payment, occurred_at, account, customer, progress });

variants!(Progress, "progress" {
    1 => Unpaid(status),
    2 => Paid(basket),
    3 => Completed(basket),
});

fields!(Basket { currency, subtotal, discount, tax, total, lines });

fields!(Line { item, price, quantity, subtotal, discount });

fields!(Adjustment {
    id,
    payment,
    occurred_at,
    filed_at,
    action,
    status,
    extent,
    currency,
    subtotal,
    total,
    lines,
    customer,
});

fields!(AdjustmentLine { item, subtotal });

variants!(Action, "action" {
    1 => Refund,
    2 => Credit,
    3 => CreditReverse,
    4 => Chargeback,
    5 => ChargebackReverse,
    6 => Warning,
    7 => WarningReverse,
});

variants!(Status, "status of an adjustment" {
    1 => Pending,
    2 => Approved,
    3 => Rejected,
    4 => Reversed,
});

variants!(Extent, "extent" {
    1 => Full,
    2 => Partial,
    3 => Unsaid,
});
