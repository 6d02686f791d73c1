//! Plays a scenario: each step at its time, until one is not answered as expected.

use std::collections::BTreeMap;

use anyhow::Context as _;
use domain::time::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use ureq::http::Method as Verb;

use super::{
    change::changed,
    expect::{Difference, differences},
    file::{Action, File, Given, Scenario, Step},
    forms::{Form, Kind, Method},
    processor::Processor,
    stage::{Answer, Setup, Stage},
};

/// What stays as it is in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a scenario does not hold.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The step's line.
    pub(super) line: usize,
    /// What happened, in a sentence.
    pub(super) problem: String,
    pub(super) differences: Vec<Difference>,
}

/// Plays a scenario; none where everything is as expected.
///
/// # Errors
/// The server could not be started or asked.
pub(super) fn play(
    file: &File,
    policy: &str,
    scenario: &Scenario,
) -> anyhow::Result<Option<Failure>> {
    let setup = Setup { policy, account_from: &file.account_from, start: file.start };
    let stage = Stage::start(setup)?;
    let mut playing = Playing {
        stage: &stage,
        policy,
        processor: Processor::new(&file.currency),
        bodies: BTreeMap::new(),
        ids: BTreeMap::new(),
    };
    let mut before = None;
    for (index, step) in scenario.steps.iter().enumerate() {
        let now = step.when.after(before, file.start);
        before = Some(now);
        stage.set(now);
        if let Some(failure) = playing.step(index, step, now)? {
            stage.stop()?;
            return Ok(Some(failure));
        }
    }
    stage.stop()?;
    Ok(None)
}

struct Playing<'p> {
    stage: &'p Stage,
    policy: &'p str,
    processor: Processor,
    /// The events of steps that have a name.
    bodies: BTreeMap<String, Vec<u8>>,
    /// The ids that answers gave to steps that have a name.
    ids: BTreeMap<String, String>,
}

