//! Which of our crates may depend on which.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::tree::{Breach, Tree};

/// The package of system tests: it may use everything, and nothing may use it.
const TESTS: &str = "tallyhook-tests";

/// The feature of `event-store` that changes stored values.
const TAMPER: &str = "tamper";

/// The arrows of DESIGN.md section 3, in the order of the data's path.
pub(crate) const TABLE: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("policy-file", &["domain"]),
    ("event-store", &["domain"]),
    ("ingestion", &["domain"]),
    ("projectors", &["domain", "event-store"]),
    ("engine", &["domain", "event-store", "projectors"]),
    ("balance-events", &[]),
    ("proof", &[]),
    ("publisher", &["domain", "event-store", "projectors", "balance-events", "proof"]),
    ("subscriber", &["balance-events"]),
    // What outsiders run: it needs none of the server's code.
    ("tallyhook-verify", &["proof"]),
    (
        "audit",
        &["domain", "policy-file", "event-store", "ingestion", "projectors", "engine", "proof"],
    ),
    (
        "server",
        &[
            "domain",
            "policy-file",
            "event-store",
            "ingestion",
            "projectors",
            "engine",
            "balance-events",
            "publisher",
            "proof",
            "audit",
        ],
    ),
    // The binary composes: its commands also read ids, policies and configurations, sign, copy and
    // restore a store, and read and mend the stream of balance events.
    (
        "tallyhook",
        &[
            "domain",
            "policy-file",
            "event-store",
            "ingestion",
            "balance-events",
            "publisher",
            "proof",
            "audit",
            "server",
        ],
    ),
];

/// A dependency as a manifest has it.
pub(crate) struct Edge {
    /// The package depended on.
    pub(crate) on: String,
    pub(crate) section: Section,
    pub(crate) line: usize,
    features: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// In what is shipped, its building included.
    Built,
    /// In tests and benches only.
    Dev,
}

/// All breaches.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let mut breaches = arrows(tree);
    breaches.extend(missing(tree));
    breaches
}

/// Rows of the table without a crate.
pub(crate) fn missing(tree: &Tree) -> Vec<Breach> {
    TABLE
        .iter()
        .filter(|(row, _)| tree.manifests().all(|(folder, ..)| folder != format!("crates/{row}")))
        .map(|(row, _)| {
            let what = format!("there is no crate {row}: take it out of the table of arrows");
            Breach::new("tests/tests/architecture/arrows.rs", 1, what)
        })
        .collect()
}

/// Dependencies that the table does not have.
///
/// Tests of a crate may also use crates that stand before it in the table, and the crate itself
/// with other features: never one that stands after it, which belongs into its tests or ours.
pub(crate) fn arrows(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (folder, path, text) in tree.manifests() {
        let Some(name) = folder.strip_prefix("crates/") else { continue };
        let Some(row) = TABLE.iter().position(|(row, _)| *row == name) else {
            let what = format!(
                "{name} is not in the table of arrows: add it to DESIGN.md section 3 and to \
                 tests/tests/architecture/arrows.rs"
            );
            breaches.push(Breach::new(path, 1, what));
            continue;
        };
        match edges(path, text) {
            Ok(edges) => breaches.extend(edges.iter().filter_map(|edge| {
                forbidden(row, edge).map(|what| Breach::new(path, edge.line, what))
            })),
            Err(breach) => breaches.push(breach),
        }
    }
    breaches
}

/// What is wrong with a dependency of a row's crate.
fn forbidden(row: usize, edge: &Edge) -> Option<String> {
    let &(name, allowed) = TABLE.get(row)?;
    let on = edge.on.as_str();
    if edge.section == Section::Built && edge.features.iter().any(|feature| feature == TAMPER) {
        return Some(format!("{name} enables {on}'s `{TAMPER}` in what is shipped"));
    }
    let place = TABLE.iter().position(|(other, _)| *other == on);
    if (place.is_none() && on != TESTS) || allowed.contains(&on) {
        return None;
    }
    match edge.section {
        Section::Built => {
            let list = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
            Some(format!("{name} may not depend on {on}, of ours only on: {list}"))
        }
        Section::Dev if place.is_some_and(|place| place <= row) => None,
        Section::Dev => Some(format!("tests of {name} may not use {on}, which stands above it")),
    }
}

/// The dependencies of a manifest.
pub(crate) fn edges(path: &str, text: &str) -> Result<Vec<Edge>, Breach> {
    let manifest = DeTable::parse(text).map_err(|error| {
        Breach::new(path, line(text, error.span().unwrap_or_default()), error.message())
    })?;
    let manifest = manifest.into_inner();
    let mut edges = Vec::new();
    section_edges(text, &manifest, &mut edges);
    let targets = manifest.get("target").and_then(|targets| targets.get_ref().as_table());
    for (_, target) in targets.into_iter().flatten() {
        if let Some(target) = target.get_ref().as_table() {
            section_edges(text, target, &mut edges);
        }
    }
    Ok(edges)
}

fn section_edges(text: &str, table: &DeTable<'_>, edges: &mut Vec<Edge>) {
    for (key, section) in [
        ("dependencies", Section::Built),
        ("build-dependencies", Section::Built),
        ("dev-dependencies", Section::Dev),
    ] {
        let dependencies = table.get(key).and_then(|value| value.get_ref().as_table());
        for (name, value) in dependencies.into_iter().flatten() {
            let value = value.get_ref();
            let package = value.get("package").and_then(|package| package.get_ref().as_str());
            edges.push(Edge {
                on: package.unwrap_or(name.get_ref()).to_owned(),
                section,
                line: line(text, name.span()),
                features: features(value),
            });
        }
    }
}

fn features(dependency: &DeValue<'_>) -> Vec<String> {
    let features = dependency.get("features").and_then(|features| features.get_ref().as_array());
    features
        .into_iter()
        .flatten()
        .filter_map(|feature| feature.get_ref().as_str().map(str::to_owned))
        .collect()
}

/// The line in which a span starts, from 1.
fn line(text: &str, span: Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}
