//! The form of a refund case.
//!
//! ```text
//! case         id 16 | account text | payment key | reason text | application | policy v | status
//!              | quote | claim
//! application  given: text .. | amount? z | currency? 3 | paid_at? 8 | invoice? 1
//!              | third_party_costs? z
//! status       01 | missing: text .. | wrong: text ..      02 | due_at 8      03 | due_at 8
//!              04 | money z      05 | credits z      06 | rule text | by 1      07      08
//! quote        remedy 1 | currency 3 | lines: (what 1 | amount z) .. | money z | credits: pair
//! claim        account text | opened_at 8 | ended? (at 8 | end 1) | credits? pair | money z
//!              | earlier: text .. | own: text ..
//! ```

use domain::case::{
    Application, Case, CaseStatus, Charge, Claim, ClaimEnd, Decider, Invoice, Quote, QuoteLine,
};

use super::table::{fields, variants};

fields!(Case { id, account, payment, reason, application, policy, status, quote, claim });

fields!(Application { given, amount, currency, paid_at, invoice, third_party_costs });

variants!(Invoice, "state of an invoice" {
    1 => None,
    2 => Reversible,
    3 => Final,
});

variants!(CaseStatus, "status of a case" {
    1 => NeedsInformation { missing, wrong },
    2 => InReview { due_at },
    3 => Eligible { due_at },
    4 => Approved { money },
    5 => Corrected { credits },
    6 => Denied { rule, by },
    7 => Withdrawn,
    8 => Refunded,
});

variants!(Decider, "decider of a case" {
    1 => Policy,
    2 => Operator,
});

fields!(Quote { remedy, currency, lines, money, credits });

fields!(QuoteLine { what, amount });

variants!(Charge, "line of a quote" {
    1 => UnusedBalance,
    2 => Tax,
    3 => ChannelFee,
    4 => InvoiceTax,
    5 => GiftUsed,
    6 => Promotion,
    7 => ThirdPartyCosts,
});

fields!(Claim { account, opened_at, ended, credits, money, earlier, own });

variants!(ClaimEnd, "end of a claim" {
    1 => Dropped,
    2 => Refunded,
});
