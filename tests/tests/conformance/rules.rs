//! The operators' published rules, by id.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// An operator's policy and how many rules it has.
pub(crate) struct Operator {
    letter: char,
    count: u32,
    policy: &'static str,
}

/// All sales final (A), case by case (N), unused balance (Y).
pub(crate) const OPERATORS: [Operator; 3] = [
    Operator { letter: 'A', count: 10, policy: "all-sales-final" },
    Operator { letter: 'N', count: 8, policy: "case-by-case" },
    Operator { letter: 'Y', count: 11, policy: "unused-balance" },
];

impl Operator {
    /// The ids of its rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = String> {
        (1..=self.count).map(|number| format!("{}{number}", self.letter))
    }

    /// Whether a rule is one of its own.
    pub(crate) fn has(&self, rule: &str) -> bool {
        self.rules().any(|own| own == rule)
    }

    /// Its policy, from the root of the workspace.
    pub(crate) fn policy(&self) -> String {
        format!("policies/{}.toml", self.policy)
    }

    /// Its scenarios, from the root of the workspace.
    pub(crate) fn scenarios(&self) -> String {
        format!("policies/scenarios/{}.toml", self.policy)
    }
}

/// Whose rule it is.
pub(crate) fn operator(rule: &str) -> Result<&'static Operator> {
    let found = OPERATORS.iter().find(|operator| operator.has(rule));
    found.with_context(|| format!("{rule} is no rule"))
}

/// The ids of the list that the rules were taken from; none where it is not at hand.
pub(crate) fn published(workspace: &Path) -> Result<Option<Vec<String>>> {
    let path = workspace.join("../shared/POLICIES.md");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let ids = text.lines().filter_map(|line| {
        let id = line.strip_prefix("- ")?.split(' ').next()?;
        let (letter, number) = (id.get(..1)?, id.get(1..)?);
        let is_rule = ["A", "N", "Y"].contains(&letter) && number.parse::<u32>().is_ok();
        is_rule.then(|| id.to_owned())
    });
    Ok(Some(ids.collect()))
}
