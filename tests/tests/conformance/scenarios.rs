//! The scenarios, and how the real binary plays them.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use tallyhook_tests::{binary, environment};
use toml::Table;

use crate::rules::Operator;

/// What the tests look at of a scenario.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) rule: Option<String>,
    /// How many of its steps are refused.
    pub(crate) refused: usize,
    /// How many change something and are not.
    pub(crate) allowed: usize,
}

/// Steps that only look.
const LOOKS: [&str; 8] =
    ["account", "payment", "case", "cases", "exceptions", "statement", "get", "absent"];

/// The scenarios of an operator.
pub(crate) fn read(operator: &Operator) -> Result<Vec<Scenario>> {
    let path = environment::workspace().join(operator.scenarios());
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let file: Table = text.parse()?;
    let scenarios = file.get("scenario").and_then(toml::Value::as_array);
    let scenarios = scenarios.context("there are no scenarios")?;
    scenarios.iter().map(|one| scenario(one).context("read a scenario")).collect()
}

fn scenario(scenario: &toml::Value) -> Result<Scenario> {
    let text = |name: &str| scenario.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    let steps = scenario.get("step").and_then(toml::Value::as_array).context("it has no steps")?;
    let refused = steps.iter().filter(|step| is_refused(step)).count();
    let acts = |step: &&toml::Value| LOOKS.iter().all(|look| step.get(look).is_none());
    let allowed = steps.iter().filter(acts).filter(|step| !is_refused(step)).count();
    Ok(Scenario {
        name: text("name").context("it has no name")?,
        rule: text("rule"),
        refused,
        allowed,
    })
}

/// Whether a step expects a no: a problem's code, a denied case, or a path that is not there.
fn is_refused(step: &toml::Value) -> bool {
    let expects = |name: &str| step.get("expect").and_then(|expect| expect.get(name));
    let denied = expects("verdict").and_then(toml::Value::as_str) == Some("denied");
    expects("code").is_some() || denied || step.get("absent").is_some()
}

/// What the binary said.
pub(crate) struct Report {
    pub(crate) exit: i32,
    /// All of it, for a person.
    pub(crate) text: String,
    json: Value,
}

impl Report {
    /// Each scenario's name, and whether it holds.
    pub(crate) fn scenarios(&self) -> Vec<(String, bool)> {
        let all = self.json.get("scenarios").and_then(Value::as_array).into_iter().flatten();
        let one = |scenario: &Value| {
            let name = scenario.get("name")?.as_str()?.to_owned();
            Some((name, scenario.get("ok")?.as_bool()?))
        };
        all.filter_map(one).collect()
    }

    /// The keys of a file that have faults.
    pub(crate) fn faults(&self) -> Vec<&str> {
        let all = self.json.get("faults").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|fault| fault.get("key")?.as_str()).collect()
    }
}

/// `tallyhook policy test FILE --json`, from the root of the workspace.
pub(crate) fn play(file: &str, arguments: &[&str]) -> Result<Report> {
    let mut command = binary::command(&["policy", "test", file, "--json"])?;
    let output = command.args(arguments).current_dir(environment::workspace()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let text = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    let json = serde_json::from_str(&said).with_context(|| format!("read the report {text}"))?;
    let exit = output.status.code().context("the binary was killed")?;
    Ok(Report { exit, text, json })
}
