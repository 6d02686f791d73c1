//! Checkpoints as <https://c2sp.org/tlog-checkpoint> says: the size and the root of a ledger's tree
//! in a signed note, by which the log's keeper is held to it for ever.
//!
//! The origin is a name of the log, a slash and the ledger; the key that signs has the same name.

use std::fmt;

use data_encoding::BASE64;

use crate::{
    merkle::Hash,
    note::{self, MARK, NoteFault, Signer, VerifierKey},
};

/// The letters of an Ed25519 signature with the key's id before it.
const SIGNATURE_LETTERS: usize = 92;

/// The size and the root of a ledger's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its name, a slash and the ledger.
    pub origin: String,
    /// How many records there were.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A checkpoint with its signed note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What the note says.
    pub checkpoint: Checkpoint,
    /// The note.
    pub note: String,
}

/// Why a note is no checkpoint that is believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The note isn't believed.
    #[error("the checkpoint {0}")]
    Note(
        /// Why.
        #[from]
        NoteFault,
    ),
    /// The note's text is no checkpoint.
    #[error("the checkpoint is not an origin, a size and a root on a line each")]
    Form,
    /// A key with another name signed it.
    #[error("the checkpoint of {origin} is signed under the name of another log, {signer}")]
    Origin {
        /// Whose tree the checkpoint tells of.
        origin: String,
        /// The name of the key.
        signer: String,
    },
}

impl Checkpoint {
    /// Reads the text of a note.
    ///
    /// # Errors
    /// It is no checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointFault> {
        let text = text.strip_suffix('\n').ok_or(CheckpointFault::Form)?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size_text), Some(root)) =
            (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointFault::Form);
        };
        let size: u64 = size_text.parse().map_err(|_| CheckpointFault::Form)?;
        let root = BASE64.decode(root.as_bytes()).map_err(|_| CheckpointFault::Form)?;
        let root = Hash(root.try_into().map_err(|_| CheckpointFault::Form)?);
        let is_empty = |line: &str| line.is_empty();
        if origin.is_empty() || size.to_string() != size_text || lines.any(is_empty) {
            return Err(CheckpointFault::Form);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads a note that one of these keys signed, under the name of the checkpoint's log.
    ///
    /// # Errors
    /// See [`CheckpointFault`].
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, CheckpointFault> {
        let opened = note::open(note, keys)?;
        let checkpoint = Self::parse(opened.text)?;
        let is_own = |signer: &&str| **signer == checkpoint.origin;
        if let Some(signer) = opened.signers.iter().find(|signer| !is_own(signer)) {
            let signer = (*signer).to_owned();
            return Err(CheckpointFault::Origin { origin: checkpoint.origin, signer });
        }
        Ok(checkpoint)
    }

    /// Reads a note whose signatures nobody looked at.
    ///
    /// # Errors
    /// It is no checkpoint.
    pub fn unverified(note: &str) -> Result<Self, CheckpointFault> {
        Self::parse(note::unverified_text(note)?)
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&self.to_string())
    }

    /// The ledger: what stands behind the last slash of the origin.
    #[must_use]
    pub fn ledger(&self) -> &str {
        self.origin.rsplit('/').next().unwrap_or(&self.origin)
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(&self.root.0))
    }
}

/// The notes of a file to which one after the other was added, each with an empty line behind it.
///
/// A note that was cut short, as by a loss of power, is passed over: it was never published whole.
pub fn notes(file: &str) -> impl Iterator<Item = String> {
    let mut text: Option<&str> = None;
    let paragraphs = file.split("\n\n").map(|paragraph| paragraph.trim_matches('\n'));
    paragraphs.filter_map(move |paragraph| {
        if paragraph.starts_with(MARK) {
            text.take().map(|text| format!("{text}\n\n{paragraph}\n"))
        } else {
            text = (!paragraph.is_empty()).then_some(paragraph);
            None
        }
    })
}

/// The newest of the wanted checkpoints in the text of a file: the one of most records, and of
/// several the last. Whether its signature holds is for the caller to check.
pub fn newest(file: &str, is_wanted: impl Fn(&Checkpoint) -> bool) -> Option<Published> {
    let whole = notes(file).filter(|note| !is_cut_short(note));
    let read = whole.filter_map(|note| {
        let checkpoint = Checkpoint::unverified(&note).ok()?;
        is_wanted(&checkpoint).then_some(Published { checkpoint, note })
    });
    read.max_by_key(|published| published.checkpoint.size)
}

