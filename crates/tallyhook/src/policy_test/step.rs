//! The steps of a scenario: when, what happens, and what later steps call it.

use super::{
    file::{Action, Given, Step, When},
    forms::{self, EVENTS, Event, FORMS, Field, Kind},
    reading::Reading,
    tree::{Entry, Node, Value},
};

impl Reading<'_> {
    pub(super) fn step(&mut self, path: &str, node: &Node) -> Option<Step> {
        let plain = ["at", "wait", "as", "expect"];
        let (mut actions, mut unknown) = (Vec::new(), false);
        for entry in node.entries() {
            if forms::keys().any(|key| key == entry.key) {
                actions.push(entry);
            } else if !plain.contains(&entry.key.as_str()) {
                unknown = true;
                let known: Vec<&str> = forms::keys().chain(plain).collect();
                self.unknown(path, entry, &known);
            }
        }
        let when = self.when(path, node);
        let action = match (actions.as_slice(), &when) {
            ([], Some(Some(_))) if !unknown => Some(Action::Wait),
            ([], _) => {
                let remedy = "say one thing that happens, such as purchase = { ... }";
                if !unknown {
                    self.faults.note(node.line, path, "does nothing", remedy);
                }
                None
            }
            ([entry], _) => self.action(&format!("{path}.{}", entry.key), entry),
            ([_, second, ..], _) => {
                let remedy = "write another [[scenario.step]] for it";
                self.faults.note(second.line, path, "does two things", remedy);
                None
            }
        };
        let name = node.get("as").and_then(|name| self.name(&format!("{path}.as"), name));
        let expect = node.get("expect").cloned();
        if let Some(fault) = expect.as_ref().filter(|node| !matches!(node.value, Value::Table(_))) {
            let remedy = "write expect = { available = \"10\" }";
            self.faults.note(fault.line, format!("{path}.expect"), "must be a table", remedy);
        }
        if let (Some(Action::Wait | Action::Absent(_)), Some(expect)) = (&action, &expect) {
            let remedy = "ask for something, such as account = \"alice\"";
            self.faults.note(expect.line, path, "expects something of no answer", remedy);
        }
        let when = when?.unwrap_or(When::Usual);
        Some(Step { line: node.line, when, name, action: action?, expect })
    }

    /// None after a fault; none inside where the step doesn't say.
    fn when(&mut self, path: &str, node: &Node) -> Option<Option<When>> {
        match (node.get("at"), node.get("wait")) {
            (None, None) => Some(None),
            (Some(at), None) => {
                let path = format!("{path}.at");
                let text = self.text(&path, at)?;
                self.moment(at.line, &path, &text).map(|at| Some(When::At(at)))
            }
            (None, Some(wait)) => {
                let path = format!("{path}.wait");
                let text = self.text(&path, wait)?;
                let seconds = seconds(&text);
                if seconds.is_none() {
                    let remedy = "write \"90 seconds\", \"5 minutes\", \"2 hours\" or \"7 days\"";
                    self.faults.note(wait.line, path, format!("{text:?} is no time"), remedy);
                }
                seconds.map(|seconds| Some(When::After(seconds)))
            }
            (Some(_), Some(wait)) => {
                self.faults.note(wait.line, path, "has at and wait", "write one of them");
                None
            }
        }
    }

    /// The name that a step gives, so that later ones can use it.
    fn name(&mut self, path: &str, node: &Node) -> Option<String> {
        let name = self.text(path, node)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            let remedy = "choose lower-case letters, digits and _";
            self.faults.note(node.line, path, format!("{name:?} is no name"), remedy);
            return None;
        }
        if !self.names.insert(name.clone()) {
            let problem = format!("{name:?} is the name of an earlier step");
            self.faults.note(node.line, path, problem, "choose another name");
        }
        Some(name)
    }

    fn action(&mut self, path: &str, entry: &Entry) -> Option<Action> {
        let node = &entry.node;
        if let Some(form) = FORMS.iter().find(|form| form.key == entry.key) {
            return Some(Action::Ask(form, self.given(path, node, form.fields)?));
        }
        if let Some((_, event)) = EVENTS.iter().find(|(key, _)| *key == entry.key) {
            let given = self.given(path, node, event.fields())?;
            self.event(path, node, *event, &given);
            return Some(Action::Happen(*event, given));
        }
        match entry.key.as_str() {
            "redeliver" => {
                let name = self.text(path, node)?;
                self.is_named(path, node, &name)?;
                Some(Action::Redeliver(name))
            }
            "activate" => {
                let given = self.given(path, node, forms::ACTIVATE)?;
                let from = given.text("effective_from")?;
                self.moment(node.line, &format!("{path}.effective_from"), &from)?;
                Some(Action::Activate(given))
            }
            "absent" => self.texts(path, node).map(Action::Absent),
            _ => self.text(path, node).map(Action::Get),
        }
    }

    /// Takes the fields of a step; one that needs only one field may be just its text.
    fn given(&mut self, path: &str, node: &Node, fields: &'static [Field]) -> Option<Given> {
        let short = fields.iter().find(|field| field.required);
        if let (Some(text), Some(field)) = (node.text(), short)
            && fields.iter().filter(|field| field.required).count() == 1
        {
            self.field(path, node, field)?;
            let value = Value::Text(text);
            return Some(Given(vec![(field.name, field.kind, Node { line: node.line, value })]));
        }
        if !matches!(node.value, Value::Table(_)) {
            let remedy = format!("write {{ {} = ... }}", short.map_or("...", |field| field.name));
            self.faults.note(node.line, path, "must be a table", remedy);
            return None;
        }
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        self.known(path, node, &names);
        let mut given = Some(Vec::new());
        for field in fields {
            let path = format!("{path}.{}", field.name);
            match node.get(field.name) {
                Some(value) if self.field(&path, value, field).is_some() => {
                    if let Some(given) = &mut given {
                        given.push((field.name, field.kind, value.clone()));
                    }
                }
                None if !field.required => {}
                None => {
                    let remedy = format!("write {} = ...", field.name);
                    self.faults.note(node.line, path, "is missing", remedy);
                    given = None;
                }
                Some(_) => given = None,
            }
        }
        given.map(Given)
    }

    fn field(&mut self, path: &str, node: &Node, field: &Field) -> Option<()> {
        match (field.kind, &node.value) {
            (Kind::Text, _) => self.text(path, node).map(drop),
            (Kind::Named, _) => {
                let name = self.text(path, node)?;
                self.is_named(path, node, &name)
            }
            (Kind::Whole, Value::Integer(_))
            | (Kind::Flag, Value::Flag(_))
            | (Kind::Table | Kind::Texts, Value::Table(_)) => Some(()),
            (Kind::Items, Value::List(items)) => {
                let each = items.iter().enumerate();
                let read: Vec<_> = each
                    .map(|(index, item)| self.given(&format!("{path}[{index}]"), item, forms::ITEM))
                    .collect();
                read.into_iter().all(|item| item.is_some()).then_some(())
            }
            (Kind::Whole, _) => self.other(path, node, "a whole number without quotes"),
            (Kind::Flag, _) => self.other(path, node, "true or false without quotes"),
            (Kind::Table | Kind::Texts, _) => self.other(path, node, "a table in braces"),
            (Kind::Items, _) => self.other(path, node, "a list of tables"),
        }
    }

    /// A text that names an earlier step, or is an id of another form.
    fn is_named(&mut self, path: &str, node: &Node, name: &str) -> Option<()> {
        let is_id = name.contains(['-', '/', '{']);
        if is_id || self.names.contains(name) {
            return Some(());
        }
        let problem = format!("{name:?} is the name of no earlier step");
        self.faults.note(node.line, path, problem, format!("give that step as = {name:?}"));
        None
    }

    /// What an event's fields must be besides.
    fn event(&mut self, path: &str, node: &Node, event: Event, given: &Given) {
        if let Some(currency) = given.node("currency") {
            self.currency(&format!("{path}.currency"), currency);
        }
        for name in ["amount", "tax", "discount"] {
            let Some(amount) = given.node(name) else { continue };
            let text = amount.text().unwrap_or_default();
            let digits = text.split('.').all(|part| part.bytes().all(|b| b.is_ascii_digit()));
            if text.is_empty() || !digits {
                let problem = format!("{text:?} is no amount of money");
                self.faults.note(amount.line, format!("{path}.{name}"), problem, "write 10.00");
            }
        }
        let statuses: &[&str] = match event {
            Event::Purchase => &forms::PURCHASE_STATUSES,
            Event::Adjustment(_) => &forms::REFUND_STATUSES,
        };
        if let Some(status) = given.text("status").filter(|one| !statuses.contains(&one.as_str())) {
            let remedy = format!("write one of {}", statuses.join(", "));
            let problem = format!("{status:?} is no status");
            self.faults.note(node.line, format!("{path}.status"), problem, remedy);
        }
        let both = (given.node("amount").is_some(), given.node("items").is_some());
        if event == Event::Purchase && both.0 == both.1 {
            let remedy = "write amount = \"10.00\", or items = [{ price = ..., amount = ... }]";
            self.faults.note(node.line, path, "needs amount or items, one of them", remedy);
        }
    }
}

/// A time such as `7 days`, in seconds.
fn seconds(text: &str) -> Option<u32> {
    let (number, unit) = text.split_once(' ')?;
    let each: u32 = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(each)
}
