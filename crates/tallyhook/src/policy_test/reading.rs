//! What every part of a file is read with: texts, moments, known keys; faults on the way.

use std::collections::BTreeSet;

use domain::{money::Currency, time::Timestamp};

use super::tree::{Entry, Faults, Node, Value};

/// Reads on after a fault, so that all are told at once.
pub(super) struct Reading<'f> {
    pub(super) faults: &'f mut Faults,
    /// The names that the steps of this scenario gave so far.
    pub(super) names: BTreeSet<String>,
}

impl Reading<'_> {
    pub(super) fn required(
        &mut self,
        path: &str,
        node: &Node,
        key: &str,
        remedy: &str,
    ) -> Option<(usize, String)> {
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match node.get(key) {
            Some(value) => self.text(&path, value).map(|text| (value.line, text)),
            None => {
                self.faults.note(node.line, path, "is missing", remedy);
                None
            }
        }
    }

    pub(super) fn text(&mut self, path: &str, node: &Node) -> Option<String> {
        let text = node.text();
        if text.is_none() {
            self.faults.note(node.line, path, "must be text", "write it in quotes");
        }
        text
    }

    pub(super) fn texts(&mut self, path: &str, node: &Node) -> Option<Vec<String>> {
        if let Value::List(items) = &node.value
            && !items.is_empty()
        {
            let texts: Vec<_> = items.iter().map(|item| self.text(path, item)).collect();
            return texts.into_iter().collect();
        }
        self.faults.note(node.line, path, "must be a list of texts", "write [\"...\"]");
        None
    }

    pub(super) fn other(&mut self, path: &str, node: &Node, wanted: &str) -> Option<()> {
        self.faults.note(node.line, path, "is of another kind", format!("write {wanted}"));
        None
    }

    pub(super) fn currency(&mut self, path: &str, node: &Node) -> Option<String> {
        let text = self.text(path, node)?;
        if Currency::new(&text).is_none() {
            let problem = format!("{text:?} is no currency of the processor");
            self.faults.note(node.line, path, problem, "write \"USD\" or another of its codes");
            return None;
        }
        Some(text)
    }

    pub(super) fn moment(&mut self, line: usize, path: &str, text: &str) -> Option<Timestamp> {
        let moment = Timestamp::parse(text);
        if moment.is_none() {
            let problem = format!("{text:?} is no date and time");
            self.faults.note(line, path, problem, "write \"2026-07-06T09:00:00Z\"");
        }
        moment
    }

    pub(super) fn known(&mut self, path: &str, node: &Node, keys: &[&str]) {
        for entry in node.entries().iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            self.unknown(path, entry, keys);
        }
    }

    pub(super) fn unknown(&mut self, path: &str, entry: &Entry, keys: &[&str]) {
        let path =
            if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        let meant = keys.iter().find(|key| alike(key) == alike(&entry.key));
        let remedy = match meant {
            Some(key) => format!("did you mean \"{key}\"?"),
            None => format!("remove it; known here are {}", keys.join(", ")),
        };
        self.faults.note(entry.line, path, "is not a known key", remedy);
    }
}

/// A key as somebody may have written it otherwise.
fn alike(key: &str) -> String {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    letters
        .map(|letter| letter.to_ascii_lowercase())
        .collect::<String>()
        .trim_end_matches('s')
        .to_owned()
}
