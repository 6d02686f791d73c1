//! The form of what a person must see.
//!
//! ```text
//! filed         exception | ended?
//! ended         sequence v | at 8 | by 1
//! exception     exception id | raised_at 8 | account? text | payment key? | detail text
//! exception id  sequence v | kind 1
//! ```

use domain::exception::{Ended, Ending, Exception, ExceptionId, ExceptionKind, Filed};

use super::table::{fields, variants};

fields!(Filed { exception, ended });

fields!(Ended { sequence, at, by });

variants!(Ending, "end of an exception" {
    1 => CauseGone,
    2 => Resolved,
});

fields!(Exception { id, raised_at, account, payment, detail });

fields!(ExceptionId { sequence, kind });

variants!(ExceptionKind, "kind of exception" {
    1 => Orphan,
    2 => Unassigned,
    3 => Conflict,
    4 => Stale,
    5 => Simulated,
    6 => Malformed,
    7 => UnknownAction,
    8 => UnknownCurrency,
    9 => AmountInvalid,
    10 => CurrencyMismatch,
    11 => AccountMismatch,
    12 => OverRefund,
    13 => UnlistedPrice,
    14 => PaidThenCanceled,
    15 => ClosedAccount,
    16 => Undecided,
});
