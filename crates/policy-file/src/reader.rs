//! Takes typed keys from a document and collects everything that is wrong on the way.
//!
//! A conversion that fails has noted its fault and answers [`Faulted`]; go on with the other keys
//! and use `?` only at the end, where the result is put together:
//!
//! ```
//! use policy_file::document::Document;
//!
//! let document = Document::parse("port = 80\n[tls]\nonn = true").unwrap();
//! let faults = document
//!     .read(&["host", "port", "tls"], |root| {
//!         let host = root.required("host", "write host = \"...\"").and_then(|mut item| item.text());
//!         let port = root.required("port", "write port = 8080").and_then(|mut item| item.integer(1..=65_535_u16));
//!         let tls = root.optional("tls").map(|mut item| {
//!             item.table(&["on"], |tls| tls.optional("on").map(|mut on| on.boolean()).transpose())
//!         });
//!         Ok((host?, port?, tls.transpose()?))
//!     })
//!     .unwrap_err();
//! assert_eq!(
//!     faults.to_string(),
//!     "line 1: host: is missing; write host = \"...\"\n\
//!      line 3: tls.onn: is not a known key; did you mean \"on\"?"
//! );
//! ```
//!
//! Texts appear in faults only through [`Item::choice`], [`Item::text_as`] and
//! [`Item::decimal_as`]: read a secret with [`Item::text`] and name its faults with
//! [`Item::fault`].

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

use crate::{
    document::{Entry, Node, Value},
    faults::{At, Finding, joined, quoted},
    near::{did_you_mean, nearest},
};

/// Proof that a fault was noted; only this module makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulted(());

/// A table whose keys are taken one by one.
#[derive(Debug)]
pub struct Reader<'r, 'd> {
    at: &'d At,
    path: String,
    entries: &'d BTreeMap<String, Entry>,
    findings: &'r mut Vec<Finding>,
}

/// A value that waits to be converted.
#[derive(Debug)]
pub struct Item<'r, 'd> {
    at: &'d At,
    path: String,
    value: &'d Value,
    findings: &'r mut Vec<Finding>,
}

/// What a key takes, and how that is written.
struct Wanted {
    name: &'static str,
    remedy: &'static str,
}

const TEXT: Wanted = Wanted { name: "text", remedy: "write it in quotes" };
const INTEGER: Wanted = Wanted { name: "a whole number", remedy: "write digits without quotes" };
const DECIMAL: Wanted =
    Wanted { name: "a decimal number", remedy: "write it as a string, such as \"12.5\"" };
const BOOLEAN: Wanted =
    Wanted { name: "true or false", remedy: "write true or false without quotes" };
const MOMENT: Wanted = Wanted {
    name: "a date and time",
    remedy: "write it with its offset, such as \"2026-07-03T00:00:00Z\"",
};
const DATE: Wanted = Wanted { name: "a day", remedy: "write it as in \"2026-10-01\"" };
const LIST: Wanted = Wanted { name: "a list", remedy: "write it in brackets: [ ... ]" };
const TABLE: Wanted = Wanted {
    name: "a table",
    remedy: "write it in braces, { key = ... }, or under a header in brackets",
};

impl<'d> Reader<'_, 'd> {
    /// The value of a key that must be there.
    ///
    /// # Errors
    /// The key is missing; noted at the table, with this remedy.
    pub fn required(&mut self, key: &str, remedy: &str) -> Result<Item<'_, 'd>, Faulted> {
        if !self.entries.contains_key(key) {
            let path = joined(&self.path, key);
            return Err(note(self.findings, self.at, &path, "is missing", remedy));
        }
        self.optional(key).ok_or(Faulted(()))
    }

    /// The value of a key, if it is there.
    pub fn optional(&mut self, key: &str) -> Option<Item<'_, 'd>> {
        let path = joined(&self.path, key);
        let Entry { node, .. } = self.entries.get(key)?;
        Some(Item { at: &node.at, path, value: &node.value, findings: self.findings })
    }

    /// Notes what is wrong with the table as a whole.
    pub fn fault(&mut self, problem: impl fmt::Display, remedy: impl fmt::Display) -> Faulted {
        note(self.findings, self.at, &self.path, problem, remedy)
    }
}

impl<'r, 'd> Item<'r, 'd> {
    /// The table that a document is.
    pub(crate) fn root(node: &'d Node, findings: &'r mut Vec<Finding>) -> Self {
        Self { at: &node.at, path: String::new(), value: &node.value, findings }
    }

