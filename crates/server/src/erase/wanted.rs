//! Texts that are looked for in bodies and records.

use std::borrow::Cow;

/// The fewest bytes of a text that is looked for: a shorter one is in bodies of anyone.
pub const TEXT_BYTES_MIN: usize = 4;

/// How deep JSON may lie in texts of JSON, for texts in it to be found.
const NESTED_MAX: usize = 3;

/// A text that is looked for, whatever the case of its letters.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted(String);

/// A text is too short to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has less than {TEXT_BYTES_MIN} bytes; it would be found in bodies of anyone")]
pub struct TooShort;

impl Wanted {
    /// Checks that a text can be looked for.
    ///
    /// # Errors
    /// It is too short.
    pub fn new(text: &str) -> Result<Self, TooShort> {
        if text.len() < TEXT_BYTES_MIN { Err(TooShort) } else { Ok(Self(text.to_lowercase())) }
    }

    /// Whether a text has it, as it stands or as JSON that is written in it says it.
    ///
    /// A value of JSON is the text between its quotes with the escapes resolved. So they are resolved
    /// in the whole text, which finds what is in a value also where the text is not quite JSON.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let mut text = String::from_utf8_lossy(bytes);
        for _ in 0..NESTED_MAX {
            if text.to_lowercase().contains(&self.0) {
                return true;
            }
            if !text.contains('\\') {
                return false;
            }
            text = Cow::Owned(unescaped(&text));
        }
        text.to_lowercase().contains(&self.0)
    }
}

/// Never shown: it is what must not be kept.
impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wanted(..)")
    }
}

/// Resolves the escapes of JSON; what is none stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        if !before.is_empty() {
            put_units(&mut out, &mut units);
            out.push_str(before);
        }
        let unit = escape.strip_prefix("\\u").and_then(|after| after.get(..4));
        if let Some(unit) = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            // A character beyond the first 65,536 is two of these.
            units.push(unit);
            rest = escape.get(6..).unwrap_or_default();
            continue;
        }
        put_units(&mut out, &mut units);
        let mut after = escape.chars();
        // The backslash itself.
        after.next();
        match after.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
            None => {}
        }
        rest = after.as_str();
    }
    put_units(&mut out, &mut units);
    out.push_str(rest);
    out
}

fn put_units(out: &mut String, units: &mut Vec<u16>) {
    out.extend(char::decode_utf16(units.drain(..)).map(|read| read.unwrap_or('\u{fffd}')));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(wanted: &str, text: &str) -> bool {
        Wanted::new(wanted).unwrap().is_in(text.as_bytes())
    }

    #[test]
    fn a_text_is_found_as_it_stands_and_as_json_says_it() {
        for text in [
            r#"{"email":"zoë@example.com"}"#,
            r#"{"email":"ZOË@Example.COM"}"#,
            r#"{"email":"zo\u00eb@example.com"}"#,
            r#"{"email":"zo\u00CB@example.com"}"#,
            r#"{"note":"{\"email\":\"zo\\u00eb@example.com\"}"}"#,
            "POST /v1/x\n{\"email\":\"a zo\\u00eb\\u0040example.com b\"}",
            "not json: zo\\u00eb@example.com \\",
        ] {
            assert!(is_in("zoë@example.com", text), "{text}");
        }
        assert!(is_in("a/b c", r#"{"x":"A\/b\u0020c"}"#));
        assert!(is_in("line\nnext", r#"{"x":"line\nnext"}"#));
        assert!(is_in("\u{1f600} ok", r#"{"x":"\ud83d\ude00 OK"}"#));
    }

    #[test]
    fn nothing_else_is_found() {
        for text in ["", r"{}", r#"{"email":"zoe@example.com"}"#, r"zo\u00e", "\\", r"\ud83d"] {
            assert!(!is_in("zoë@example.com", text), "{text}");
        }
        assert!(Wanted::new("zoë@example.com").unwrap().is_in(b"\xff zo\xc3\xab@example.com"));
        assert_eq!(Wanted::new("ab"), Err(TooShort));
        assert_eq!(format!("{:?}", Wanted::new("secret").unwrap()), "Wanted(..)");
    }
}
