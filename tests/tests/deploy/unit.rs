//! The unit of systemd.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

/// The settings of a unit by section; a line that is neither is a fault.
pub(crate) fn unit(text: &str) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut section = None;
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        let number = place.saturating_add(1);
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            ensure!(["Unit", "Service", "Install"].contains(&name), "line {number}: [{name}]");
            section = Some(sections.entry(name.to_owned()).or_default());
            continue;
        }
        let (key, value) = line.split_once('=').with_context(|| format!("line {number}: no ="))?;
        let known = key.starts_with(|c: char| c.is_ascii_uppercase())
            && key.chars().all(|c| c.is_ascii_alphanumeric());
        ensure!(known, "line {number}: {key:?} is no key");
        let section = section.as_mut().with_context(|| format!("line {number}: no section"))?;
        section.push((key.to_owned(), value.to_owned()));
    }
    Ok(sections)
}

/// The values of a key of the unit's `[Service]`.
pub(crate) fn service(unit: &BTreeMap<String, Vec<(String, String)>>, key: &str) -> Vec<String> {
    let settings = unit.get("Service").into_iter().flatten();
    settings.filter(|(of, _)| of == key).map(|(_, value)| value.clone()).collect()
}
