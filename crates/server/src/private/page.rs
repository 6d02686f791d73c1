//! Lists: how many items, from where on, and the cursor to the rest.

use serde::{Deserialize, Serialize};

use crate::{
    limits::{PAGE_ITEMS_MAX, PAGE_ITEMS_USUAL},
    problem::Problem,
};

/// What every list can be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A part of a list, with the way to the rest.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// The number of items asked for.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(PAGE_ITEMS_USUAL),
        Some(limit @ 1..=PAGE_ITEMS_MAX) => Ok(limit),
        Some(_) => Err(Problem::query(format!("limit must be from 1 to {PAGE_ITEMS_MAX}"))),
    }
}

/// A cursor that is none of ours.
pub(super) fn cursor_unknown() -> Problem {
    Problem::query("cursor is none that this list gave")
}

impl Paging {
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit)
    }

    /// Where the last part ended, read by `parse`.
    pub(super) fn after<T>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.cursor.as_deref().map(|text| parse(text).ok_or_else(cursor_unknown)).transpose()
    }
}

impl<T> Page<T> {
    /// Cuts one item too many off and makes a cursor of the last one that stays.
    pub(super) fn cut(mut items: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_cursor_only_when_more_follows() {
        let page = |items: Vec<u8>| Page::cut(items, 2, u8::to_string);
        assert_eq!(page(vec![]), Page { items: vec![], next: None });
        assert_eq!(page(vec![1, 2]), Page { items: vec![1, 2], next: None });
        assert_eq!(page(vec![1, 2, 3]), Page { items: vec![1, 2], next: Some("2".to_owned()) });
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        assert_eq!(limit(None), Ok(PAGE_ITEMS_USUAL));
        assert_eq!(limit(Some(PAGE_ITEMS_MAX)), Ok(PAGE_ITEMS_MAX));
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(PAGE_ITEMS_MAX + 1)).is_err());
    }
}
