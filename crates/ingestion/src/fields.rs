//! Values taken out of an event by their path, each with the rule that it must meet.
//!
//! A fault says where and which rule, and never what stood there: that may be personal or money.
//! A field that is `null` counts as not there, everywhere.

use std::{fmt, sync::Arc};

use domain::{
    ids::IdFault,
    input::{Unreadable, UnreadableFault},
    money::{Currency, Minor},
    time::Timestamp,
};

use crate::json::Json;

/// A value and where it stands in the event.
#[derive(Clone, Copy)]
pub(crate) struct At<'t> {
    value: &'t Json<'t>,
    list: &'static str,
    index: Option<usize>,
}

impl<'t> At<'t> {
    /// The whole event.
    pub(crate) fn top(value: &'t Json<'t>) -> Self {
        Self { value, list: "", index: None }
    }

    /// The values of the array that must stand at this path from the top.
    pub(crate) fn list(
        self,
        path: &'static str,
    ) -> Result<impl Iterator<Item = At<'t>>, Unreadable> {
        match self.find(path) {
            Some(Json::Array(values)) => Ok(values
                .iter()
                .enumerate()
                .map(move |(index, value)| At { value, list: path, index: Some(index) })),
            Some(_) => Err(self.malformed(path, "must be an array")),
            None => Err(self.malformed(path, "is missing")),
        }
    }

    /// The value at a path of keys, if it is there and not `null`.
    pub(crate) fn find(self, path: &str) -> Option<&'t Json<'t>> {
        let mut keys = path.split('/').skip(1);
        let found = keys.try_fold(self.value, |value, key| value.field(key))?;
        if *found == Json::Null { None } else { Some(found) }
    }

    /// The text that may be at the path; empty counts as not there.
    pub(crate) fn text_if_any(self, path: &str) -> Result<Option<&'t str>, Unreadable> {
        match self.find(path) {
            Some(Json::Text(text)) => Ok(Some(&**text).filter(|text| !text.is_empty())),
            Some(_) => Err(self.malformed(path, "must be a string")),
            None => Ok(None),
        }
    }

    /// The text that must be at the path.
    pub(crate) fn text(self, path: &str) -> Result<&'t str, Unreadable> {
        self.text_if_any(path)?.ok_or_else(|| self.malformed(path, "is missing"))
    }

    /// The identifier that must be at the path.
    pub(crate) fn id<Id>(
        self,
        path: &str,
        make: fn(&str) -> Result<Id, IdFault>,
    ) -> Result<Id, Unreadable> {
        make(self.text(path)?).map_err(|fault| self.malformed(path, fault))
    }

    /// The identifier that may be at the path.
    pub(crate) fn id_if_any<Id>(
        self,
        path: &str,
        make: fn(&str) -> Result<Id, IdFault>,
    ) -> Result<Option<Id>, Unreadable> {
        let id = self.text_if_any(path)?.map(make).transpose();
        id.map_err(|fault| self.malformed(path, fault))
    }

    /// The moment that may be at the path.
    pub(crate) fn moment_if_any(self, path: &str) -> Result<Option<Timestamp>, Unreadable> {
        let Some(text) = self.text_if_any(path)? else { return Ok(None) };
        let moment = Timestamp::parse(text);
        moment.map(Some).ok_or_else(|| self.malformed(path, "must be a time as RFC 3339 has it"))
    }

    /// The moment that must be at the path.
    pub(crate) fn moment(self, path: &str) -> Result<Timestamp, Unreadable> {
        self.moment_if_any(path)?.ok_or_else(|| self.malformed(path, "is missing"))
    }

    /// The count that must be at the path, an integer.
    pub(crate) fn count(self, path: &str) -> Result<u32, Unreadable> {
        match self.find(path) {
            Some(Json::Number(text)) => {
                text.parse().map_err(|_| self.malformed(path, "must be an integer of 32 bits"))
            }
            Some(_) => Err(self.malformed(path, "must be a number")),
            None => Err(self.malformed(path, "is missing")),
        }
    }

    /// The amount that may be at the path: an integer in a string and nothing else.
    pub(crate) fn amount_if_any(self, path: &str) -> Result<Option<Minor>, Unreadable> {
        let amount = match self.find(path) {
            None => return Ok(None),
            Some(Json::Text(text)) => Minor::parse(text),
            Some(
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_),
            ) => None,
        };
        let rule = "must be an integer in a string and within the range of amounts";
        amount.map(Some).ok_or_else(|| self.fault(UnreadableFault::AmountInvalid, path, rule))
    }

    /// The amount that must be at the path.
    pub(crate) fn amount(self, path: &str) -> Result<Minor, Unreadable> {
        self.amount_if_any(path)?.ok_or_else(|| self.malformed(path, "is missing"))
    }

    /// The currency that may be at the path.
    pub(crate) fn currency_if_any(self, path: &str) -> Result<Option<Currency>, Unreadable> {
        let Some(code) = self.text_if_any(path)? else { return Ok(None) };
        let rule = "must be a currency whose decimals are known";
        let currency = Currency::new(code);
        currency.map(Some).ok_or_else(|| self.fault(UnreadableFault::UnknownCurrency, path, rule))
    }

    /// The currency that may be at either path, and must be the same where it is at both.
    pub(crate) fn currency_of_both(
        self,
        path: &str,
        other: &str,
    ) -> Result<Option<Currency>, Unreadable> {
        match (self.currency_if_any(path)?, self.currency_if_any(other)?) {
            (Some(one), Some(two)) if one != two => {
                Err(self.malformed(other, format_args!("must be the same as {path}")))
            }
            (one, two) => Ok(one.or(two)),
        }
    }

    /// What is wrong with the field that every such event has.
    pub(crate) fn malformed(self, path: &str, rule: impl fmt::Display) -> Unreadable {
        self.fault(UnreadableFault::Malformed, path, rule)
    }

    pub(crate) fn fault(
        self,
        fault: UnreadableFault,
        path: &str,
        rule: impl fmt::Display,
    ) -> Unreadable {
        let Self { list, index, .. } = self;
        let place = index.map(|index| format!("/{index}")).unwrap_or_default();
        Unreadable { fault, detail: Arc::from(format!("{list}{place}{path} {rule}")) }
    }
}
