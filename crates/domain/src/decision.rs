//! What was decided: facts to apply and transfers to post, never a resulting balance.

use crate::{
    account::{Closing, Freeze, FreezeId},
    case::Case,
    credits::Credits,
    exception::{Exception, ExceptionId},
    holding::{HoldingId, LotId, Pair, Terms},
    ids::{AccountId, CustomerKey, OperationId, PaymentKey, Sequence},
    input::Import,
    money::{Currency, Minor},
    payment::Ruling,
    time::Timestamp,
    usage::{Debit, HoldEnd},
};

/// The version of the rules in this program. A decision names the one that made it. Who raises it
/// says in the audit (`verify/again.rs`) what the rules before did not do.
pub const RULES_VERSION: u16 = 2;

/// What one input led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The version of the rules that decided.
    pub rules: u16,
    /// The version of the policy that decided; none where no policy was asked.
    pub policy: Option<u32>,
    /// The answer.
    pub outcome: Outcome,
    /// What changes, in order.
    pub effects: Vec<Effect>,
    /// What moves between the book accounts, in order. Every one balances by its shape.
    pub transfers: Vec<Transfer>,
}

/// The answer to a recorded input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A delivery that matters for balances was taken in.
    Recorded,
    /// A delivery that says nothing for balances was taken in.
    Ignored,
    /// A delivery has the id of an earlier event and other content.
    Conflict {
        /// The earlier one's.
        original: Sequence,
    },
    /// A delivery was kept and moves nothing.
    Quarantined(Quarantine),
    /// A command was carried out.
    Done,
}

/// Why a delivery was kept without moving anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quarantine {
    /// It could not be read.
    Malformed,
    /// An adjustment's action or status is not known.
    UnknownAction,
    /// Its currency is not known.
    UnknownCurrency,
    /// An amount is no integer or out of range.
    AmountInvalid,
    /// It came too late, or from the future.
    Stale,
    /// The provider's simulator made it and the ledger is live.
    Simulated,
    /// The decision failed its own checks.
    Undecided,
}

