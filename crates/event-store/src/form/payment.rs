//! The form of what is known of a payment beside its notices.
//!
//! ```text
//! payment  account? text | customer? text | currency? 3 | paid? | unpaid_at? 8
//!          | adjustments: (id text | adjustment) .. | accounts_differ 1 | currencies_differ 1
//!          | received z | reversed z | exceptions: (kind 1 | exception id) .. | opening?
//!          | claims: (case 16 | claim) .. | rulings: ruling ..
//! paid     earliest_at 8 | latest_at 8 | completed 1 | basket
//! opening  granted: pair | used: pair
//! ruling   cause 1 | ruled | filings: text ..
//! ruled    01 | conclusion 1      02 | measure 1
//! ```

use domain::payment::{Clearable, Conclusion, Opening, Paid, Payment, Ruled, Ruling};

use super::table::{fields, variants};

fields!(Payment {
    account,
    customer,
    currency,
    paid,
    unpaid_at,
    adjustments,
    accounts_differ,
    currencies_differ,
    received,
    reversed,
    exceptions,
    opening,
    claims,
    rulings,
});

fields!(Paid { earliest_at, latest_at, completed, basket });

fields!(Opening { granted, used });

fields!(Ruling { cause, what, filings });

variants!(Ruled, "ruling" {
    1 => Concluded(conclusion),
    2 => Cleared(measure),
});

variants!(Conclusion, "conclusion of a dispute" {
    1 => Lost,
    2 => Settled,
});

variants!(Clearable, "measure to clear" {
    1 => Verification,
    2 => Service,
});
