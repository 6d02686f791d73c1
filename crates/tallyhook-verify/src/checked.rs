//! What a file proves.

use std::{cmp::Reverse, collections::BTreeMap};

use proof::{
    checkpoint::{Checkpoint, is_cut_short, notes},
    note::{NoteFault, VerifierKey},
    verdict::Verdict,
};

/// What the one who checks brings along.
pub(crate) struct Expected {
    /// Whom checkpoints are believed from.
    pub(crate) keys: Vec<VerifierKey>,
    /// The checkpoints that were kept.
    pub(crate) older: Option<Older>,
}

/// A file of checkpoints that was kept: the newest of each log that is believed.
pub(crate) struct Older(BTreeMap<String, Checkpoint>);

/// Why nothing can be held to a file that was kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoOlder {
    /// It has no checkpoint.
    Malformed(String),
    /// It has some, and none is believed.
    Unbelieved(String),
}

impl Older {
    /// Reads the text of a file to which one note after the other was added, or of a single note.
    /// The newest note comes first, so that one is checked where all are believed.
    pub(crate) fn read(text: &str, keys: &[VerifierKey]) -> Result<Self, NoOlder> {
        let mut read = BTreeMap::<String, Vec<(u64, String)>>::new();
        let mut unread = None;
        for note in notes(text).filter(|note| !is_cut_short(note)) {
            match Checkpoint::unverified(&note) {
                Ok(found) => read.entry(found.origin).or_default().push((found.size, note)),
                Err(fault) => unread = Some(fault),
            }
        }
        if let Some(fault) = unread {
            return Err(NoOlder::Malformed(fault.to_string()));
        }
        if read.is_empty() {
            return Err(NoOlder::Malformed(NoteFault::Form.to_string()));
        }
        let (mut newest, mut why) = (BTreeMap::new(), String::new());
        for (origin, mut all) in read {
            all.sort_unstable_by_key(|(size, _)| Reverse(*size));
            for (_, note) in all {
                match Checkpoint::open(&note, keys) {
                    Ok(checkpoint) => {
                        newest.insert(origin, checkpoint);
                        break;
                    }
                    // Another log's, whose key nobody gave.
                    Err(fault) => why = fault.to_string(),
                }
            }
        }
        if newest.is_empty() { Err(NoOlder::Unbelieved(why)) } else { Ok(Self(newest)) }
    }

    /// The newest of a log.
    fn of(&self, origin: &str) -> Result<&Checkpoint, String> {
        let absent = || format!("none of the checkpoints that you kept is of the log {origin}");
        self.0.get(origin).ok_or_else(absent)
    }
}

/// What holds.
pub(crate) enum Checked {
    /// A checkpoint alone: it is signed.
    Checkpoint(Checkpoint),
    /// A bundle: everything in it.
    Bundle(Box<Verdict>),
}

/// A file's name, and what holds or why nothing does.
pub(crate) type OfFile = (String, Result<Checked, String>);

/// Checks the text of a file.
///
/// # Errors
/// Why it proves nothing, in words.
pub(crate) fn check(text: &str, expected: &Expected) -> Result<Checked, String> {
    let Expected { keys, older } = expected;
    // A bundle is a JSON object; the origin of a checkpoint is a name.
    if !text.starts_with('{') {
        // Empty lines behind it are none of the note's, as in a file to which more is added.
        let note = format!("{}\n", text.trim_end_matches('\n'));
        let checkpoint = Checkpoint::open(&note, keys).map_err(|fault| fault.to_string())?;
        return match older.as_ref().map(|older| older.of(&checkpoint.origin)).transpose()? {
            Some(older) if *older != checkpoint => Err(format!(
                "it is a checkpoint alone, which proves nothing of the older one of {} records; ask \
                 for `tallyhook audit prove --from-checkpoint` with that",
                older.size
            )),
            Some(_) | None => Ok(Checked::Checkpoint(checkpoint)),
        };
    }
    let verdict = Verdict::of(text, keys).map_err(|refused| refused.to_string())?;
    if let Some(older) = older {
        let older = older.of(&verdict.checkpoint().origin)?;
        let is_known = |found: &Checkpoint| {
            (&found.origin, found.size, found.root) == (&older.origin, older.size, older.root)
        };
        let is_followed = verdict.older().is_some_and(is_known) || is_known(verdict.checkpoint());
        if !is_followed {
            return Err(format!(
                "it does not prove that its checkpoint of {} records goes on from the one of {} \
                 that you kept; ask for `tallyhook audit prove --from-checkpoint` with that",
                verdict.checkpoint().size,
                older.size
            ));
        }
    }
    Ok(Checked::Bundle(Box::new(verdict)))
}

#[cfg(test)]
mod tests {
    use proof::{
        bundle::{Bundle, Standing, Statement},
        leaf::{FORM, Leaf, Movement},
        merkle::Hash,
        note::{PrivateKey, Signer},
        statement::Sums,
        tile::Tree,
        tree::root,
    };

    use super::*;
    use crate::told;

    /// An account whose name would clear a terminal.
    const ACCOUNT: &str = "a\u{1b}[2Jb";

    fn signer() -> Signer {
        PrivateKey::of([2; 32]).signer("tallyhook/main").unwrap()
    }

    fn leaf(sequence: u64) -> Leaf {
        let movement = |from: &str, to: String| Movement {
            from: from.to_owned(),
            to,
            amount: "1.5".to_owned(),
            currency: None,
        };
        Leaf {
            form: FORM,
            ledger: "main".to_owned(),
            sequence,
            recorded_at: format!("2026-07-0{sequence}T00:00:00Z"),
            chain: Hash::of_nothing().to_string(),
            movements: vec![movement("house:sold", format!("paid:{ACCOUNT}"))],
        }
    }

