//! The few programs of `jq` that the pages use, for machines without it.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A program, run with `-r`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// A statement, a line for each record.
    Statement,
    /// What each freeze of an account does.
    Measures,
}

impl Program {
    /// What `jq` is given.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Statement => {
                r#".items[] | "\(.sequence) \(.cause.order // .cause.event_type): " + ([.movements[] | "\(.amount) \(.from) -> \(.to)"] | join(", "))"#
            }
            Self::Measures => {
                r#".freezes[] | .id, (.measures | "spending \(.spending), balance \(.balance), checkout \(.checkout), verification \(.verification), service \(.service)")"#
            }
        }
    }

    /// What `jq` prints, without the last line's end.
    ///
    /// # Errors
    /// The answer has another shape.
    pub(crate) fn run(self, answer: &Value) -> Result<String> {
        let lines = match self {
            Self::Statement => list(answer, "items")?.iter().map(record).collect::<Result<_>>()?,
            Self::Measures => {
                let freezes = list(answer, "freezes")?.iter().map(measures);
                freezes.collect::<Result<Vec<_>>>()?
            }
        };
        Ok(lines.join("\n"))
    }
}

fn record(record: &Value) -> Result<String> {
    let cause = text(record, "/cause/order").or_else(|_| text(record, "/cause/event_type"))?;
    let movements = list(record, "movements")?.iter().map(|movement| {
        let part = |name| text(movement, name);
        Ok(format!("{} {} -> {}", part("/amount")?, part("/from")?, part("/to")?))
    });
    let movements = movements.collect::<Result<Vec<_>>>()?.join(", ");
    Ok(format!("{} {cause}: {movements}", text(record, "/sequence")?))
}

fn measures(freeze: &Value) -> Result<String> {
    const NAMES: [&str; 5] = ["spending", "balance", "checkout", "verification", "service"];
    let measure =
        |name: &&str| Ok(format!("{name} {}", text(freeze, &format!("/measures/{name}"))?));
    let measures = NAMES.iter().map(measure).collect::<Result<Vec<_>>>()?.join(", ");
    Ok(format!("{}\n{measures}", text(freeze, "/id")?))
}

fn list<'v>(value: &'v Value, name: &str) -> Result<&'v Vec<Value>> {
    value.get(name).and_then(Value::as_array).with_context(|| format!("no list {name}: {value}"))
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).filter(|found| !found.is_null());
    let found = found.with_context(|| format!("no {pointer}: {value}"))?;
    Ok(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}
