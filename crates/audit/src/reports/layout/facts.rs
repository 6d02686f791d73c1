//! What every document says of itself: what it was made from, by what, and what was asked.

use domain::decision::RULES_VERSION;

use crate::cut::Provenance;

/// The version of this program.
const PROGRAM: &str = concat!("tallyhook ", env!("CARGO_PKG_VERSION"));

/// One thing that a document says of itself.
pub(super) struct Fact {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// What something was made from, in order.
pub(super) fn made_from(provenance: &Provenance) -> Vec<Fact> {
    let fact = |key, name, value| Fact { key, name, value };
    let recorded_at = provenance.recorded_at.map_or_else(String::new, |at| at.to_string());
    vec![
        fact("ledger", "Ledger", provenance.ledger.to_string()),
        fact("unit", "Unit of credits", provenance.unit.clone()),
        fact("records", "Records", provenance.records.to_string()),
        fact("root", "Merkle root over them", provenance.root.to_string()),
        fact("recorded_at", "Last recorded at", recorded_at),
        fact("program", "Program", PROGRAM.to_owned()),
        fact("rules", "Version of the rules", RULES_VERSION.to_string()),
    ]
}

/// The policies that were in force, a line each.
pub(super) fn policies(provenance: &Provenance) -> Vec<String> {
    let policies = provenance.policies.iter();
    policies
        .map(|policy| {
            format!(
                "{} version {} from {}, record {}, SHA-256 {}",
                policy.name, policy.version, policy.effective_from, policy.activated, policy.file
            )
        })
        .collect()
}
