//! JSON (RFC 8259) as a tree that borrows from the body.
//!
//! Written here because no reader at hand keeps the text of numbers, refuses repeated keys and
//! borrows: the text decides amounts and digests, and a key that is there twice can be read two
//! ways. `tests/json.rs` proves that it takes and refuses what `serde_json` does, but for those keys.
//!
//! Refused: anything but one value with white space around it, bytes that are not UTF-8, escapes
//! that are half of a surrogate pair, nesting past [`DEPTH_MAX`], an object with a key twice.

use std::borrow::Cow;

/// The deepest nesting of arrays and objects; Paddle's events have about 8.
pub(crate) const DEPTH_MAX: usize = 127;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json<'b> {
    Null,
    Bool(bool),
    /// The text as it stood, but `0` for `-0`: so equal integers have equal texts.
    Number(&'b str),
    Text(Cow<'b, str>),
    Array(Vec<Json<'b>>),
    Object(Fields<'b>),
}

/// The fields of an object in the order of their keys' bytes, no key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields<'b>(Vec<(Cow<'b, str>, Json<'b>)>);

/// Why a body is no JSON that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonFault {
    #[error("not UTF-8")]
    Utf8,
    #[error("not JSON at byte {at}")]
    Syntax { at: usize },
    #[error("nested deeper than {DEPTH_MAX}")]
    TooDeep,
    #[error("an object that ends at byte {at} with a key twice")]
    KeyRepeated { at: usize },
}

impl<'b> Json<'b> {
    /// The value of an object's field; `None` too when this is no object.
    pub(crate) fn field(&self, key: &str) -> Option<&Self> {
        match self {
            Json::Object(fields) => fields.get(key),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_) => None,
        }
    }
}

impl<'b> Fields<'b> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Cow<'b, str>, Json<'b>)> {
        self.0.iter()
    }

    /// An object with one field.
    pub(crate) fn one(key: &'static str, value: Json<'b>) -> Self {
        Self(vec![(Cow::Borrowed(key), value)])
    }

    fn get(&self, key: &str) -> Option<&Json<'b>> {
        let place = self.0.binary_search_by(|(other, _)| (**other).cmp(key)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Puts the fields in order; `None` when a key is there twice.
    fn new(mut fields: Vec<(Cow<'b, str>, Json<'b>)>) -> Option<Self> {
        fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let repeated = fields.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
        if repeated { None } else { Some(Self(fields)) }
    }
}

/// Reads a whole body.
pub(crate) fn parse(body: &[u8]) -> Result<Json<'_>, JsonFault> {
    let text = std::str::from_utf8(body).map_err(|_| JsonFault::Utf8)?;
    let mut parser = Parser { text, at: 0, depth: 0 };
    let value = parser.value()?;
    parser.blanks();
    if parser.at == text.len() { Ok(value) } else { Err(parser.syntax()) }
}

/// A place in the text. Every step stays on the border of a character.
struct Parser<'b> {
    text: &'b str,
    at: usize,
    depth: usize,
}

impl<'b> Parser<'b> {
    fn value(&mut self) -> Result<Json<'b>, JsonFault> {
        self.blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            _ => Err(self.syntax()),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Json<'b>, JsonFault>,
    ) -> Result<Json<'b>, JsonFault> {
        if self.depth == DEPTH_MAX {
            return Err(JsonFault::TooDeep);
        }
        self.depth = self.depth.saturating_add(1);
        self.step();
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn object(&mut self) -> Result<Json<'b>, JsonFault> {
        let mut fields = Vec::new();
        self.blanks();
        if !self.take(b'}') {
            loop {
                self.blanks();
                let key = self.string()?;
                self.blanks();
                self.expect(b':')?;
                fields.push((key, self.value()?));
                self.blanks();
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        Fields::new(fields).map(Json::Object).ok_or(JsonFault::KeyRepeated { at: self.at })
    }

    fn array(&mut self) -> Result<Json<'b>, JsonFault> {
        let mut values = Vec::new();
        self.blanks();
        if !self.take(b']') {
            loop {
                values.push(self.value()?);
                self.blanks();
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        Ok(Json::Array(values))
    }

    fn number(&mut self) -> Result<Json<'b>, JsonFault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let text = self.since(start);
        Ok(Json::Number(if text == "-0" { "0" } else { text }))
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.syntax());
        }
        self.skip(|byte| byte.is_ascii_digit());
        Ok(())
    }

    /// Borrows when there is no escape, which is nearly always.
    fn string(&mut self) -> Result<Cow<'b, str>, JsonFault> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip(plain);
        if self.peek() == Some(b'"') {
            let text = self.since(start);
            self.step();
            return Ok(Cow::Borrowed(text));
        }
        let mut text = String::from(self.since(start));
        loop {
            if self.take(b'"') {
                return Ok(Cow::Owned(text));
            }
            self.expect(b'\\')?;
            text.push(self.escape()?);
            let start = self.at;
            self.skip(plain);
            text.push_str(self.since(start));
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.step();
                return self.unicode();
            }
            _ => return Err(self.syntax()),
        };
        self.step();
        Ok(character)
    }

    /// Four digits after `\u`, or eight of a surrogate pair.
    fn unicode(&mut self) -> Result<char, JsonFault> {
        let first = self.unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(u32::from(first)).ok_or(self.syntax());
        }
        self.expect(b'\\')?;
        self.expect(b'u')?;
        let pair = [first, self.unit()?];
        let mut characters = char::decode_utf16(pair);
        characters.next().and_then(Result::ok).ok_or(self.syntax())
    }

    fn unit(&mut self) -> Result<u16, JsonFault> {
        let end = self.at.saturating_add(4);
        let digits = self.text.get(self.at..end).ok_or(self.syntax())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.syntax());
        }
        self.at = end;
        u16::from_str_radix(digits, 16).map_err(|_| self.syntax())
    }

    fn word(&mut self, word: &str, value: Json<'b>) -> Result<Json<'b>, JsonFault> {
        let end = self.at.saturating_add(word.len());
        if self.text.get(self.at..end) != Some(word) {
            return Err(self.syntax());
        }
        self.at = end;
        Ok(value)
    }

    fn blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !skipped(*byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
    }

    fn since(&self, start: usize) -> &'b str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.step();
        }
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn syntax(&self) -> JsonFault {
        JsonFault::Syntax { at: self.at }
    }
}

/// What stands in a string as it is; bytes past ASCII are known to be UTF-8.
fn plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}
