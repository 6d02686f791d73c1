//! Signed notes as <https://c2sp.org/signed-note> says: a text, an empty line, and lines with
//! signatures. Ed25519 only.
//!
//! Written here and not taken from a crate: it is little, what checks it must stay small enough to
//! be read by whoever relies on it, and ed25519-dalek is built for NATS already.

use std::fmt;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// What a line with a signature starts with: an em dash and a space.
pub(crate) const MARK: &str = "\u{2014} ";

/// The type of Ed25519 signatures, in keys and in what their ids are made from.
const ED25519: u8 = 1;

/// The most lines with signatures that a note may have; the specification asks for 16 or more.
const SIGNATURES_MAX: usize = 64;

/// What the text of a private key starts with, as Go's package for notes writes it.
const PRIVATE: &str = "PRIVATE+KEY+";

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It doesn't have the parts of a key.
    #[error("is no key of the form name+id+key, such as example.com/log+530d903a+AekyeRrm...")]
    Form,
    /// Its name is empty or has a space or a plus sign.
    #[error("has a name that is empty or has a space, a control character or a plus sign")]
    Name,
    /// It isn't an Ed25519 key.
    #[error("is no Ed25519 key")]
    Kind,
    /// Its id isn't that of its name and key.
    #[error("has an id that doesn't belong to its name and key: a character was changed")]
    Id,
}

/// Whom a signature is believed from: a name and a public key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads `name+id+key`.
    ///
    /// # Errors
    /// See [`KeyFault`].
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let (name, rest) = text.split_once('+').ok_or(KeyFault::Form)?;
        let (id, key) = parts(name, rest)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyFault::Kind)?;
        let found = Self::of(name, key)?;
        if key.is_weak() || found.id != id {
            return Err(if key.is_weak() { KeyFault::Kind } else { KeyFault::Id });
        }
        Ok(found)
    }

    fn of(name: &str, key: VerifyingKey) -> Result<Self, KeyFault> {
        let is_name =
            |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(KeyFault::Name);
        }
        Ok(Self { name: name.to_owned(), id: id_of(name, &key), key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn holds(&self, text: &str, signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(text.as_bytes(), &signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = typed(self.key.as_bytes());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.id))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A private key, which signs under any name. Never shown by `Debug`.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key of 32 bytes that nobody else knows.
    #[must_use]
    pub fn of(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads `PRIVATE+KEY+name+id+key`.
    ///
    /// # Errors
    /// See [`KeyFault`].
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyFault::Form)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyFault::Form)?;
        let (id, seed) = parts(name, rest)?;
        let key = Self::of(seed);
        if VerifierKey::of(name, key.0.verifying_key())?.id != id {
            return Err(KeyFault::Id);
        }
        Ok(key)
    }

    /// The text that [`Self::parse`] reads. Whoever has it can sign.
    ///
    /// # Errors
    /// The name is none.
    pub fn to_secret_text(&self, name: &str) -> Result<String, KeyFault> {
        let id = VerifierKey::of(name, self.0.verifying_key())?.id;
        Ok(format!("{PRIVATE}{name}+{}+{}", hex::encode(id), typed(&self.0.to_bytes())))
    }

    /// Signs under a name.
    ///
    /// # Errors
    /// The name is none.
    pub fn signer(&self, name: &str) -> Result<Signer, KeyFault> {
        let verifier = VerifierKey::of(name, self.0.verifying_key())?;
        Ok(Signer { key: self.0.clone(), verifier })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// A private key and the name that it signs under.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// Whom others believe this signer's notes from.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed note of a text, which ends with a line break.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signature = BASE64.encode(&[self.verifier.id.as_slice(), &signature].concat());
        format!("{text}\n{MARK}{} {signature}\n", self.verifier.name)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// It isn't a text, an empty line and lines with signatures.
    #[error(
        "is no signed note: a text, an empty line and lines of the form \"\u{2014} name signature\""
    )]
    Form,
    /// None of the given keys signed it.
    #[error("is signed by none of the given keys; it names: {}", .0.join(", "))]
    Unknown(
        /// The names of the keys that did sign it.
        Vec<String>,
    ),
    /// It is not what the key signed.
    #[error("has a wrong signature of {0}: its text or its signature was changed")]
    Wrong(
        /// The name of the key.
        String,
    ),
}