/// Whether a note ends in a signature that is shorter than any, as one does whose writer lost power
/// meanwhile.
#[must_use]
pub fn is_cut_short(note: &str) -> bool {
    let last = note.lines().last().and_then(|line| line.strip_prefix(MARK));
    let signature = last.map(|line| line.split_once(' ').map_or("", |(_, signature)| signature));
    signature.is_some_and(|signature| signature.len() < SIGNATURE_LETTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::PrivateKey;

    fn signer(name: &str) -> Signer {
        PrivateKey::of([7; 32]).signer(name).unwrap()
    }

    fn checkpoint(size: u64) -> Checkpoint {
        let origin = "example.com/main".to_owned();
        Checkpoint { origin, size, root: Hash::of_leaf(&size.to_be_bytes()) }
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let found = Checkpoint::parse(text).unwrap();
        assert_eq!((found.ledger(), found.size), ("behind-the-sofa", 20_852_163));
        assert_eq!(found.to_string(), text);
        let extended = Checkpoint::parse(&format!("{text}more\n")).unwrap();
        assert_eq!(extended, found, "what follows is for others");
        for broken in [
            text.trim_end(),
            &text.replace("2085", "02085"),
            &text.replace("2085", "+2085"),
            &text.replace("=", ""),
            &text.replace("xq2I=", "xq2J="),
            &format!("{text}\n"),
            &format!("\n{text}"),
            "example.com/behind-the-sofa\n1\n",
        ] {
            assert_eq!(Checkpoint::parse(broken), Err(CheckpointFault::Form), "{broken:?}");
        }
    }

    #[test]
    fn a_key_speaks_for_its_own_log_only() {
        let (own, other) = (signer("example.com/main"), signer("example.com/other"));
        let note = checkpoint(5).sign(&own);
        assert_eq!(Checkpoint::open(&note, &[own.verifier().clone()]), Ok(checkpoint(5)));
        let foreign = checkpoint(5).sign(&other);
        let refused = Checkpoint::open(&foreign, &[other.verifier().clone()]);
        assert!(matches!(refused, Err(CheckpointFault::Origin { .. })), "{refused:?}");
        let stranger = Checkpoint::open(&note, &[other.verifier().clone()]);
        assert!(matches!(stranger, Err(CheckpointFault::Note(NoteFault::Unknown(_)))));
    }

    #[test]
    fn a_file_of_notes_is_read_past_a_note_that_was_cut_short() {
        let own = signer("example.com/main");
        let whole: Vec<String> = (1..4).map(|size| checkpoint(size).sign(&own)).collect();
        let [first, second, third] = whole.as_slice() else { panic!() };
        for cut in 0..second.len() {
            if !second.is_char_boundary(cut) {
                continue;
            }
            let file = format!("{first}\n{}\n\n{third}\n", &second[..cut]);
            let keys = [own.verifier().clone()];
            let read = notes(&file).filter_map(|note| Checkpoint::open(&note, &keys).ok());
            let sizes: Vec<u64> = read.map(|checkpoint| checkpoint.size).collect();
            let expected: &[u64] = if cut == second.len() - 1 { &[1, 2, 3] } else { &[1, 3] };
            assert_eq!(sizes, expected, "cut at {cut}");
        }
        for cut in (0..second.len()).filter(|cut| second.is_char_boundary(*cut)) {
            let unread = notes(&format!("{}\n\n", &second[..cut]))
                .filter(|note| Checkpoint::open(note, &[own.verifier().clone()]).is_err())
                .all(|note| is_cut_short(&note));
            assert!(unread, "cut at {cut}");
        }
        assert!(!is_cut_short(first) && !is_cut_short(&first.replace('A', "?")));
        let file = format!("{third}\n{first}\n{second}\n\n");
        assert_eq!(newest(&file, |_| true).map(|newest| newest.note), Some(third.clone()));
        assert_eq!(
            newest(&file, |found| found.size < 3).map(|newest| newest.note),
            Some(second.clone())
        );
        assert_eq!(newest(&file, |_| false), None);
        assert_eq!(notes(&format!("{first}\n{second}\n")).count(), 2);
        assert_eq!(notes(first).collect::<Vec<_>>(), [first.as_str()]);
        assert_eq!(notes("").count(), 0);
    }
}
