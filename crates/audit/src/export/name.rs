//! Names in the alphabet of beancount and hledger, no two for one.
//!
//! An account's id may be any text. In a name the letters and digits of ASCII stand for themselves
//! and every other byte as `-` and two hexadecimal digits, behind a constant beginning: so a name
//! gives back its id, and no name can end before its id does or go on behind it.

use std::fmt::Write as _;

use domain::{
    decision::{CreditBook, House, MoneyBook, Section},
    ids::LedgerId,
    money::Currency,
};
use sha2::{Digest as _, Sha256};

use super::books::{Asset, Place};

/// The longest unit that stands in a commodity as it is: beancount's commodities have at most 24
/// characters.
const UNIT_CHARACTERS_MAX: usize = 14;

/// How many bytes of its SHA-256 stand for another unit.
const UNIT_DIGEST_BYTES: usize = 7;

/// What a ledger's books and assets are called.
pub struct Names {
    /// The part of every account's name that says which ledger it is.
    ledger: String,
    unit: String,
    credits: String,
}

impl Names {
    pub(super) fn new(ledger: &LedgerId) -> Self {
        Self {
            ledger: format!("Ledger-{}", encoded(ledger.as_str())),
            unit: String::new(),
            credits: credits(""),
        }
    }

    pub(super) fn set_unit(&mut self, unit: &str) {
        if unit != self.unit {
            unit.clone_into(&mut self.unit);
            self.credits = credits(unit);
        }
    }

    /// The ledger's part of names.
    pub(super) fn ledger(&self) -> &str {
        &self.ledger
    }

    /// The unit of credits.
    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// What an asset is called among commodities.
    pub(super) fn commodity(&self, asset: Asset) -> String {
        match asset {
            Asset::Credits => self.credits.clone(),
            Asset::Money(currency) => currency.code().to_owned(),
        }
    }

    /// What an asset is called in JSON and CSV, as in the design: `credits:USD`, `money:USD`.
    pub(super) fn asset(&self, asset: Asset) -> String {
        match asset {
            Asset::Credits => format!("credits:{}", self.unit),
            Asset::Money(currency) => format!("money:{currency}"),
        }
    }

    /// What a book is called in a plain-text ledger, where debits are positive: what customers have
    /// is a liability, what they owe an asset.
    #[must_use]
    pub fn account(&self, place: &Place) -> String {
        let ledger = &self.ledger;
        match place {
            Place::Credits(CreditBook::Customer(account, section)) => {
                let (root, book) = match section {
                    Section::Paid => ("Liabilities", "Paid"),
                    Section::Gift => ("Liabilities", "Gift"),
                    Section::Held => ("Liabilities", "Held"),
                    Section::Owed => ("Assets", "Owed"),
                    Section::WrittenOff => ("Expenses", "WrittenOff"),
                };
                format!("{root}:{ledger}:{book}:Account-{}", encoded(account.as_str()))
            }
            Place::Credits(CreditBook::House(house)) => {
                let book = match house {
                    House::Sold => "Sold",
                    House::Given => "Given",
                    House::Used => "Used",
                    House::Returned => "Returned",
                    House::ChargedBack => "ChargedBack",
                };
                format!("Equity:{ledger}:{book}")
            }
            Place::Money(MoneyBook::Processor, _) => format!("Assets:{ledger}:Processor"),
            Place::Money(MoneyBook::Receipts, _) => format!("Income:{ledger}:Receipts"),
        }
    }
}

/// What credits of a unit are called: `CREDITS-USD` for upper case, `CREDITS_TOKEN` for lower case,
/// else `CREDITS.` and the beginning of the unit's SHA-256.
fn credits(unit: &str) -> String {
    let length = unit.len();
    let fits = (1..=UNIT_CHARACTERS_MAX).contains(&length);
    let of = |allowed: fn(&u8) -> bool| {
        fits && unit.bytes().all(|byte| byte.is_ascii_digit() || allowed(&byte))
    };
    if of(u8::is_ascii_uppercase) {
        return format!("CREDITS-{unit}");
    }
    if of(u8::is_ascii_lowercase) {
        return format!("CREDITS_{}", unit.to_ascii_uppercase());
    }
    let digest = Sha256::digest(unit);
    let digest = digest.get(..UNIT_DIGEST_BYTES).unwrap_or_default();
    format!("CREDITS.{}", hex::encode_upper(digest))
}

/// A text in the alphabet of names.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "-{byte:02X}");
        }
    }
    name
}

/// The text that [`encoded`] was given; none where that gives no such name.
#[must_use]
pub fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if first == '-' {
            let digits = rest.get(1..3)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = rest.get(3..)?;
        } else {
            bytes.push(u8::try_from(first).ok()?);
            rest = rest.get(1..)?;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (encoded(&text) == name).then_some(text)
}

/// The decimals of a currency, or of credits.
pub(super) const fn decimals(asset: Asset) -> u8 {
    match asset {
        Asset::Credits => domain::credits::DECIMALS_MAX,
        Asset::Money(currency) => Currency::decimals(currency),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_have_commodities_of_their_own() {
        for (unit, commodity) in [
            ("USD", "CREDITS-USD"),
            ("credit", "CREDITS_CREDIT"),
            ("1", "CREDITS-1"),
            ("Credit", "CREDITS.74ED8ECF04C6A4"),
            ("US D", "CREDITS.D7C1F0BB7C9F8D"),
        ] {
            let named = credits(unit);
            assert!(named.len() <= 24, "{named}");
            if !commodity.contains('.') {
                assert_eq!(named, commodity);
            }
        }
        assert_ne!(credits("Credit"), credits("US D"));
    }

    proptest! {
        #[test]
        fn names_give_back_their_texts(text in "\\PC{0,20}|[-a-zA-Z:;\"\n\r\t ]{0,20}") {
            let name = encoded(&text);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            prop_assert!(name.bytes().all(allowed), "{name}");
            prop_assert_eq!(decoded(&name), Some(text));
        }

        #[test]
        fn what_is_no_name_gives_nothing_back(name in "[-a-fA-F0-9]{0,8}") {
            if let Some(text) = decoded(&name) {
                prop_assert_eq!(encoded(&text), name);
            }
        }
    }
}