/// A note that one of the given keys signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The text, with the line break at its end.
    pub text: &'a str,
    /// The names of the keys whose signatures hold, in the order of their lines.
    pub signers: Vec<&'a str>,
}

/// Opens a note that at least one of these keys signed. Signatures of other keys are passed over, as
/// those of witnesses; a wrong signature of one of these keys is never.
///
/// # Errors
/// See [`NoteFault`].
pub fn open<'a>(note: &'a str, keys: &[VerifierKey]) -> Result<Opened<'a>, NoteFault> {
    let (text, lines) = split(note)?;
    let mut signers = Vec::new();
    for line in &lines {
        let known = keys.iter().find(|key| key.name == line.name && key.id == line.id);
        let Some(key) = known else { continue };
        if !line.signature.is_some_and(|signature| key.holds(text, &signature)) {
            return Err(NoteFault::Wrong(key.name.clone()));
        }
        signers.push(line.name);
    }
    if signers.is_empty() {
        let names = lines.iter().map(|line| line.name.to_owned());
        return Err(NoteFault::Unknown(names.collect()));
    }
    Ok(Opened { text, signers })
}

/// The text of a note whose signatures nobody looked at.
///
/// # Errors
/// It is no note.
pub fn unverified_text(note: &str) -> Result<&str, NoteFault> {
    split(note).map(|(text, _)| text)
}

/// A line with a signature; no signature where it isn't as long as Ed25519's.
struct Line<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Option<[u8; 64]>,
}

/// The text, up to the last empty line, and the lines after it.
fn split(note: &str) -> Result<(&str, Vec<Line<'_>>), NoteFault> {
    let is_plain = |letter: char| letter == '\n' || letter >= ' ';
    let end = note.rfind("\n\n").ok_or(NoteFault::Form)?.saturating_add(1);
    let (text, rest) = note.split_at_checked(end).ok_or(NoteFault::Form)?;
    let rest = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
    let rest = rest.filter(|_| note.chars().all(is_plain)).ok_or(NoteFault::Form)?;
    let lines: Option<Vec<Line<'_>>> = rest.split('\n').map(line).collect();
    let lines = lines.filter(|lines| lines.len() <= SIGNATURES_MAX);
    Ok((text, lines.ok_or(NoteFault::Form)?))
}

fn line(line: &str) -> Option<Line<'_>> {
    let (name, signature) = line.strip_prefix(MARK)?.split_once(' ')?;
    let bytes = BASE64.decode(signature.as_bytes()).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    let is_name =
        !name.is_empty() && !name.chars().any(|letter| letter.is_whitespace() || letter == '+');
    is_name.then(|| Line { name, id: *id, signature: signature.try_into().ok() })
}

/// The id and the 32 bytes of a key's text after its name.
fn parts(name: &str, rest: &str) -> Result<([u8; 4], [u8; 32]), KeyFault> {
    let (id_text, key) = rest.split_once('+').ok_or(KeyFault::Form)?;
    let mut id = [0; 4];
    hex::decode_to_slice(id_text, &mut id).map_err(|_| KeyFault::Form)?;
    let key = BASE64.decode(key.as_bytes()).map_err(|_| KeyFault::Form)?;
    if name.is_empty() || hex::encode(id) != id_text {
        return Err(KeyFault::Form);
    }
    let Some((&ED25519, key)) = key.split_first() else { return Err(KeyFault::Kind) };
    Ok((id, key.try_into().map_err(|_| KeyFault::Kind)?))
}