/// One change to the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A payment belongs to an account from now on.
    PaymentAssigned {
        /// The payment.
        payment: PaymentKey,
        /// Its account.
        account: AccountId,
    },
    /// An account exists from now on.
    AccountOpened {
        /// The account.
        account: AccountId,
    },
    /// A payment or grant has lots, on these terms, from now on.
    HoldingOpened {
        /// Whose lots.
        holding: HoldingId,
        /// Account, age and what becomes of a shortfall.
        terms: Terms,
    },
    /// A lot was granted credits; below zero where an earlier total was too high.
    Granted {
        /// The lot.
        lot: LotId,
        /// How much more than before.
        amount: Credits,
    },
    /// More (below zero: less) of what was granted is taken back.
    Taken {
        /// From whose lots.
        holding: HoldingId,
        /// By what.
        by: Taking,
        /// How much more than before, by share.
        amount: Pair,
    },
    /// More (below zero: less) awaits a decision on a refund.
    Awaited {
        /// In whose lots.
        holding: HoldingId,
        /// How much more than before, by share.
        amount: Pair,
    },
    /// A hold exists from now on.
    HoldPlaced {
        /// The hold: the id of its command.
        hold: OperationId,
        /// Whose.
        account: AccountId,
        /// When it ends by itself.
        expires_at: Timestamp,
    },
    /// Credits were reserved by a hold.
    Reserved {
        /// The hold.
        hold: OperationId,
        /// In this lot.
        lot: LotId,
        /// How much, positive.
        amount: Credits,
    },
    /// Reserved credits were set free.
    Unreserved {
        /// The hold.
        hold: OperationId,
        /// In this lot.
        lot: LotId,
        /// How much, positive.
        amount: Credits,
    },
    /// A hold ended.
    HoldEnded {
        /// The hold.
        hold: OperationId,
        /// How.
        end: HoldEnd,
    },
    /// Usage is known by an id from now on, so that it can be made good.
    Debited {
        /// The id of its command.
        debit: OperationId,
        /// What was used, of which lots, and how the account stood.
        usage: Box<Debit>,
    },
    /// Used credits came back.
    Returned {
        /// What they make good.
        debit: OperationId,
        /// Into this lot.
        lot: LotId,
        /// How much, positive.
        amount: Credits,
    },
    /// More (below zero: less) of a shortfall is forgiven.
    Forgiven {
        /// Of which lots.
        holding: HoldingId,
        /// How much more than before.
        amount: Credits,
    },
    /// Credits were used.
    Drawn {
        /// From this lot.
        lot: LotId,
        /// How much, positive.
        amount: Credits,
    },
    /// Free paid credits of one holding went to what another lacks.
    Settled {
        /// Who had them.
        giver: HoldingId,
        /// Who lacked them.
        taker: HoldingId,
        /// How much, positive.
        amount: Credits,
    },
    /// What was given to another holding came back, since it is no longer lacking.
    Unsettled {
        /// Who had given them.
        giver: HoldingId,
        /// Who no longer lacks them.
        taker: HoldingId,
        /// How much, positive.
        amount: Credits,
    },
    /// Money came in for a payment, or was paid back (both may be below zero as corrections).
    MoneyMoved {
        /// The payment.
        payment: PaymentKey,
        /// Of both amounts.
        currency: Currency,
        /// How much more was received than before.
        received: Minor,
        /// How much more was reversed than before.
        reversed: Minor,
    },
    /// A cause froze an account, or its measures changed.
    Frozen {
        /// The account.
        account: AccountId,
        /// The freeze, replacing one of the same id.
        freeze: Freeze,
    },
    /// A cause ended.
    Unfrozen {
        /// The account.
        account: AccountId,
        /// The freeze that ended.
        freeze: FreezeId,
    },
    /// A chargeback counts against an account.
    ChargebackCounted {
        /// The account.
        account: AccountId,
        /// On which payment.
        payment: PaymentKey,
        /// When the first one on it was filed; none when it no longer counts.
        filed_at: Option<Timestamp>,
    },
    /// An account was closed.
    Closed {
        /// The account.
        account: AccountId,
        /// By what.
        by: Closing,
    },
    /// What had closed an account no longer holds.
    Reopened {
        /// The account.
        account: AccountId,
    },
    /// A provider's customer belongs to an account for later purchases.
    CustomerAssigned {
        /// The customer.
        customer: CustomerKey,
        /// The account.
        account: AccountId,
    },
    /// A payment from before Tallyhook is known from now on.
    PaymentImported(Box<Import>),
    /// A refund case stands like this from now on.
    CaseChanged(Box<Case>),
    /// An operator said something of a payment's disputes.
    DisputeRuled {
        /// The payment.
        payment: PaymentKey,
        /// What.
        ruling: Ruling,
    },
    /// Something that a person must see.
    Raised(Exception),
    /// The cause of an exception is gone.
    Cleared(ExceptionId),
    /// A person resolved an exception.
    Resolved(ExceptionId),
    /// A record in quarantine was released.
    Released(Sequence),
}

/// What takes credits back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Taking {
    /// A refund or credit.
    Refund,
    /// A chargeback or warning.
    Chargeback,
}

/// One debit and one equal credit between two book accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Of credits.
    Credits {
        /// Where they leave: a balance is its credits less its debits.
        debit: CreditBook,
        /// Where they arrive.
        credit: CreditBook,
        /// How many, positive.
        amount: Credits,
    },
    /// Of money.
    Money {
        /// The book debited: a balance is its credits less its debits.
        debit: MoneyBook,
        /// The book credited.
        credit: MoneyBook,
        /// Of the amount.
        currency: Currency,
        /// How much, positive.
        amount: Minor,
    },
}

/// A book account for credits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CreditBook {
    /// A customer's.
    Customer(AccountId, Section),
    /// The house's.
    House(House),
}

/// The parts of a customer's account. The last two hold what was taken beyond what was left:
/// their balances are never above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Spendable, paid for.
    Paid,
    /// Spendable, given.
    Gift,
    /// Not spendable now.
    Held,
    /// Owed by the customer.
    Owed,
    /// Forgiven.
    WrittenOff,
}

