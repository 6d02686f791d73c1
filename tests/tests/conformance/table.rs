//! The table of `docs/policies.md`.

use std::fs;

use anyhow::{Context, Result, bail};
use tallyhook_tests::environment;

/// One rule.
pub(crate) struct Row {
    pub(crate) rule: String,
    /// Paths of settings, such as `credits.rates.USD`.
    pub(crate) settings: Vec<String>,
    /// The name of the scenario.
    pub(crate) scenario: String,
    /// The file that the scenario is linked to, from the page's folder.
    pub(crate) file: String,
}

/// All rows whose first cell is a rule's id: a capital letter and a number.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let path = environment::workspace().join("docs/policies.md");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let rows = text.lines().filter(|line| {
        let cell = line.strip_prefix("| ").and_then(|rest| rest.split(' ').next());
        cell.is_some_and(|cell| {
            cell.starts_with(|letter: char| letter.is_ascii_uppercase())
                && cell.get(1..).is_some_and(|number| number.parse::<u32>().is_ok())
        })
    });
    rows.map(|line| row(line).with_context(|| format!("read the row {line}"))).collect()
}

fn row(line: &str) -> Result<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [rule, words, settings, scenario] = cells.as_slice() else { bail!("it has other cells") };
    if words.is_empty() {
        bail!("it says nothing");
    }
    let settings = settings.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let (scenario, file) = scenario
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.split_once("]("))
        .context("its scenario is no link")?;
    let (rule, scenario, file) = ((*rule).to_owned(), scenario.to_owned(), file.to_owned());
    Ok(Row { rule, settings, scenario, file })
}
