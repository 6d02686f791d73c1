//! Where messages are sent and what they are known by.
//!
//! ```text
//! subject     tallyhook.balances.{ledger}.{account}
//! message id  {ledger}/{sequence}/{account}
//! ```
//!
//! In both, a byte of the account outside `A-Z a-z 0-9 _ -` stands as `=XX`, in upper-case
//! hexadecimal, so that any account is one token. A ledger's name needs none of that.

use std::fmt::{self, Write as _};

/// The JetStream stream that keeps all messages.
pub const STREAM: &str = "TALLYHOOK_BALANCES";

/// What all subjects begin with.
pub const PREFIX: &str = "tallyhook.balances";

/// The subject of an account's messages.
///
/// # Example
/// ```
/// use balance_events::subject;
///
/// assert_eq!(subject::subject("main", "jo@x"), "tallyhook.balances.main.jo=40x");
/// ```
#[must_use]
pub fn subject(ledger: &str, account: &str) -> String {
    format!("{PREFIX}.{ledger}.{}", token(account))
}

/// The subject that all accounts of a ledger match.
#[must_use]
pub fn ledger_subjects(ledger: &str) -> String {
    format!("{PREFIX}.{ledger}.>")
}

/// The ledger and the account that a subject names: the inverse of [`subject`].
///
/// `None` for a text that [`subject`] never returns.
#[must_use]
pub fn parse(subject: &str) -> Option<(String, String)> {
    let tokens = subject.strip_prefix(PREFIX)?.strip_prefix('.')?;
    let (ledger, account) = tokens.split_once('.')?;
    Some((ledger_name(ledger)?, account_of(account)?))
}

/// An account as one token of a subject.
#[must_use]
pub fn token(account: &str) -> String {
    account.bytes().fold(String::with_capacity(account.len()), |mut token, byte| {
        if is_plain(byte) {
            token.push(char::from(byte));
        } else {
            write!(token, "={byte:02X}").expect("a String takes any text");
        }
        token
    })
}

/// The account that a token stands for: the inverse of [`token`].
///
/// `None` for a text that [`token`] never returns.
#[must_use]
pub fn account_of(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        let meant = match byte {
            b'=' => nibble(rest.next()?)? << 4 | nibble(rest.next()?)?,
            plain if is_plain(plain) => plain,
            _ => return None,
        };
        if byte == b'=' && is_plain(meant) {
            return None;
        }
        bytes.push(meant);
    }
    String::from_utf8(bytes).ok().filter(|account| !account.is_empty())
}

/// What a message is known by: one for each account that a record changed.
///
/// Printed, it is safe in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId {
    /// The ledger.
    pub ledger: String,
    /// The record, from 1.
    pub sequence: u64,
    /// The account.
    pub account: String,
}

impl MessageId {
    /// Reads what `Display` prints; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ledger, rest) = text.split_once('/')?;
        let (number, account) = rest.split_once('/')?;
        let sequence: u64 = number.parse().ok()?;
        let id = Self { ledger: ledger_name(ledger)?, sequence, account: account_of(account)? };
        (sequence > 0 && id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.ledger, self.sequence, token(&self.account))
    }
}

fn ledger_name(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(is_plain)).then(|| text.to_owned())
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives_the_round_trip() {
        let every_char = (0..0x300).chain([0x20ac, 0x1f600]).filter_map(char::from_u32);
        for account in every_char.map(|c| format!("a{c}z")).chain(["=40".into(), ".".into()]) {
            let sent_to = subject("main", &account);
            assert_eq!(sent_to.split('.').count(), 4, "{sent_to}");
            assert!(sent_to.is_ascii() && !sent_to.contains([' ', '*', '>', '\r', '\n']));
            assert_eq!(parse(&sent_to), Some(("main".into(), account.clone())));

            let id = MessageId { ledger: "a-1_b".into(), sequence: u64::MAX, account };
            assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn accounts_are_told_apart() {
        assert_eq!(subject("main", "cus_1-A"), "tallyhook.balances.main.cus_1-A");
        assert_eq!(subject("main", "ü.=>"), "tallyhook.balances.main.=C3=BC=2E=3D=3E");
    }

    #[test]
    fn texts_that_were_never_printed_are_refused() {
        for account in ["", "a.b", "a b", "=", "=4", "=4g", "=c3=bc", "=41", "=C3", "ü", "*"] {
            assert_eq!(account_of(account), None, "{account}");
        }
        for text in ["", "tallyhook.balances.main", "tallyhook.balances..a", "x.balances.main.a"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["main/0/a", "main/+1/a", "main/01/a", "main/1", "main/1/", "/1/a", "main/x/a"]
        {
            assert_eq!(MessageId::parse(text), None, "{text}");
        }
    }
}
