//! What is wrong with a file: where, at which key, and what to do about it.

use std::{error::Error, fmt, sync::Arc};

/// The most characters of an operator's text that a fault repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the text; both count from 1, columns in characters.
    Line {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In the environment variable of this name, which overrides the text.
    Variable(Arc<str>),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is; a missing key is placed at the table that lacks it.
    pub place: Place,
    /// The path of the key, such as `credits.prices[0].paid`; empty for the text as a whole.
    pub key: String,
    /// What is wrong, as a fragment that reads after the key.
    pub problem: String,
    /// What to do, as a fragment that reads after the problem.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line { line, column } if self.key.is_empty() => {
                write!(f, "line {line}, column {column}: ")?;
            }
            Place::Line { line, .. } => write!(f, "line {line}: {}: ", self.key)?,
            // A name of the environment may have any characters.
            Place::Variable(name) => {
                write!(f, "environment {}: {}: ", name.escape_debug(), self.key)?;
            }
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// All that is wrong with a file, in the order of its lines; never empty.
///
/// Displayed with one fault on each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, in the order of their lines; those of the environment follow.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Places what was found in its text.
    pub(crate) fn new(text: &str, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|one, other| one.at.cmp(&other.at));
        let mut lines = Lines { rest: text.char_indices().peekable(), line: 1, column: 1 };
        let placed = findings.into_iter().map(|finding| {
            let Finding { at, key, problem, remedy } = finding;
            Fault { place: lines.place(at), key, problem, remedy }
        });
        Self(placed.collect())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for fault in &self.0 {
            write!(f, "{separator}{fault}")?;
            separator = "\n";
        }
        Ok(())
    }
}

impl Error for Faults {}

/// Where something stands, before its line is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    /// At this byte of the text.
    Offset(usize),
    /// In the environment variable of this name.
    Variable(Arc<str>),
}

/// A fault whose line is not yet counted.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) at: At,
    pub(crate) key: String,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

/// Counts lines and columns in one pass, so that many faults in a long text stay cheap.
struct Lines<'t> {
    rest: std::iter::Peekable<std::str::CharIndices<'t>>,
    line: usize,
    column: usize,
}

impl Lines<'_> {
    /// The place of this position, which is not before the last one asked for.
    fn place(&mut self, at: At) -> Place {
        let offset = match at {
            At::Offset(offset) => offset,
            At::Variable(name) => return Place::Variable(name),
        };
        while let Some((_, passed)) = self.rest.next_if(|(index, _)| *index < offset) {
            if passed == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        Place::Line { line: self.line, column: self.column }
    }
}

/// An operator's text in quotes, on one line and not longer than a person reads.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The path of a key in a table; a key that TOML would quote is quoted.
pub(crate) fn joined(path: &str, key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
