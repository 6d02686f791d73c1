//! Lists: how many items, from where on, and the cursor to the rest.

use serde::Serialize;

use crate::{
    limits::{PAGE_ITEMS_MAX, PAGE_ITEMS_USUAL},
    problem::Problem,
};

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

/// The place that a cursor stands for, read by `parse`.
pub(super) fn after<T>(
    cursor: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    cursor.map(|text| parse(text).ok_or_else(cursor_unknown)).transpose()
}

/// A cursor that is none of ours.
pub(super) fn cursor_unknown() -> Problem {
    Problem::query("cursor is none that this list gave")
}

/// A look through a list for some of its items, from where on and how far.
pub(super) struct Search<C> {
    /// The most items of the answer.
    pub(super) limit: usize,
    /// The most items that are looked at.
    pub(super) scanned_max: usize,
    /// The place of the item after which the look begins.
    pub(super) after: Option<C>,
}

impl<C: Clone> Search<C> {
    /// The items that are wanted, and the place after which the rest of the list begins. There may
    /// be none of them and still a rest.
    ///
    /// `part` gives the items after a place, at most so many; `place` says where an item is.
    pub(super) fn find<T>(
        self,
        mut part: impl FnMut(Option<&C>, usize) -> Result<Vec<T>, Problem>,
        place: impl Fn(&T) -> C,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, Option<C>), Problem> {
        let Self { limit, scanned_max, mut after } = self;
        let mut at_once = limit.saturating_add(1);
        let mut found = Vec::new();
        let mut scanned = 0_usize;
        loop {
            let items = part(after.as_ref(), at_once)?;
            let ended = items.len() < at_once;
            scanned = scanned.saturating_add(items.len());
            after = items.last().map(&place).or(after);
            found.extend(items.into_iter().filter(&wanted));
            if found.len() > limit {
                found.truncate(limit);
                let next = found.last().map(place);
                return Ok((found, next));
            }
            if ended || scanned >= scanned_max {
                return Ok((found, after.filter(|_| !ended)));
            }
            // What is wanted is rare here.
            at_once = at_once.saturating_mul(2).min(PAGE_ITEMS_MAX.saturating_add(1));
        }
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
    fn a_search_goes_on_until_it_has_enough_or_looked_at_enough() {
        let search = |limit, after, wanted: fn(&u8) -> bool| {
            let part = |after: Option<&u8>, most: usize| {
                let from = after.map_or(0, |after| after + 1);
                Ok((from..20).take(most).collect())
            };
            Search { limit, scanned_max: 9, after }.find(part, |item| *item, wanted).unwrap()
        };
        assert_eq!(search(2, None, |_| true), (vec![0, 1], Some(1)));
        assert_eq!(search(2, Some(17), |_| true), (vec![18, 19], None));
        assert_eq!(search(2, Some(16), |_| true), (vec![17, 18], Some(18)));
        assert_eq!(search(2, None, |item| *item == 4), (vec![4], Some(8)), "looked at 9");
        assert_eq!(search(2, None, |item| *item > 15), (vec![], Some(8)), "none, and still a rest");
        assert_eq!(search(2, Some(8), |item| *item > 15), (vec![16, 17], Some(17)));
        assert_eq!(search(2, Some(17), |item| *item > 18), (vec![19], None));
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        assert_eq!(limit(None), Ok(PAGE_ITEMS_USUAL));
        assert_eq!(limit(Some(PAGE_ITEMS_MAX)), Ok(PAGE_ITEMS_MAX));
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(PAGE_ITEMS_MAX + 1)).is_err());
    }
}
