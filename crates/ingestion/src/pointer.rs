//! Where in an event a value stands: JSON pointers (RFC 6901).

use std::fmt;

use crate::json::Json;

/// The most bytes of a pointer: what a record of the settings holds ([`domain::ids::Text`]).
pub const POINTER_BYTES_MAX: usize = 1000;

/// Why a text is no pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerFault {
    /// The empty pointer is the whole event, which names nothing.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`POINTER_BYTES_MAX`].
    #[error("must have at most {POINTER_BYTES_MAX} bytes")]
    TooLong,
    /// The first character is another than `/`.
    #[error("must begin with '/'")]
    NoSlash,
    /// A `~` that neither `0` nor `1` follows.
    #[error("must have '~' only in '~0' and '~1'")]
    Escape,
}

/// A JSON pointer to a value inside an event, from the top of its envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Pointer {
    text: Box<str>,
    steps: Box<[Box<str>]>,
}

impl Pointer {
    /// Checks and makes the pointer.
    ///
    /// # Errors
    /// Empty, too long, without the leading `/`, or with a wrong escape.
    pub fn new(text: &str) -> Result<Self, PointerFault> {
        if text.is_empty() {
            return Err(PointerFault::Empty);
        }
        if text.len() > POINTER_BYTES_MAX {
            return Err(PointerFault::TooLong);
        }
        let steps = text.strip_prefix('/').ok_or(PointerFault::NoSlash)?;
        let steps = steps.split('/').map(unescaped).collect::<Result<_, _>>()?;
        Ok(Self { text: Box::from(text), steps })
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value that the pointer names.
    pub(crate) fn find<'t, 'b>(&self, root: &'t Json<'b>) -> Option<&'t Json<'b>> {
        self.steps.iter().try_fold(root, |value, step| match value {
            Json::Object(_) => value.field(step),
            Json::Array(values) => values.get(index(step)?),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => None,
        })
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// One step without its escapes: `~1` is `/` and `~0` is `~`.
fn unescaped(step: &str) -> Result<Box<str>, PointerFault> {
    let mut parts = step.split('~');
    let mut text = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let (character, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', part.get(1..)),
            Some(b'1') => ('/', part.get(1..)),
            _ => return Err(PointerFault::Escape),
        };
        text.push(character);
        text.push_str(rest.unwrap_or_default());
    }
    Ok(text.into_boxed_str())
}

/// An array index: digits without leading zeros.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    if plain { step.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn pointers_find_what_rfc_6901_says() {
        let body =
            br#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2," ":7,"m~n":8,"~1":9,"k":{"x":10}}"#;
        let root = json::parse(body).unwrap();
        for (pointer, text) in [
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/ ", "7"),
            ("/m~0n", "8"),
            ("/~01", "9"),
            ("/k/x", "10"),
        ] {
            let found = Pointer::new(pointer).unwrap().find(&root).cloned();
            assert_eq!(found, Some(Json::Number(text)), "{pointer}");
        }
        let found = Pointer::new("/foo/0").unwrap().find(&root).cloned();
        assert_eq!(found, Some(Json::Text("bar".into())));
        for absent in
            ["/foo/2", "/foo/00", "/foo/+1", "/foo/-", "/foo/", "/foo/0/x", "/k/y", "/x/y"]
        {
            assert_eq!(Pointer::new(absent).unwrap().find(&root), None, "{absent}");
        }
    }

    #[test]
    fn texts_that_are_no_pointer_are_refused() {
        for (text, fault) in [
            ("", PointerFault::Empty),
            ("data", PointerFault::NoSlash),
            ("/~", PointerFault::Escape),
            ("/~2", PointerFault::Escape),
            ("/a~b", PointerFault::Escape),
        ] {
            assert_eq!(Pointer::new(text), Err(fault), "{text}");
        }
        let long = format!("/{}", "a".repeat(POINTER_BYTES_MAX));
        assert_eq!(Pointer::new(&long), Err(PointerFault::TooLong));
    }
}
