//! Pages as they are stored, compared with what they should be.

use std::fs;

use anyhow::{Context as _, Result, bail};
use tallyhook_tests::environment;

/// Set to anything: pages are written instead of compared.
const BLESS: &str = "TALLYHOOK_BLESS";

/// What stands before and after the part of a page that is written here.
const BEGIN: &str = "<!-- written by tests/tests/examples from here on -->\n";
const END: &str = "<!-- written by hand from here on -->\n";

/// Compares a page, or writes it.
///
/// # Errors
/// It is another, or not there.
pub(crate) fn compare(path: &str, page: &str) -> Result<()> {
    let file = environment::workspace().join(path);
    if environment::variable(BLESS).is_some() {
        return fs::write(&file, page).with_context(|| format!("write {path}"));
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    match first_difference(&stored, page) {
        None => Ok(()),
        Some((line, stored, said)) => bail!(
            "{path}:{line} is\n  {stored}\nbut the binary says\n  {said}\nIf that is right: \
             {BLESS}=1 cargo test --package tallyhook-tests --test examples"
        ),
    }
}

/// Compares the part of a page between the marks, or writes it.
///
/// # Errors
/// It is another, or the page has no marks.
pub(crate) fn compare_part(path: &str, part: &str) -> Result<()> {
    let stored = fs::read_to_string(environment::workspace().join(path))?;
    let lacking = || format!("{path} lacks the line {BEGIN}or, after it, {END}");
    let (before, rest) = stored.split_once(BEGIN).with_context(lacking)?;
    let (_, after) = rest.split_once(END).with_context(lacking)?;
    compare(path, &format!("{before}{BEGIN}\n{}\n\n{END}{after}", part.trim()))
}

/// The first line that differs, from 1, as it is in either text.
pub(crate) fn first_difference(one: &str, other: &str) -> Option<(usize, String, String)> {
    if one == other {
        return None;
    }
    let (mut ones, mut others) = (one.split('\n'), other.split('\n'));
    for line in 1_usize.. {
        match (ones.next(), others.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => {
                let text = |line: Option<&str>| line.unwrap_or_default().to_owned();
                return Some((line, text(one), text(other)));
            }
        }
    }
    None
}
