//! The domain's words as the published ones.

use balance_events::{
    account_view::{AccountView, FreezeView, MeasuresView},
    envelope::{Cause, Movement},
};
use domain::{
    account::{Freeze, Status, View},
    credits::CreditOverflow,
    decision::{CreditBook, Decision, House, Section, Transfer},
    ids::{AccountId, EventKey, LedgerId, PaymentKey},
    input::Input,
    notice::Notice,
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
};

/// What anyone with the right may see of an account.
///
/// # Errors
/// A balance out of range, which no folded record leads to.
pub fn account_view(
    ledger: &LedgerId,
    account: &AccountId,
    unit: &str,
    view: &View,
) -> Result<AccountView, CreditOverflow> {
    Ok(AccountView {
        ledger: ledger.to_string(),
        account: account.to_string(),
        status: status(view.status()).to_owned(),
        can_spend: view.can_spend(),
        checkout: checkout_of_account(view.checkout()).to_owned(),
        available: view.books.available()?.to_string(),
        paid: view.books.paid.to_string(),
        gift: view.books.gift.to_string(),
        held: view.books.held.to_string(),
        owed: view.books.owed.to_string(),
        written_off: view.books.written_off.to_string(),
        unit: unit.to_owned(),
        freezes: view.freezes.values().map(freeze_view).collect(),
        version: view.version,
        sequence: view.sequence.map_or(0, domain::ids::Sequence::get),
    })
}

/// The transfers of a decision that touch an account, in order, as its subscribers read them.
#[must_use]
pub fn movements(decision: &Decision, account: &AccountId) -> Vec<Movement> {
    let touching = decision.transfers.iter().filter_map(|transfer| match transfer {
        Transfer::Credits { debit, credit, amount } => {
            let touches = debit.customer() == Some(account) || credit.customer() == Some(account);
            touches.then(|| Movement {
                from: book(debit, account).to_owned(),
                to: book(credit, account).to_owned(),
                amount: amount.to_string(),
            })
        }
        Transfer::Money { .. } => None,
    });
    touching.collect()
}

/// What a record was.
#[must_use]
pub fn cause(input: &Input) -> Cause {
    match input {
        Input::Delivery(delivery) => Cause::Delivery {
            event: match &delivery.event {
                EventKey::Event { id, .. } => id.to_string(),
                EventKey::Body { digest, .. } => format!("sha256:{digest}"),
            },
            event_type: delivery.event_type.as_deref().map(str::to_owned),
            payment: delivery
                .notice
                .as_ref()
                .ok()
                .and_then(payment)
                .map(|payment| payment.id.to_string()),
        },
        Input::Command(command) => {
            Cause::Command { id: command.id.to_string(), order: command.order.name().to_owned() }
        }
    }
}

const fn payment(notice: &Notice) -> Option<&PaymentKey> {
    match notice {
        Notice::Purchase(purchase) => Some(&purchase.payment),
        Notice::Adjustment(adjustment) => Some(&adjustment.payment),
        Notice::Nothing => None,
    }
}

/// A book's name for the subscribers of `account`, who learn of no other customer.
fn book(book: &CreditBook, account: &AccountId) -> &'static str {
    match book {
        CreditBook::Customer(owner, _) if owner != account => "other",
        CreditBook::Customer(_, Section::Paid) => "paid",
        CreditBook::Customer(_, Section::Gift) => "gift",
        CreditBook::Customer(_, Section::Held) => "held",
        CreditBook::Customer(_, Section::Owed) => "owed",
        CreditBook::Customer(_, Section::WrittenOff) => "written_off",
        CreditBook::House(House::Sold) => "house:sold",
        CreditBook::House(House::Given) => "house:given",
        CreditBook::House(House::Used) => "house:used",
        CreditBook::House(House::Returned) => "house:returned",
        CreditBook::House(House::ChargedBack) => "house:charged_back",
    }
}

fn freeze_view(freeze: &Freeze) -> FreezeView {
    FreezeView {
        id: freeze.id.to_string(),
        cause: freeze.id.cause().to_owned(),
        payment: freeze.id.payment().map(|payment| payment.id.to_string()),
        since: freeze.since.to_string(),
        measures: measures_view(&freeze.measures),
    }
}

fn measures_view(measures: &Measures) -> MeasuresView {
    let spending = match measures.spending {
        Spending::Allow => "allow",
        Spending::Suspend => "suspend",
    };
    let balance = match measures.balance {
        Balance::Keep => "keep",
        Balance::FreezePayment => "freeze-payment",
        Balance::FreezeAccount => "freeze-account",
    };
    let checkout = match measures.checkout {
        Checkout::Open => "open",
        Checkout::Limit => "limit",
    };
    let verification = match measures.verification {
        Verification::None => "none",
        Verification::Require => "require",
    };
    let service = match measures.service {
        Service::Normal => "normal",
        Service::Restrict => "restrict",
    };
    MeasuresView {
        spending: spending.to_owned(),
        balance: balance.to_owned(),
        checkout: checkout.to_owned(),
        verification: verification.to_owned(),
        service: service.to_owned(),
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}

const fn checkout_of_account(checkout: Checkout) -> &'static str {
    match checkout {
        Checkout::Open => "open",
        Checkout::Limit => "limited",
    }
}
