//! A record as a leaf of the Merkle tree. Pure: the same log gives the same leaves everywhere.

use domain::{
    decision::{CreditBook, House, MoneyBook, Section, Transfer},
    ids::LedgerId,
};
use event_store::log::Recorded;
use proof::{
    leaf::{FORM, Leaf, Movement},
    merkle::Hash,
};

/// The leaf of a record.
#[must_use]
pub fn leaf(ledger: &LedgerId, recorded: &Recorded) -> Leaf {
    let record = recorded.record();
    Leaf {
        form: FORM,
        ledger: ledger.to_string(),
        sequence: record.sequence.get(),
        recorded_at: record.recorded_at.to_string(),
        chain: recorded.hash().to_string(),
        movements: record.decision.transfers.iter().map(movement).collect(),
    }
}

/// The bytes of a record's leaf, as they are hashed.
#[must_use]
pub fn leaf_bytes(ledger: &LedgerId, recorded: &Recorded) -> Vec<u8> {
    // A leaf has texts and numbers only, which are always JSON.
    serde_json::to_vec(&leaf(ledger, recorded)).unwrap_or_default()
}

/// The hash of a record's leaf.
#[must_use]
pub fn leaf_hash(ledger: &LedgerId, recorded: &Recorded) -> Hash {
    Hash::of_leaf(&leaf_bytes(ledger, recorded))
}

fn movement(transfer: &Transfer) -> Movement {
    match transfer {
        Transfer::Credits { debit, credit, amount } => Movement {
            from: credit_book(debit),
            to: credit_book(credit),
            amount: amount.to_string(),
            currency: None,
        },
        Transfer::Money { debit, credit, currency, amount } => Movement {
            from: money_book(*debit).to_owned(),
            to: money_book(*credit).to_owned(),
            amount: amount.get().to_string(),
            currency: Some(currency.to_string()),
        },
    }
}

fn credit_book(book: &CreditBook) -> String {
    match book {
        CreditBook::Customer(account, section) => format!("{}:{account}", section_name(*section)),
        CreditBook::House(house) => format!("house:{}", house_name(*house)),
    }
}

/// The name of a part of a customer's account.
#[must_use]
pub const fn section_name(section: Section) -> &'static str {
    match section {
        Section::Paid => "paid",
        Section::Gift => "gift",
        Section::Held => "held",
        Section::Owed => "owed",
        Section::WrittenOff => "written_off",
    }
}

/// The name of a book of the house.
#[must_use]
pub const fn house_name(house: House) -> &'static str {
    match house {
        House::Sold => "sold",
        House::Given => "given",
        House::Used => "used",
        House::Returned => "returned",
        House::ChargedBack => "charged_back",
    }
}

const fn money_book(book: MoneyBook) -> &'static str {
    match book {
        MoneyBook::Processor => "money:processor",
        MoneyBook::Receipts => "money:receipts",
    }
}
