//! Bodies that are filled in by the hundred thousand: a fixture of the project, cut where its
//! values differ.

use anyhow::Result;
use serde_json::Value;

use crate::paddle::{fixture, put};

/// A body with holes.
#[derive(Debug)]
pub(super) struct Template {
    /// What stands before each hole and after the last one.
    text: Vec<String>,
    /// Which value goes where.
    holes: Vec<usize>,
}

/// What stands in a hole while the fixture is cut: no fixture has it.
const MARK: char = '\u{f8ff}';

impl Template {
    /// A fixture with a hole at each of these pointers, which are of texts; the first is filled with
    /// the first value and so on. A pointer list of several gets one value in all its places.
    pub(super) fn of(name: &str, places: &[&[&str]]) -> Result<Self> {
        let mut body: Value = fixture(name)?;
        for (number, pointers) in places.iter().enumerate() {
            for pointer in *pointers {
                put(&mut body, pointer, format!("{MARK}{number}{MARK}"))?;
            }
        }
        let (mut text, mut holes) = (Vec::new(), Vec::new());
        for (place, part) in body.to_string().split(MARK).enumerate() {
            if place % 2 == 0 {
                text.push(part.to_owned());
            } else {
                holes.push(part.parse()?);
            }
        }
        Ok(Self { text, holes })
    }

    /// The body with these values, which are plain: nothing is escaped.
    pub(super) fn fill(&self, values: &[&str]) -> Vec<u8> {
        let mut body = String::with_capacity(8_192);
        let mut text = self.text.iter();
        body.extend(text.next().map(String::as_str));
        for (hole, after) in self.holes.iter().zip(text) {
            body.extend(values.get(*hole).copied());
            body.push_str(after);
        }
        body.into_bytes()
    }
}