    /// Whether this is that text; notes nothing.
    #[must_use]
    pub fn is_text(&self, wanted: &str) -> bool {
        matches!(self.value, Value::Text(text) | Value::Variable(text, _) if text == wanted)
    }

    /// Whether this is a list; notes nothing.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.plain(), Value::List(_))
    }

    /// Notes what is wrong with this value.
    pub fn fault(&mut self, problem: impl fmt::Display, remedy: impl fmt::Display) -> Faulted {
        note(self.findings, self.at, &self.path, problem, remedy)
    }

    /// The text.
    ///
    /// # Errors
    /// Not a text.
    pub fn text(&mut self) -> Result<&'d str, Faulted> {
        let (Value::Text(text) | Value::Variable(text, _)) = self.value else {
            return Err(self.other(&TEXT));
        };
        Ok(text)
    }

    /// What `parse` makes of the text.
    ///
    /// # Errors
    /// Not a text, or not one that `parse` takes; its error reads after the text.
    pub fn text_as<T, E: fmt::Display>(
        &mut self,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Faulted> {
        let text = self.text()?;
        parse(text).map_err(|error| self.fault(format!("{} {error}", quoted(text)), remedy))
    }

    /// What the text stands for among these choices.
    ///
    /// # Errors
    /// Not a text, or none of the choices.
    pub fn choice<T: Copy>(&mut self, choices: &[(&str, T)]) -> Result<T, Faulted> {
        let text = self.text()?;
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(*chosen);
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| quoted(name)).collect();
        let problem = format!("{} is not one of {}", quoted(text), names.join(", "));
        let meant = nearest(text, choices.iter().map(|(name, _)| *name));
        Err(self.fault(problem, did_you_mean(meant, || "write one of these".to_owned())))
    }

    /// A whole number in this range.
    ///
    /// # Errors
    /// Not a whole number, or out of range.
    pub fn integer<N>(&mut self, range: RangeInclusive<N>) -> Result<N, Faulted>
    where
        N: Copy + PartialOrd + fmt::Display + TryFrom<i64>,
    {
        let Value::Integer(number) = self.plain() else { return Err(self.other(&INTEGER)) };
        let fitting = number.and_then(|number| N::try_from(number).ok());
        fitting.filter(|number| range.contains(number)).ok_or_else(|| {
            let number = number.map_or_else(|| "it".to_owned(), |number| number.to_string());
            let remedy = format!("write a whole number from {} to {}", range.start(), range.end());
            self.fault(format!("{number} is out of range"), remedy)
        })
    }

    /// What `parse` makes of a decimal number, given as a text or a whole number.
    ///
    /// # Errors
    /// A float, which can't hold every decimal; or what `parse` refuses.
    pub fn decimal_as<T, E: fmt::Display>(
        &mut self,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Faulted> {
        let digits = match self.value {
            Value::Text(text) | Value::Variable(text, _) => Cow::Borrowed(text.as_str()),
            Value::Integer(Some(number)) => Cow::Owned(number.to_string()),
            Value::Float(digits) => {
                let remedy = format!("write it as a string: {}", quoted(digits));
                return Err(self.fault("must not be a float, which is not exact", remedy));
            }
            Value::Integer(None) => return Err(self.fault("is too large", remedy)),
            Value::Boolean(_) | Value::Moment(_) | Value::List(_) | Value::Table(_) => {
                return Err(self.other(&DECIMAL));
            }
        };
        parse(&digits).map_err(|error| self.fault(format!("{} {error}", quoted(&digits)), remedy))
    }

    /// True or false.
    ///
    /// # Errors
    /// Neither.
    pub fn boolean(&mut self) -> Result<bool, Faulted> {
        let Value::Boolean(boolean) = self.plain() else { return Err(self.other(&BOOLEAN)) };
        Ok(*boolean)
    }

    /// The text of a date and time, given as a text or as TOML's own.
    ///
    /// Its form is left to the caller.
    ///
    /// # Errors
    /// Something else.
    pub fn moment(&mut self) -> Result<&'d str, Faulted> {
        let (Value::Text(text) | Value::Moment(text) | Value::Variable(text, _)) = self.value
        else {
            return Err(self.other(&MOMENT));
        };
        Ok(text)
    }

    /// The text of a day, given as a text or as TOML's own.
    ///
    /// Its form is left to the caller.
    ///
    /// # Errors
    /// Something else.
    pub fn date(&mut self) -> Result<&'d str, Faulted> {
        let (Value::Text(text) | Value::Moment(text) | Value::Variable(text, _)) = self.value
        else {
            return Err(self.other(&DATE));
        };
        Ok(text)
    }

    /// Reads each item of a list; all are read, also after a fault.
    ///
    /// # Errors
    /// Not a list, or an item that `read` refuses.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Item<'_, 'd>) -> Result<T, Faulted>,
    ) -> Result<Vec<T>, Faulted> {
        let Value::List(nodes) = self.plain() else { return Err(self.other(&LIST)) };
        let mut items = Ok(Vec::with_capacity(nodes.len()));
        for (index, node) in nodes.iter().enumerate() {
            let path = format!("{}[{index}]", self.path);
            let mut item = Item { at: &node.at, path, value: &node.value, findings: self.findings };
            collect(&mut items, read(&mut item));
        }
        items
    }

    /// Reads each item of a list in which nothing may be twice; all are read.
    ///
    /// # Errors
    /// Not a list, an item that `read` refuses, or one that was there before.
    pub fn set<T: Ord + Clone>(
        &mut self,
        mut read: impl FnMut(&mut Item<'_, 'd>) -> Result<T, Faulted>,
    ) -> Result<BTreeSet<T>, Faulted> {
        let mut listed = BTreeSet::new();
        let items = self.list(|item| {
            let value = read(item)?;
            if listed.insert(value.clone()) {
                return Ok(value);
            }
            Err(item.fault("is listed twice", "keep one of them"))
        })?;
        Ok(items.into_iter().collect())
    }

    /// Reads each value of a table whose keys are free, with its key; all are read.
    ///
    /// # Errors
    /// Not a table, or a value that `read` refuses.
    pub fn entries<T>(
        &mut self,
        mut read: impl FnMut(&'d str, &mut Item<'_, 'd>) -> Result<T, Faulted>,
    ) -> Result<Vec<T>, Faulted> {
        let Value::Table(entries) = self.plain() else { return Err(self.other(&TABLE)) };
        let mut items = Ok(Vec::with_capacity(entries.len()));
        for (key, Entry { node, .. }) in entries {
            let path = joined(&self.path, key);
            let mut item = Item { at: &node.at, path, value: &node.value, findings: self.findings };
            collect(&mut items, read(key, &mut item));
        }
        items
    }

    /// Reads a table in which only `keys` are known; every other key is a fault.
    ///
    /// # Errors
    /// Not a table, or what `read` refuses. Unknown keys are noted without an error here.
    pub fn table<T>(
        &mut self,
        keys: &[&str],
        read: impl FnOnce(&mut Reader<'_, 'd>) -> Result<T, Faulted>,
    ) -> Result<T, Faulted> {
        let Value::Table(entries) = self.plain() else { return Err(self.other(&TABLE)) };
        let unknown = entries.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        for (key, Entry { key_at, .. }) in unknown {
            let known = || format!("remove it; known here are {}", keys.join(", "));
            let remedy = did_you_mean(nearest(key, keys.iter().copied()), known);
            note(self.findings, key_at, &joined(&self.path, key), "is not a known key", remedy);
        }
        let path = self.path.clone();
        read(&mut Reader { at: self.at, path, entries, findings: self.findings })
    }

    /// The value, where a variable's text needs no quotes.
    fn plain(&self) -> &'d Value {
        if let Value::Variable(_, Some(literal)) = self.value { literal } else { self.value }
    }

    /// Notes that the value is of another type; never shows the value, which may be a secret.
    fn other(&mut self, wanted: &Wanted) -> Faulted {
        let found = match self.value {
            Value::Text(_) | Value::Variable(..) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "true or false",
            Value::Moment(_) => "a date and time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        };
        self.fault(format!("must be {}, not {found}", wanted.name), wanted.remedy)
    }
}

fn note(
    findings: &mut Vec<Finding>,
    at: &At,
    path: &str,
    problem: impl fmt::Display,
    remedy: impl fmt::Display,
) -> Faulted {
    let (problem, remedy) = (problem.to_string(), remedy.to_string());
    findings.push(Finding { at: at.clone(), key: path.to_owned(), problem, remedy });
    Faulted(())
}

fn collect<T>(items: &mut Result<Vec<T>, Faulted>, item: Result<T, Faulted>) {
    match (items.as_mut(), item) {
        (Ok(items), Ok(item)) => items.push(item),
        (Ok(_), Err(faulted)) => *items = Err(faulted),
        (Err(_), _) => {}
    }
}