impl Playing<'_> {
    fn step(
        &mut self,
        index: usize,
        step: &Step,
        now: Timestamp,
    ) -> anyhow::Result<Option<Failure>> {
        let key = format!("step-{index}");
        let (answer, outcome) = match &step.action {
            Action::Wait => return Ok(None),
            Action::Absent(paths) => return self.absent(step, paths, &key),
            Action::Happen(event, given) => {
                let body = match self.processor.tell(*event, given, now) {
                    Ok(body) => body,
                    Err(error) => return Ok(Some(failed(step, format!("{error:#}")))),
                };
                let answer = self.stage.deliver(&body)?;
                if let Some(name) = &step.name {
                    self.bodies.insert(name.clone(), body);
                }
                (answer, Some("recorded"))
            }
            Action::Redeliver(name) => {
                let Some(body) = self.bodies.get(name) else {
                    return Ok(Some(failed(step, format!("{name} is no event"))));
                };
                (self.stage.deliver(body)?, Some("duplicate"))
            }
            Action::Ask(form, given) => (self.ask(form, given, &key)?, None),
            Action::Get(path) => {
                let path = self.filled(path);
                (self.stage.ask(Verb::GET, &path, &key, None)?, None)
            }
            Action::Activate(given) => match changed(self.policy, given) {
                Ok(toml) => {
                    let body = json!({"toml": toml});
                    (self.stage.ask(Verb::POST, "policies", &key, Some(&body))?, None)
                }
                Err(error) => return Ok(Some(failed(step, format!("{error:#}")))),
            },
        };
        if let (Some(name), Some(id)) = (&step.name, id(&answer.body)) {
            self.ids.insert(name.clone(), id.to_owned());
        }
        Ok(self.compared(step, &answer, outcome))
    }

    /// Sends a command or a question.
    fn ask(&self, form: &Form, given: &Given, key: &str) -> anyhow::Result<Answer> {
        let mut path = form.path.to_owned();
        let mut body = Map::new();
        let mut query = Vec::new();
        for (name, kind, node) in given.fields() {
            let place = format!("{{{name}}}");
            let text = || {
                let text = node.json(&|text| self.filled(text));
                text.as_str().map_or_else(|| text.to_string(), str::to_owned)
            };
            if path.contains(&place) {
                let text = if kind == Kind::Named { self.named(&text()) } else { text() };
                path = path.replace(&place, &encoded(&text));
            } else if form.method == Method::Get {
                query.push(format!("{name}={}", encoded(&text())));
            } else {
                let value = match kind {
                    Kind::Text => Value::from(text()),
                    Kind::Named => Value::from(self.named(&text())),
                    Kind::Texts => node.amounts(&|text| self.filled(text)),
                    Kind::Whole | Kind::Flag | Kind::Table | Kind::Items => {
                        node.json(&|text| self.filled(text))
                    }
                };
                body.insert(name.to_owned(), value);
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let body = Value::Object(body);
        match form.method {
            Method::Get => self.stage.ask(Verb::GET, &path, key, None),
            Method::Post => self.stage.ask(Verb::POST, &path, key, Some(&body)),
            Method::Delete => self.stage.ask(Verb::DELETE, &path, key, None),
        }
        .with_context(|| format!("{} {path}", form.key))
    }

    /// Nothing can be posted to these paths, and the API's description doesn't know them.
    fn absent(&self, step: &Step, paths: &[String], key: &str) -> anyhow::Result<Option<Failure>> {
        let described = self.stage.ask_at(Verb::GET, "/openapi.json", key, None)?;
        for path in paths {
            let path = self.filled(path);
            for verb in [Verb::POST, Verb::PUT, Verb::DELETE] {
                let answer = self.stage.ask(verb.clone(), &path, key, Some(&json!({})))?;
                if answer.status != 404 || text(&answer.body, "code") != Some("not_found") {
                    let problem =
                        format!("{verb} {path} exists: it was answered {}", said(&answer));
                    return Ok(Some(failed(step, problem)));
                }
            }
            let word = path.rsplit('/').next().unwrap_or_default();
            let routes = described.body.get("paths").and_then(Value::as_object);
            if let Some(route) =
                routes.and_then(|routes| routes.keys().find(|one| one.contains(word)))
            {
                let problem = format!("the API's description has {route}");
                return Ok(Some(failed(step, problem)));
            }
        }
        Ok(None)
    }

    fn compared(&self, step: &Step, answer: &Answer, outcome: Option<&str>) -> Option<Failure> {
        let says = |name: &str| step.expect.as_ref().is_some_and(|node| node.get(name).is_some());
        let expects_refusal = says("code") || says("status_code");
        if !expects_refusal && !(200..300).contains(&answer.status) {
            let differences = Vec::new();
            let problem = format!("was answered {}", said(answer));
            return Some(Failure { line: step.line, problem, differences });
        }
        if let Some(outcome) = outcome.filter(|_| !expects_refusal && !says("outcome"))
            && text(&answer.body, "outcome") != Some(outcome)
        {
            let problem = format!("was not {outcome}: {}", answer.body);
            return Some(failed(step, problem));
        }
        let expected = step.expect.as_ref()?;
        let mut found = answer.body.clone();
        if let Value::Object(fields) = &mut found {
            fields.insert("status_code".to_owned(), json!(answer.status));
        }
        let differences = differences(expected, &found, &|text| self.filled(text));
        if differences.is_empty() {
            return None;
        }
        let problem = "was answered otherwise".to_owned();
        Some(Failure { line: step.line, problem, differences })
    }

    /// A text with the ids of steps in the place of `{their names}`.
    fn filled(&self, text: &str) -> String {
        self.ids
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }

    /// The id of a step, or the text itself where it is one.
    fn named(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}

fn failed(step: &Step, problem: String) -> Failure {
    Failure { line: step.line, problem, differences: Vec::new() }
}

/// The id that an answer gives: its own, or that of the first item of a list.
fn id(body: &Value) -> Option<&str> {
    text(body, "id").or_else(|| text(body.pointer("/items/0")?, "id"))
}

fn text<'b>(body: &'b Value, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Value::as_str)
}

/// An answer in a few words.
fn said(answer: &Answer) -> String {
    match (text(&answer.body, "code"), text(&answer.body, "detail")) {
        (Some(code), Some(detail)) => format!("{} {code}: {detail}", answer.status),
        _ => format!("{} {}", answer.status, answer.body),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}