/// The house's book accounts for credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum House {
    /// Where sold credits come from.
    Sold,
    /// Where given credits come from.
    Given,
    /// Where used credits go.
    Used,
    /// Where refunded credits go.
    Returned,
    /// Where charged-back credits go.
    ChargedBack,
}

/// The book accounts for money, per currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoneyBook {
    /// What the processor holds for us.
    Processor,
    /// What customers paid, net.
    Receipts,
}

impl Decision {
    /// The accounts that this decision changes, each once, in order.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = self.touched().cloned().collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Whether this decision changes an account.
    #[must_use]
    pub fn touches(&self, account: &AccountId) -> bool {
        self.touched().any(|touched| touched == account)
    }

    fn touched(&self) -> impl Iterator<Item = &AccountId> {
        let moved = self.transfers.iter().flat_map(|transfer| match transfer {
            Transfer::Credits { debit, credit, .. } => [debit.customer(), credit.customer()],
            Transfer::Money { .. } => [None, None],
        });
        moved.flatten().chain(self.effects.iter().filter_map(Effect::account))
    }
}

impl CreditBook {
    /// The customer's account that this book is a part of.
    #[must_use]
    pub const fn customer(&self) -> Option<&AccountId> {
        match self {
            Self::Customer(account, _) => Some(account),
            Self::House(_) => None,
        }
    }
}

impl Effect {
    /// The account whose standing this effect changes by itself, apart from any transfer.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::AccountOpened { account }
            | Self::Frozen { account, .. }
            | Self::Unfrozen { account, .. }
            | Self::Closed { account, .. }
            | Self::Reopened { account } => Some(account),
            Self::PaymentAssigned { .. }
            | Self::HoldingOpened { .. }
            | Self::Granted { .. }
            | Self::Taken { .. }
            | Self::Awaited { .. }
            | Self::Drawn { .. }
            | Self::Settled { .. }
            | Self::Unsettled { .. }
            | Self::HoldPlaced { .. }
            | Self::Reserved { .. }
            | Self::Unreserved { .. }
            | Self::HoldEnded { .. }
            | Self::Debited { .. }
            | Self::Returned { .. }
            | Self::Forgiven { .. }
            | Self::MoneyMoved { .. }
            | Self::ChargebackCounted { .. }
            | Self::CustomerAssigned { .. }
            | Self::PaymentImported(_)
            | Self::CaseChanged(_)
            | Self::DisputeRuled { .. }
            | Self::Raised(_)
            | Self::Cleared(_)
            | Self::Resolved(_)
            | Self::Released(_) => None,
        }
    }

    /// The holding that this effect moves credits of.
    #[must_use]
    pub const fn holding(&self) -> Option<&HoldingId> {
        match self {
            Self::HoldingOpened { holding, .. }
            | Self::Taken { holding, .. }
            | Self::Awaited { holding, .. }
            | Self::Forgiven { holding, .. }
            | Self::Settled { taker: holding, .. }
            | Self::Unsettled { taker: holding, .. } => Some(holding),
            Self::Granted { lot, .. }
            | Self::Drawn { lot, .. }
            | Self::Reserved { lot, .. }
            | Self::Unreserved { lot, .. }
            | Self::Returned { lot, .. } => Some(&lot.holding),
            Self::PaymentAssigned { .. }
            | Self::AccountOpened { .. }
            | Self::HoldPlaced { .. }
            | Self::HoldEnded { .. }
            | Self::Debited { .. }
            | Self::MoneyMoved { .. }
            | Self::Frozen { .. }
            | Self::Unfrozen { .. }
            | Self::ChargebackCounted { .. }
            | Self::Closed { .. }
            | Self::Reopened { .. }
            | Self::CustomerAssigned { .. }
            | Self::PaymentImported(_)
            | Self::CaseChanged(_)
            | Self::DisputeRuled { .. }
            | Self::Raised(_)
            | Self::Cleared(_)
            | Self::Resolved(_)
            | Self::Released(_) => None,
        }
    }
}
