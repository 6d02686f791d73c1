//! What others wrote: licences, duplicates and origins, as `deny.toml` allows them.
//!
//! `cargo deny` says the same and more; this needs no tool that takes minutes to install.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use crate::tree::Breach;

/// A package that the workspace is built with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    name: String,
    version: String,
    licence: String,
}

/// What `deny.toml` says.
#[derive(Debug)]
pub(crate) struct Rules {
    licences: BTreeSet<String>,
    banned: BTreeSet<String>,
    /// `name@version`, as far as the version is given.
    skipped: BTreeSet<String>,
    target: String,
}

/// All breaches. Asks cargo for the packages, without a network.
pub(crate) fn breaches(root: &Path) -> Result<Vec<Breach>> {
    let rules = Rules::parse(&fs::read_to_string(root.join("deny.toml")).context("deny.toml")?)?;
    let mut breaches = sources(&fs::read_to_string(root.join("Cargo.lock"))?)?;
    let built = packages(root, "normal,build", &rules.target)?;
    breaches.extend(duplicates(&built, &rules));
    let all = packages(root, "normal,build,dev", &rules.target)?;
    breaches.extend(licences(&all, &rules));
    Ok(breaches)
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse().context("deny.toml")?;
        let targets = list(&table, "graph", "targets");
        let [target] = targets.as_slice() else {
            anyhow::bail!("deny.toml: [graph] targets must have one target");
        };
        Ok(Self {
            licences: list(&table, "licenses", "allow").into_iter().collect(),
            banned: list(&table, "bans", "deny").into_iter().collect(),
            skipped: list(&table, "bans", "skip").into_iter().collect(),
            target: target.clone(),
        })
    }
}

/// The texts of a list, or the `crate` of each of its tables.
fn list(table: &Table, section: &str, key: &str) -> Vec<String> {
    let items = table.get(section).and_then(|section| section.get(key)).and_then(Value::as_array);
    let text = |item: &Value| item.get("crate").unwrap_or(item).as_str().map(str::to_owned);
    items.into_iter().flatten().filter_map(text).collect()
}

fn packages(root: &Path, edges: &str, target: &str) -> Result<BTreeSet<Package>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--workspace", "--prefix", "none", "--format", "{p}|{l}"])
        .args(["--edges", edges, "--target", target])
        .current_dir(root)
        .output()
        .context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree failed: {said}");
    let found: BTreeSet<Package> =
        String::from_utf8(output.stdout)?.lines().filter_map(package).collect();
    ensure!(found.len() > 50, "cargo tree names only {} packages", found.len());
    Ok(found)
}

/// Reads `name v1.2.3 (proc-macro)|MIT (*)`; ours have a path and are left out.
pub(crate) fn package(line: &str) -> Option<Package> {
    let (package, licence) = line.split_once('|')?;
    let (name, rest) = package.split_once(" v")?;
    if rest.contains('/') {
        return None;
    }
    let version = rest.split(' ').next()?.to_owned();
    let licence = licence.trim_end_matches(" (*)").to_owned();
    Some(Package { name: name.to_owned(), version, licence })
}

/// Packages that come from anywhere but the one registry.
pub(crate) fn sources(lock: &str) -> Result<Vec<Breach>> {
    let lock: Table = lock.parse().context("Cargo.lock")?;
    let packages = lock.get("package").and_then(Value::as_array).context("no packages")?;
    let text = |package: &Value, key| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut registries: BTreeMap<String, String> = BTreeMap::new();
    let mut breaches = Vec::new();
    for package in packages {
        // Ours have no source.
        let Some(source) = text(package, "source") else { continue };
        let name = text(package, "name").unwrap_or_default();
        if !source.starts_with("registry+") {
            let what = format!("{name} comes from {source}, which is no registry");
            breaches.push(Breach::new("Cargo.lock", 1, what));
        }
        registries.entry(source).or_insert(name);
    }
    if registries.len() > 1 && breaches.is_empty() {
        let what = format!("packages come from several registries: {registries:?}");
        breaches.push(Breach::new("Cargo.lock", 1, what));
    }
    Ok(breaches)
}

/// Packages of several versions that `skip` does not list, lines of `skip` without such a package,
/// and packages that are banned.
pub(crate) fn duplicates(packages: &BTreeSet<Package>, rules: &Rules) -> Vec<Breach> {
    let mut unused = rules.skipped.clone();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let mut said = Vec::new();
    for (name, versions) in versions {
        if rules.banned.contains(name) {
            said.push(format!("{name} is banned by deny.toml"));
        }
        let skipped = |version: &&str| {
            rules.skipped.iter().find(|skip| {
                let of = skip.strip_prefix(name).and_then(|rest| rest.strip_prefix('@'));
                of.is_some_and(|start| format!("{version}.").starts_with(&format!("{start}.")))
            })
        };
        let mut counted = 0_usize;
        for version in &versions {
            match skipped(version) {
                Some(skip) if versions.len() > 1 => {
                    unused.remove(skip);
                }
                Some(_) | None => counted = counted.saturating_add(1),
            }
        }
        if counted > 1 {
            let list = Vec::from_iter(versions).join(", ");
            said.push(format!("{name} is built in several versions ({list}): agree on one, or list the older in [bans] skip"));
        }
    }
    said.extend(unused.iter().map(|skip| format!("[bans] skip lists {skip} for nothing")));
    said.into_iter().map(|what| Breach::new("deny.toml", 1, what)).collect()
}

