//! What an application for a refund says.
//!
//! A fact has a name and a text. The ledger keeps the names, and those values that are matched with
//! its own records or computed with; all texts stay in the request's body, apart from the record.

use std::collections::BTreeMap;

use domain::{
    case::{Application, Invoice},
    ids::Text,
    money::Currency,
    time::Timestamp,
};

use crate::{
    limits::{FACT_NAME_BYTES_MAX, FACTS_MAX},
    private::money,
    problem::Problem,
};

/// Facts as they come in: by name, each with its text.
pub(super) type Facts = BTreeMap<String, String>;

/// Takes the names, and the values that count. A blank text says nothing.
///
/// Amounts are in major units, tax included: `amount` of the currency that is said with it,
/// `third_party_costs` of the payment's `own`. No fault repeats a value.
pub(super) fn application(facts: &Facts, own: Currency) -> Result<Application, Problem> {
    if facts.len() > FACTS_MAX {
        return Err(Problem::malformed(format!("facts has more than {FACTS_MAX} entries")));
    }
    let mut said = Application::EMPTY;
    for name in facts.keys().filter(|name| value(facts, name).is_some()) {
        said.given.insert(fact_name(name)?);
    }
    said.currency = value(facts, "currency").map(money::currency).transpose()?;
    said.amount = match (value(facts, "amount"), said.currency) {
        (None, _) => None,
        (Some(text), Some(currency)) => Some(money::minor("facts.amount", text, currency)?),
        (Some(_), None) => {
            return Err(Problem::amount("facts.amount needs facts.currency beside it"));
        }
    };
    said.third_party_costs = value(facts, "third_party_costs")
        .map(|text| money::minor("facts.third_party_costs", text, own))
        .transpose()?;
    said.paid_at = value(facts, "paid_at").map(paid_at).transpose()?;
    said.invoice = value(facts, "invoice").map(invoice).transpose()?;
    Ok(said)
}

fn value<'f>(facts: &'f Facts, name: &str) -> Option<&'f str> {
    facts.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn fact_name(name: &str) -> Result<Text, Problem> {
    let fitting = Text::new(name).ok().filter(|name| name.as_str().len() <= FACT_NAME_BYTES_MAX);
    fitting.ok_or_else(|| {
        Problem::malformed(format!("the name of a fact has 1 to {FACT_NAME_BYTES_MAX} bytes"))
    })
}

fn paid_at(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).ok_or_else(|| Problem::malformed("facts.paid_at is no RFC 3339"))
}

fn invoice(text: &str) -> Result<Invoice, Problem> {
    match text {
        "none" => Ok(Invoice::None),
        "reversible" => Ok(Invoice::Reversible),
        "final" => Ok(Invoice::Final),
        _ => Err(Problem::malformed("facts.invoice is \"none\", \"reversible\" or \"final\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(facts: &[(&str, &str)]) -> Result<Application, Problem> {
        let facts = facts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        application(&facts.collect(), Currency::new("CNY").unwrap())
    }

    #[test]
    fn values_that_count_are_read_and_others_are_names_only() {
        let said = said(&[
            ("amount", "1200"),
            ("currency", "JPY"),
            ("third_party_costs", "0.50"),
            ("paid_at", "2026-07-01T00:00:00+08:00"),
            ("invoice", "final"),
            ("email", "someone@example.com"),
            ("proof", "  "),
        ])
        .unwrap();
        assert_eq!(said.amount.map(|amount| amount.get()), Some(1200));
        assert_eq!(said.currency, Currency::new("JPY"));
        assert_eq!(said.third_party_costs.map(|costs| costs.get()), Some(50));
        assert_eq!(said.paid_at, Timestamp::parse("2026-06-30T16:00:00Z"));
        assert_eq!(said.invoice, Some(Invoice::Final));
        let given: Vec<&str> = said.given.iter().map(Text::as_str).collect();
        let names = ["amount", "currency", "email", "invoice", "paid_at", "third_party_costs"];
        assert_eq!(given, names, "a blank text says nothing");
        assert!(!format!("{said:?}").contains("example.com"));
    }

    #[test]
    fn facts_that_cannot_be_read_are_refused_without_repeating_them() {
        let long = "x".repeat(FACT_NAME_BYTES_MAX + 1);
        for (facts, code) in [
            (&[("amount", "7.13")][..], "amount_invalid"),
            (&[("amount", "7.13"), ("currency", " ")], "amount_invalid"),
            (&[("amount", "7.135"), ("currency", "USD")], "amount_invalid"),
            (&[("currency", "ZZZ")], "amount_invalid"),
            (&[("third_party_costs", "-7.13")], "amount_invalid"),
            (&[("paid_at", "7.13")], "body_malformed"),
            (&[("invoice", "7.13")], "body_malformed"),
            (&[("", "7.13")], "body_malformed"),
            (&[(&*long, "7.13")], "body_malformed"),
        ] {
            let problem = said(facts).unwrap_err();
            assert_eq!(problem.code, code, "{facts:?}");
            assert!(!format!("{problem:?}").contains("7.13"), "{problem:?}");
        }
        let many: Facts = (0..=FACTS_MAX).map(|n| (n.to_string(), "x".to_owned())).collect();
        assert!(application(&many, Currency::new("CNY").unwrap()).is_err());
    }
}
