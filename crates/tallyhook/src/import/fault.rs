//! What is wrong with a file to import: where, and what to do about it.

use std::fmt;

use serde_json::{Value, json};

use super::row::Column;

/// One thing that is wrong. Its texts repeat nothing of the file, which is about customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1.
    pub(super) line: u64,
    pub(super) column: Option<Column>,
    /// A fragment that reads after the column.
    pub(super) problem: String,
    /// A fragment that reads after the problem.
    pub(super) remedy: String,
}

impl Fault {
    /// A fault of one field.
    pub(super) fn at(
        line: u64,
        column: Column,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { column: Some(column), ..Self::of(line, problem, remedy) }
    }

    /// A fault of a line.
    pub(super) fn of(line: u64, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line, column: None, problem: problem.into(), remedy: remedy.into() }
    }

    /// The fault in JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "line": self.line,
            "column": self.column.map(Column::name),
            "problem": self.problem,
            "remedy": self.remedy,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(column) = self.column {
            write!(f, "{column}: ")?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}
