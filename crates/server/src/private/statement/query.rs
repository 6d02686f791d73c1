//! What a statement can be asked: the billing queries.
//!
//! `from` (inclusive) and `to` (exclusive) are moments of recording, which are in the log's order;
//! a caller's own `call_time` is metadata and is asked for like any other.

use std::collections::BTreeMap;

use audit::names;
use domain::{
    ids::{AccountId, PaymentId, Sequence},
    record::Record,
    time::Timestamp,
    usage::Metadata,
};
use serde_json::Value;

use crate::{
    private::{accounts::sequence_of, page},
    problem::Problem,
};

/// The metadata that needs no prefix in a query.
const BARE: [&str; 2] = ["request_id", "model"];
/// The prefix of all other metadata in a query.
const METADATA: &str = "metadata.";

/// Which lines of a statement are asked for, and how many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StatementQuery {
    pub(super) limit: usize,
    pub(super) after: Option<Sequence>,
    /// The first moment of recording.
    pub(super) from: Option<Timestamp>,
    /// The moment of recording at which the statement ends.
    pub(super) to: Option<Timestamp>,
    /// Only what concerns this payment or its credits.
    payment: Option<PaymentId>,
    /// Only usage that says all this.
    metadata: BTreeMap<String, String>,
}

impl StatementQuery {
    /// Reads a query; each name may be there once.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut rest = BTreeMap::new();
        for (name, value) in pairs {
            if rest.insert(name, value).is_some() {
                return Err(Problem::query("each filter may be there once"));
            }
        }
        let asked = rest.remove("limit").map(|text| text.parse().ok().ok_or_else(no_limit));
        let after = page::after(rest.remove("cursor").as_deref(), sequence_of)?;
        let (from, to) = (moment("from", rest.remove("from"))?, moment("to", rest.remove("to"))?);
        let payment = rest.remove("payment").map(|text| PaymentId::new(&text));
        let payment = payment.transpose().map_err(|fault| no_payment(&fault))?;
        let metadata = rest.into_iter().map(|(name, value)| match name.strip_prefix(METADATA) {
            Some(inner) => Ok((inner.to_owned(), value)),
            None if BARE.contains(&&*name) => Ok((name, value)),
            None => Err(unknown()),
        });
        let metadata = metadata.collect::<Result<_, _>>()?;
        let limit = page::limit(asked.transpose()?)?;
        Ok(Self { limit, after, from, to, payment, metadata })
    }

    /// Whether a record of the account is asked for, its moment apart.
    pub(super) fn wants(&self, record: &Record, account: &AccountId) -> bool {
        let says = || metadata(record, account).is_some_and(|said| self.said_in(said));
        (self.metadata.is_empty() || says())
            && self.payment.as_ref().is_none_or(|payment| names::concerns(record, payment))
    }

    /// A text is compared as it is, a number or boolean as it is written in JSON.
    fn said_in(&self, metadata: &Metadata) -> bool {
        self.metadata.iter().all(|(name, asked)| {
            let entry = metadata.entries().iter().find(|(known, _)| known.as_str() == name);
            entry.is_some_and(|(_, value)| match serde_json::from_str(value) {
                Ok(Value::String(text)) => text == *asked,
                Ok(_) | Err(_) => **value == **asked,
            })
        })
    }
}

fn no_limit() -> Problem {
    Problem::query("limit is no number")
}

fn no_payment(fault: &domain::ids::IdFault) -> Problem {
    Problem::query(format!("payment {fault}"))
}

fn unknown() -> Problem {
    Problem::query(
        "a statement is asked by limit, cursor, from, to, payment, request_id, model and \
         metadata.NAME",
    )
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let parsed = text.map(|text| Timestamp::parse(&text));
    parsed.map(|at| at.ok_or_else(|| Problem::query(format!("{name} is no RFC 3339")))).transpose()
}

/// What a use of the account's credits says of itself.
pub(super) fn metadata<'r>(record: &'r Record, account: &AccountId) -> Option<&'r Metadata> {
    let (own, metadata) = names::metadata(record)?;
    (own == account).then_some(metadata)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::ids::Text;

    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<StatementQuery, Problem> {
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        StatementQuery::read(pairs.collect())
    }

    #[test]
    fn filters_are_read_and_others_refused() {
        let query = read(&[
            ("limit", "7"),
            ("cursor", "12"),
            ("from", "2026-09-01T00:00:00+08:00"),
            ("request_id", "r-1"),
            ("metadata.group", "g"),
        ])
        .unwrap();
        assert_eq!((query.limit, query.after), (7, Sequence::new(12)));
        assert_eq!(query.from, Timestamp::parse("2026-08-31T16:00:00Z"));
        let names: Vec<&str> = query.metadata.keys().map(String::as_str).collect();
        assert_eq!(names, ["group", "request_id"]);
        for bad in [
            &[("limit", "0")][..],
            &[("limit", "x")],
            &[("cursor", "x")],
            &[("from", "yesterday")],
            &[("to", "")],
            &[("payment", "")],
            &[("group", "g")],
            &[("model", "a"), ("model", "b")],
        ] {
            assert_eq!(read(bad).unwrap_err().code, "query_invalid", "{bad:?}");
        }
    }

    #[test]
    fn texts_are_compared_as_they_are_and_numbers_as_they_are_written() {
        let entries = [("model", "\"m \\\"1\\\"\""), ("tokens", "1200"), ("stream", "true")];
        let entries = entries.map(|(name, value)| (Text::new(name).unwrap(), Arc::from(value)));
        let said = Metadata::new(entries.into()).unwrap();
        for (query, expected) in [
            (&[("model", "m \"1\"")][..], true),
            (&[("model", "\"m \\\"1\\\"\"")], false),
            (&[("metadata.tokens", "1200")], true),
            (&[("metadata.tokens", "1200.0")], false),
            (&[("metadata.stream", "true"), ("model", "m \"1\"")], true),
            (&[("metadata.stream", "true"), ("model", "m")], false),
            (&[("metadata.none", "")], false),
            (&[], true),
        ] {
            assert_eq!(read(query).unwrap().said_in(&said), expected, "{query:?}");
        }
    }
}