/// Packages whose licence is not allowed.
pub(crate) fn licences(packages: &BTreeSet<Package>, rules: &Rules) -> Vec<Breach> {
    packages
        .iter()
        .filter(|package| !allowed(&package.licence, &rules.licences))
        .map(|Package { name, version, licence }| {
            let what = format!("the licence of {name} {version} is not allowed: {licence:?}");
            Breach::new("deny.toml", 1, what)
        })
        .collect()
}

/// Whether an SPDX expression can be met by allowed licences. `/` is its older `OR`, and `X+`
/// is met by `X`.
fn allowed(expression: &str, licences: &BTreeSet<String>) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    any(&mut rest, licences) && rest.is_empty()
}

fn any(rest: &mut &[&str], licences: &BTreeSet<String>) -> bool {
    let mut met = all(rest, licences);
    while let [first @ "OR", after @ ..] = *rest {
        debug_assert_eq!(*first, "OR");
        *rest = after;
        met |= all(rest, licences);
    }
    met
}

fn all(rest: &mut &[&str], licences: &BTreeSet<String>) -> bool {
    let mut met = one(rest, licences);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        met &= one(rest, licences);
    }
    met
}

fn one(rest: &mut &[&str], licences: &BTreeSet<String>) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let met = any(rest, licences);
            match *rest {
                [")", after @ ..] => {
                    *rest = after;
                    met
                }
                _ => false,
            }
        }
        [licence, "WITH", exception, after @ ..] => {
            *rest = after;
            licences.contains(&format!("{licence} WITH {exception}"))
        }
        [licence, after @ ..] => {
            *rest = after;
            licences.contains(licence.trim_end_matches('+'))
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
graph.targets = ["here"]
licenses.allow = ["MIT", "ISC"]
[bans]
deny = [{ crate = "openssl", reason = "" }]
skip = [{ crate = "syn@2", reason = "" }]
"#;

    fn said(check: fn(&BTreeSet<Package>, &Rules) -> Vec<Breach>, lines: &[&str]) -> Vec<String> {
        let packages = lines.iter().filter_map(|line| package(line)).collect();
        let rules = Rules::parse(RULES).unwrap();
        check(&packages, &rules).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_named() {
        for (licence, good) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0/ISC", true),
            ("GPL-3.0 AND MIT", false),
            ("(GPL-3.0 OR MIT) AND ISC", true),
            ("(GPL-3.0 OR MIT) AND (GPL-3.0)", false),
            ("MIT WITH exception", false),
            ("MIT+", true),
            ("MIT)", false),
            ("(MIT", false),
            ("", false),
        ] {
            let found = said(licences, &[&format!("x v1.0.0 (proc-macro)|{licence} (*)")]);
            assert_eq!(found.is_empty(), good, "{licence:?}: {found:?}");
        }
        assert!(said(licences, &["ours v0.1.0 (/x)|"]).is_empty());
    }

    #[test]
    fn a_duplicate_a_ban_and_a_skip_for_nothing_are_named() {
        let two = ["syn v2.0.1|MIT", "syn v3.0.0|MIT"];
        assert!(said(duplicates, &two).is_empty());
        let found = said(duplicates, &[&two[..], &["syn v1.0.1|MIT"]].concat());
        assert!(found[0].contains("syn is built in several versions"), "{found:?}");
        let found = said(duplicates, &["syn v2.0.1|MIT"]);
        assert!(found[0].contains("lists syn@2 for nothing"), "{found:?}");
        let found = said(duplicates, &[&two[..], &["openssl v1.0.0|MIT"]].concat());
        assert!(found[0].contains("openssl is banned"), "{found:?}");
    }

    #[test]
    fn a_package_from_elsewhere_is_named() {
        let lock = |sources: &[&str]| {
            let packages = sources.iter().map(|source| {
                format!("[[package]]\nname = \"x\"\nversion = \"1.0.0\"\n{source}\n")
            });
            sources_of(&packages.collect::<String>())
        };
        assert_eq!(lock(&["", "source = \"registry+a\"", "source = \"registry+a\""]), 0);
        assert_eq!(lock(&["source = \"git+a\""]), 1);
        assert_eq!(lock(&["source = \"registry+a\"", "source = \"registry+b\""]), 1);
    }

    fn sources_of(lock: &str) -> usize {
        sources(lock).unwrap().len()
    }
}
