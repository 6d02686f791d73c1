//! Moments and days as an operator writes them.

use domain::{calendar::Day, time::Timestamp};

use crate::{
    faults::quoted,
    reader::{Faulted, Item},
};

/// Reads RFC 3339, which the domain's reader only includes.
pub(crate) fn moment(item: &mut Item<'_, '_>) -> Result<Timestamp, Faulted> {
    const REMEDY: &str = "write it with its offset, such as \"2026-07-03T00:00:00Z\"";
    let text = item.moment()?;
    let parsed = if is_rfc3339(text) { Timestamp::parse(text) } else { None };
    parsed.ok_or_else(|| item.fault("is not a date and time with an offset (RFC 3339)", REMEDY))
}

/// Whether a text has the form of RFC 3339 section 5.6; the numbers are left to the calendar.
fn is_rfc3339(text: &str) -> bool {
    let Some((seconds, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => match fraction.trim_start_matches(|c: char| c.is_ascii_digit()) {
            offset if offset.len() < fraction.len() => offset,
            _ => return false,
        },
    };
    fits(seconds, "0000-00-00T00:00:00") && (fits(offset, "Z") || fits(offset, "+00:00"))
}

/// Reads a day, such as `2026-10-01`, given as a text or as TOML's own.
pub(crate) fn day(item: &mut Item<'_, '_>) -> Result<Day, Faulted> {
    let text = item.date()?;
    let parsed = if fits(text, "0000-00-00") { Day::parse(text) } else { None };
    let remedy = "write year, month and day, such as \"2026-10-01\"";
    parsed.ok_or_else(|| item.fault(format!("{} is not a day", quoted(text)), remedy))
}

/// Whether a text has a form, in which `0` is any digit and `+` either sign.
fn fits(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'+' => matches!(byte, b'+' | b'-'),
            form => byte.eq_ignore_ascii_case(&form),
        })
}
