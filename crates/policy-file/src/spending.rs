//! The table `[spending]`: in which order lots are drawn, what usage must say, whether it can be
//! made good.

use std::collections::BTreeSet;

use domain::{
    ids::{IdFault, Text},
    input::LotKind,
    policy::{Returns, UsageRules},
    usage::METADATA_ENTRIES_MAX,
};

use crate::{
    names::NAME_BYTES_MAX,
    reader::{Faulted, Item, Reader},
};

/// The keys of the table.
pub(crate) const KEYS: [&str; 3] = ["order", "metadata", "returns"];

/// Reads the table `[spending]`.
pub(crate) fn spending(table: &mut Reader<'_, '_>) -> Result<(LotKind, UsageRules), Faulted> {
    let order = table
        .required("order", "write order = [\"gift\", \"paid\"]")
        .and_then(|mut item| spend_first(&mut item));
    let metadata =
        table.optional("metadata").map_or(Ok(BTreeSet::new()), |mut item| metadata(&mut item));
    let returns = table.optional("returns").map_or(Ok(Returns::Allow), |mut item| {
        item.choice(&[("allow", Returns::Allow), ("refuse", Returns::Refuse)])
    });
    let usage = UsageRules { metadata: metadata?, returns: returns? };
    Ok((order?, usage))
}

fn spend_first(item: &mut Item<'_, '_>) -> Result<LotKind, Faulted> {
    let kinds = [("gift", LotKind::Gift), ("paid", LotKind::Paid)];
    let order = item.list(|kind| kind.choice(&kinds))?;
    match order.as_slice() {
        [first, second] if first != second => Ok(*first),
        _ => {
            let remedy = "write [\"gift\", \"paid\"] or [\"paid\", \"gift\"]";
            Err(item.fault("must name \"gift\" and \"paid\", each once", remedy))
        }
    }
}

/// The names are the gateway's own: any characters, as long as a debit can carry them.
fn metadata(item: &mut Item<'_, '_>) -> Result<BTreeSet<Text>, Faulted> {
    let names = item.set(|name| {
        name.text_as("write a name that each debit has, such as \"request_id\"", |text| {
            match text.len() > NAME_BYTES_MAX {
                true => Err(IdFault::TooLong { max: NAME_BYTES_MAX }),
                false => Text::new(text),
            }
        })
    })?;
    if names.len() > METADATA_ENTRIES_MAX {
        let problem = format!("names {}, more than a debit can have", names.len());
        return Err(item.fault(problem, format!("name at most {METADATA_ENTRIES_MAX}")));
    }
    Ok(names)
}
