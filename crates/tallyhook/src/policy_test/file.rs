//! A file of scenarios, read whole: everything that is wrong with it is told at once.

use std::collections::BTreeSet;

use domain::time::Timestamp;

use super::{
    forms::{Event, Form, Kind},
    reading::Reading,
    tree::{Faults, Node, Value, parsed},
};

/// Where events name the account, if the file doesn't say.
const ACCOUNT_FROM: [&str; 2] = ["/data/custom_data/account_id", "/data/customer_id"];

/// What a file says.
#[derive(Debug)]
pub(super) struct File {
    /// The policy, relative to the file.
    pub(super) policy: String,
    pub(super) account_from: Vec<String>,
    /// Of amounts of money that name none.
    pub(super) currency: String,
    /// When each scenario begins.
    pub(super) start: Timestamp,
    pub(super) scenarios: Vec<Scenario>,
}

/// A story with what must come of it.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) line: usize,
    pub(super) name: String,
    /// The published rule that it is about.
    pub(super) rule: Option<String>,
    pub(super) steps: Vec<Step>,
}

/// One thing that happens, and what is expected of the answer.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) when: When,
    /// What later steps call it.
    pub(super) name: Option<String>,
    pub(super) action: Action,
    pub(super) expect: Option<Node>,
}

/// When a step happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    /// So many seconds after the step before, or after the start.
    After(u32),
    /// At the start if it is the first, else a minute after the step before.
    Usual,
}

/// From one step to the next, in seconds, if neither says when it is.
const STEP_SECONDS: u32 = 60;

impl When {
    /// The moment, where the step before was at `before`.
    pub(super) fn after(self, before: Option<Timestamp>, start: Timestamp) -> Timestamp {
        match (self, before) {
            (Self::At(moment), _) => moment,
            (Self::After(seconds), _) => before.unwrap_or(start).seconds_after(seconds),
            (Self::Usual, None) => start,
            (Self::Usual, Some(before)) => before.seconds_after(STEP_SECONDS),
        }
    }
}

/// What happens.
#[derive(Debug)]
pub(super) enum Action {
    /// A command or a question.
    Ask(&'static Form, Given),
    /// The processor sends an event.
    Happen(Event, Given),
    /// The processor sends an earlier step's event again, byte for byte.
    Redeliver(String),
    /// The next version of the policy.
    Activate(Given),
    /// Any path below the ledger.
    Get(String),
    /// Paths below the ledger that must not exist.
    Absent(Vec<String>),
    /// Time passes.
    Wait,
}

/// The fields that a step gives.
#[derive(Clone, Debug)]
pub(super) struct Given(pub(super) Vec<(&'static str, Kind, Node)>);

impl Given {
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Kind, &Node)> {
        self.0.iter().map(|(name, kind, node)| (*name, *kind, node))
    }

    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(field, ..)| *field == name).map(|(.., node)| node)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.node(name).and_then(Node::text)
    }
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<File, Faults> {
    let mut faults = Faults::default();
    let entries = parsed(text, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let root = Node { line: 1, value: Value::Table(entries) };
    let file = Reading { faults: &mut faults, names: BTreeSet::new() }.file(&root);
    match file {
        Some(file) if faults.is_empty() => Ok(file),
        Some(_) | None => Err(faults),
    }
}

impl Reading<'_> {
    fn file(&mut self, root: &Node) -> Option<File> {
        self.known("", root, &["policy", "account_from", "currency", "start", "scenario"]);
        let policy = self.required("", root, "policy", "write policy = \"../my-policy.toml\"");
        let start = "write start = \"2026-07-06T09:00:00Z\", when each scenario begins";
        let start = self.required("", root, "start", start);
        let start = start.and_then(|(line, text)| self.moment(line, "start", &text));
        let currency = match root.get("currency") {
            None => Some("USD".to_owned()),
            Some(node) => self.currency("currency", node),
        };
        let account_from = match root.get("account_from") {
            None => Some(ACCOUNT_FROM.map(str::to_owned).to_vec()),
            Some(node) => self.texts("account_from", node),
        };
        let scenarios = self.scenarios(root);
        for scenario in &scenarios {
            self.times(scenario, start?);
        }
        Some(File {
            policy: policy?.1,
            account_from: account_from?,
            currency: currency?,
            start: start?,
            scenarios,
        })
    }

    /// Time never goes back: the log's doesn't either.
    fn times(&mut self, scenario: &Scenario, start: Timestamp) {
        let mut before = None;
        for step in &scenario.steps {
            let now = step.when.after(before, start);
            if now < before.unwrap_or(start) {
                let remedy = "move the step up, or write a later time";
                self.faults.note(step.line, "at", "is before the step before it, or start", remedy);
            }
            before = Some(now);
        }
    }

    fn scenarios(&mut self, root: &Node) -> Vec<Scenario> {
        let remedy = "write [[scenario]] with name = \"...\", then its steps";
        let items = match root.get("scenario").map(|node| &node.value) {
            Some(Value::List(items)) if !items.is_empty() => items.as_slice(),
            _ => {
                self.faults.note(root.line, "scenario", "is missing", remedy);
                &[]
            }
        };
        let mut names = BTreeSet::new();
        let mut scenarios = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("scenario[{index}]");
            let Some(scenario) = self.scenario(&path, item) else { continue };
            if !names.insert(scenario.name.clone()) {
                let problem = format!("{:?} is the name of an earlier scenario", scenario.name);
                self.faults.note(item.line, path, problem, "choose another name");
            }
            scenarios.push(scenario);
        }
        scenarios
    }

    fn scenario(&mut self, path: &str, node: &Node) -> Option<Scenario> {
        self.names.clear();
        self.known(path, node, &["name", "rule", "step"]);
        let name = self.required(path, node, "name", "write name = \"...\"");
        let rule = node.get("rule").and_then(|rule| self.text(&format!("{path}.rule"), rule));
        let items = match node.get("step").map(|node| &node.value) {
            Some(Value::List(items)) if !items.is_empty() => items.as_slice(),
            _ => {
                let remedy = "write [[scenario.step]] with what happens";
                self.faults.note(node.line, format!("{path}.step"), "is missing", remedy);
                &[]
            }
        };
        let steps = items.iter().enumerate();
        let steps: Vec<Option<Step>> =
            steps.map(|(index, item)| self.step(&format!("{path}.step[{index}]"), item)).collect();
        let steps = steps.into_iter().flatten().collect();
        Some(Scenario { line: node.line, name: name?.1, rule, steps })
    }
}