fn typed(key: &[u8; 32]) -> String {
    BASE64.encode(&[[ED25519].as_slice(), key].concat())
}

fn id_of(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hasher = Sha256::new_with_prefix(name).chain_update([b'\n', ED25519]);
    let [first, second, third, fourth, ..]: [u8; 32] =
        hasher.chain_update(key.as_bytes()).finalize().into();
    [first, second, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const SPECIFIED_KEY: &str =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const SPECIFIED: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    /// The example of Go's package for notes.
    const GO_PRIVATE: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const GO_LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(text: &str) -> VerifierKey {
        VerifierKey::parse(text).unwrap()
    }

    #[test]
    fn the_examples_of_the_specification_and_of_go_hold() {
        let opened = open(SPECIFIED, &[key(SPECIFIED_KEY)]).unwrap();
        assert_eq!(opened.text, "This is an example message.\n");
        let private = PrivateKey::parse(GO_PRIVATE).unwrap();
        assert_eq!(private.to_secret_text("PeterNeumann").unwrap(), GO_PRIVATE);
        let signer = private.signer("PeterNeumann").unwrap();
        assert_eq!(signer.verifier().to_string(), GO_KEY);
        assert_eq!(signer.sign(GO_TEXT), format!("{GO_TEXT}\n{GO_LINE}"));
    }

    #[test]
    fn every_changed_byte_of_a_key_or_a_note_is_refused() {
        for (place, byte) in SPECIFIED_KEY.bytes().enumerate() {
            for other in (0..128).filter(|other| *other != byte) {
                let mut bytes = SPECIFIED_KEY.as_bytes().to_vec();
                bytes[place] = other;
                let changed = VerifierKey::parse(std::str::from_utf8(&bytes).unwrap());
                assert!(changed.is_err(), "{place} {other}");
            }
        }
        let keys = [key(SPECIFIED_KEY)];
        for place in 0..SPECIFIED.len() {
            for bit in 0..8 {
                let mut bytes = SPECIFIED.as_bytes().to_vec();
                bytes[place] ^= 1 << bit;
                let Ok(note) = String::from_utf8(bytes) else { continue };
                assert!(open(&note, &keys).is_err(), "{place} {bit}");
            }
        }
    }

    #[test]
    fn other_keys_are_passed_over_and_wrong_signatures_are_not() {
        let note = format!("{GO_TEXT}\n{GO_LINE}");
        let keys = [key(SPECIFIED_KEY), key(GO_KEY)];
        assert_eq!(open(&note, &keys).unwrap().signers, ["PeterNeumann"]);
        let stranger = NoteFault::Unknown(vec!["PeterNeumann".to_owned()]);
        assert_eq!(open(&note, &[key(SPECIFIED_KEY)]), Err(stranger));
        let foreign = SPECIFIED.lines().last().unwrap();
        let both = format!("{note}{foreign}\n");
        assert_eq!(open(&both, &[key(GO_KEY)]).unwrap().signers, ["PeterNeumann"]);
        let wrong = Err(NoteFault::Wrong("example.com/foo".to_owned()));
        assert_eq!(open(&both, &keys), wrong, "the same line under another text");
        for broken in ["", "\n\n", "text\n", "text\n\n", "text\n\nno mark\n", "a\r\n\n"] {
            assert_eq!(open(broken, &keys), Err(NoteFault::Form), "{broken:?}");
        }
    }

    #[test]
    fn a_private_key_is_never_shown() {
        let private = PrivateKey::parse(GO_PRIVATE).unwrap();
        assert_eq!(format!("{private:?}"), "PrivateKey(..)");
        let signer = format!("{:?}", private.signer("a").unwrap());
        assert!(!signer.contains("gQoUAtU"), "{signer}");
        assert!(matches!(private.signer("a b"), Err(KeyFault::Name)));
        assert_eq!(PrivateKey::parse(GO_KEY).unwrap_err(), KeyFault::Form);
    }
}
