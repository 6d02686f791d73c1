//! The next version of a policy, written as what changes.

use anyhow::Context as _;
use toml::{Table, Value};

use super::{
    file::Given,
    tree::{Node, Value as Kept},
};

/// A policy's text with another version and date, and with what changes: keys are paths such as
/// `credits.rates.USD`.
pub(super) fn changed(policy: &str, given: &Given) -> anyhow::Result<String> {
    let mut table: Table = policy.parse().context("read the policy")?;
    for name in ["version", "effective_from"] {
        if let Some(node) = given.node(name) {
            table.insert(name.to_owned(), value(node));
        }
    }
    for entry in given.node("change").map_or(&[][..], Node::entries) {
        put(&mut table, &entry.key, value(&entry.node))?;
    }
    Ok(toml::to_string(&table)?)
}

/// Puts a value at a path; tables on the way are made where they lack.
fn put(table: &mut Table, path: &str, value: Value) -> anyhow::Result<()> {
    let (above, last) = match path.rsplit_once('.') {
        Some((above, last)) => (above.split('.').collect(), last),
        None => (Vec::new(), path),
    };
    let mut place = table;
    for key in above {
        let inner = place.entry(key.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        let is_table = inner.as_table_mut();
        place = is_table.with_context(|| format!("{path}: {key} is no table of the policy"))?;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

fn value(node: &Node) -> Value {
    match &node.value {
        Kept::Text(text) => Value::String(text.clone()),
        Kept::Integer(number) => Value::Integer(*number),
        Kept::Flag(flag) => Value::Boolean(*flag),
        Kept::List(items) => Value::Array(items.iter().map(value).collect()),
        Kept::Table(entries) => {
            let field = |entry: &super::tree::Entry| (entry.key.clone(), value(&entry.node));
            Value::Table(entries.iter().map(field).collect())
        }
    }
}
