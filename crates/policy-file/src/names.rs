//! Names that an operator chooses and that stand in paths, requests and answers.

use std::collections::BTreeSet;

use domain::ids::{IdFault, Text};

use crate::{
    faults::quoted,
    reader::{Faulted, Item},
};

/// The most bytes of a name.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// Checks a name: lower-case letters, digits, `-` and `_`.
pub(crate) fn name(text: &str) -> Result<Text, IdFault> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !text.chars().all(allowed) {
        return Err(IdFault::Characters);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(IdFault::TooLong { max: NAME_BYTES_MAX });
    }
    Text::new(text)
}

/// Checks the key of a table in which keys are names.
pub(crate) fn key(text: &str, item: &mut Item<'_, '_>, remedy: &str) -> Result<Text, Faulted> {
    name(text).map_err(|fault| item.fault(format!("the name {} {fault}", quoted(text)), remedy))
}

/// Reads a list of facts.
pub(crate) fn facts(item: &mut Item<'_, '_>) -> Result<BTreeSet<Text>, Faulted> {
    item.set(|fact| fact.text_as("write the name of a fact, such as \"proof\"", name))
}

/// Reads the name of a rule, which is told to applicants as it is.
pub(crate) fn rule(item: &mut Item<'_, '_>) -> Result<Text, Faulted> {
    item.text_as("write the rule as applicants know it, such as \"A6\"", Text::new)
}
