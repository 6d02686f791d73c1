//! What a reconciliation found, for people and for programs.

use audit::reconcile::findings::{Finding, Note, Reconciled, TypeSeen};
use domain::ids::Sequence;
use serde_json::{Value, json};

use super::bring::{Brought, listing};

pub(super) fn json(found: &Reconciled, brought: Option<&[Brought]>) -> Value {
    let finding = |one: &Finding| {
        json!({
            "kind": one.kind.name(),
            "id": one.id,
            "sequence": one.sequence.map(Sequence::get),
            "detail": one.detail,
        })
    };
    let note = |one: &Note| json!({"name": one.name, "count": one.count, "detail": one.detail});
    let seen = |one: &TypeSeen| json!({"event_type": one.event_type, "listed": one.listed, "arrived": one.arrived});
    let importable = found.importable.iter().map(|one| {
        json!({
            "listing": listing(one.listing),
            "id": one.id,
            "occurred_at": one.occurred_at.to_string(),
        })
    });
    let brought = brought.map(|brought| {
        let one = |one: &Brought| {
            json!({"listing": listing(one.listing), "id": one.id, "became": one.became.text()})
        };
        brought.iter().map(one).collect::<Vec<_>>()
    });
    json!({
        "ok": found.findings.is_empty(),
        "ledger": found.provenance.ledger.as_str(),
        "records": found.provenance.records,
        "root": found.provenance.root.to_string(),
        "source": found.source.as_str(),
        "listed": {
            "events": found.listed.events,
            "payments": found.listed.payments,
            "adjustments": found.listed.adjustments,
        },
        "from": found.range.map(|(first, _)| first.to_string()),
        "to": found.range.map(|(_, last)| last.to_string()),
        "findings": found.findings.iter().map(finding).collect::<Vec<_>>(),
        "notes": found.notes.iter().map(note).collect::<Vec<_>>(),
        "types": found.types.iter().map(seen).collect::<Vec<_>>(),
        "importable": importable.collect::<Vec<_>>(),
        "brought_in": brought,
    })
}

pub(super) fn text(found: &Reconciled, brought: Option<&[Brought]>) -> String {
    let listed = found.listed;
    let mut lines = vec![
        format!(
            "ledger {}, source {}: {} records, root {}",
            found.provenance.ledger, found.source, found.provenance.records, found.provenance.root
        ),
        format!(
            "listed: {} events, {} payments, {} adjustments",
            listed.events, listed.payments, listed.adjustments
        ),
    ];
    lines.extend(found.range.map(|(first, last)| format!("events from {first} to {last}")));
    let verdict = match found.findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    };
    lines.push(verdict);
    lines.extend(found.findings.iter().map(|one| {
        let record = one.sequence.map(|at| format!(" (record {at})")).unwrap_or_default();
        format!("  {} {}{record}: {}", one.kind.name(), one.id, one.detail)
    }));
    lines.extend(found.notes.iter().map(|note| format!("note: {} {}", note.count, note.detail)));
    if !found.types.is_empty() {
        lines.push("types of events: listed, arrived by themselves".to_owned());
        let seen =
            |one: &TypeSeen| format!("  {}: {}, {}", one.event_type, one.listed, one.arrived);
        lines.extend(found.types.iter().map(seen));
    }
    match brought {
        Some(brought) => lines.extend(brought.iter().map(|one| {
            format!("brought in from {}: {} {}", listing(one.listing), one.id, one.became.text())
        })),
        None if found.importable.is_empty() => {}
        None => lines.push(format!(
            "{} can be brought in by the same command with --import",
            found.importable.len()
        )),
    }
    lines.join("\n")
}