    fn text(sequence: u64) -> String {
        serde_json::to_string(&leaf(sequence)).unwrap()
    }

    fn tree() -> Tree {
        (1..=3).map(|sequence| Hash::of_leaf(text(sequence).as_bytes())).collect()
    }

    fn note(size: u64) -> String {
        let tree = tree();
        let root = root(size, &mut |place| tree.subtree(place)).unwrap();
        Checkpoint { origin: "tallyhook/main".to_owned(), size, root }.sign(&signer())
    }

    fn statement(older: Option<u64>) -> String {
        let tree = tree();
        let mut subtree = |place| tree.subtree(place);
        let mut bundle = Bundle::of(note(3));
        let (mut sums, mut opening) = (Sums::ZERO, Sums::ZERO.books());
        for sequence in 1..=3 {
            bundle.prove(sequence - 1, text(sequence), 3, &mut subtree).unwrap();
            sums = sums.after(ACCOUNT, &leaf(sequence)).unwrap();
            if sequence == 1 {
                opening = sums.books();
            }
        }
        if let Some(size) = older {
            bundle.follow((note(size), size), 3, &mut subtree).unwrap();
        }
        bundle.statement = Some(Statement {
            account: ACCOUNT.to_owned(),
            opening: Standing { records: 1, books: opening },
            closing: Standing { records: 3, books: sums.books() },
        });
        bundle.to_text()
    }

    fn expected(older: Option<u64>) -> Expected {
        let keys = vec![signer().verifier().clone()];
        let older = older.map(|size| Older::read(&note(size), &keys).unwrap());
        Expected { keys, older }
    }

    #[test]
    fn a_statement_is_told_line_by_line_and_can_not_write_to_the_terminal() {
        let checked = check(&statement(Some(2)), &expected(None)).unwrap();
        let results = [("file".to_owned(), Ok(checked))];
        let told = told::to_people(&results);
        let (told, limits) = told.split_once("\n\n").unwrap();
        let root = root(3, &mut |place| tree().subtree(place)).unwrap();
        let lines = [
            "file: holds".to_owned(),
            format!("  The log tallyhook/main had 3 records when it was signed, root {root}."),
            "  Its log goes on from the signed checkpoint of 2 records: none of those was changed, \
             removed or inserted since."
                .to_owned(),
            "  Statement of account a\\u{1b}[2Jb: its sums hold.".to_owned(),
            "    opening, after 1 earlier records: paid 1.5, gift 0, held 0, owed 0, written off 0"
                .to_owned(),
            "    2026-07-02T00:00:00Z record 2: then paid 3, gift 0, held 0, owed 0, written off 0"
                .to_owned(),
            "    2026-07-03T00:00:00Z record 3: then paid 4.5, gift 0, held 0, owed 0, written off 0"
                .to_owned(),
            "    closing: paid 4.5, gift 0, held 0, owed 0, written off 0".to_owned(),
        ];
        assert_eq!(told, lines.join("\n"));
        assert_eq!(limits, told::LIMITS);
        let told: serde_json::Value = serde_json::from_str(&told::to_machines(&results)).unwrap();
        assert_eq!(told["files"][0]["statement"]["lines"][2]["books"]["paid"], "4.5");
    }

    #[test]
    fn a_bundle_must_go_on_from_the_checkpoint_that_was_kept() {
        for (carried, kept, holds) in [
            (Some(2), Some(2), true),
            (None, None, true),
            (Some(2), None, true),
            (None, Some(3), true),
            (Some(2), Some(1), false),
            (None, Some(2), false),
        ] {
            let result = check(&statement(carried), &expected(kept));
            assert_eq!(result.is_ok(), holds, "{carried:?} {kept:?}");
        }
        assert!(check(&note(3), &expected(None)).is_ok());
        assert!(check(&note(3), &expected(Some(2))).is_err());
        assert!(check("", &expected(None)).is_err());
        assert!(check("{}", &expected(None)).is_err());
    }

    #[test]
    fn a_kept_file_may_have_many_checkpoints_and_empty_lines() {
        let keys = vec![signer().verifier().clone()];
        let eu = PrivateKey::of([9; 32]).signer("tallyhook/eu").unwrap();
        let origin = "tallyhook/eu".to_owned();
        let eu = Checkpoint { origin, size: 9, root: Hash::of_nothing() }.sign(&eu);
        let (one, two) = (note(1), note(2));
        let torn = &note(3)[..note(3).len() - 9];
        for kept in [
            format!("{two}\n"),
            format!("{one}\n{two}\n{eu}\n"),
            format!("{two}\n{one}\n"),
            format!("{two}\n{torn}"),
            two.clone(),
        ] {
            let older = Some(Older::read(&kept, &keys).unwrap());
            let expected = Expected { keys: keys.clone(), older };
            assert!(check(&statement(Some(2)), &expected).is_ok(), "{kept}");
            assert!(check(&statement(Some(1)), &expected).is_err(), "{kept}");
            assert!(check(&format!("{two}\n\n"), &expected).is_ok(), "{kept}");
        }
        let refused = |kept: &str| Older::read(kept, &keys).err();
        assert!(matches!(refused(""), Some(NoOlder::Malformed(_))));
        assert!(matches!(refused("{}"), Some(NoOlder::Malformed(_))));
        assert!(matches!(refused(&two.replace("\n2\n", "\ntwo\n")), Some(NoOlder::Malformed(_))));
        assert!(matches!(refused(&eu), Some(NoOlder::Unbelieved(_))));
        assert!(matches!(refused(&two.replace("\n2\n", "\n3\n")), Some(NoOlder::Unbelieved(_))));
    }
}
