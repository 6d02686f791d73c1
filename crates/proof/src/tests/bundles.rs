//! Bundles of a small log: what holds, and what doesn't once anything is changed.

use crate::{
    bundle::{Bundle, Standing, Statement},
    checkpoint::Checkpoint,
    leaf::{FORM, Leaf, Movement},
    merkle::Hash,
    note::{PrivateKey, Signer, VerifierKey},
    statement::{StatementFault, Sums},
    tile::Tree,
    tree::root,
    verdict::{Refused, Verdict},
};

const ACCOUNT: &str = "acct:1";

/// A log of one ledger: ACCOUNT's records are 2, 4, 5 and 7.
struct Log {
    leaves: Vec<Leaf>,
    signer: Signer,
}

fn movement(from: &str, to: &str, amount: &str) -> Movement {
    let (from, to) = (from.to_owned(), to.to_owned());
    Movement { from, to, amount: amount.to_owned(), currency: None }
}

impl Log {
    fn new() -> Self {
        let own = |section: &str| format!("{section}:{ACCOUNT}");
        let movements = [
            vec![],
            vec![
                movement("house:sold", &own("paid"), "100.5"),
                movement("house:given", &own("gift"), "10"),
            ],
            vec![movement("house:sold", "paid:acct", "7")],
            vec![
                movement(&own("gift"), "house:used", "10"),
                movement(&own("paid"), &own("held"), "3"),
            ],
            // A chargeback of more than is left: what lacks is owed.
            vec![
                movement(&own("paid"), "house:charged_back", "97.5"),
                movement(&own("owed"), "house:charged_back", "2.25"),
            ],
            vec![movement("house:sold", "paid:acct", "7")],
            vec![movement(&own("written_off"), &own("owed"), "2.25")],
            vec![],
        ];
        let leaves = movements.into_iter().zip(1..).map(|(movements, sequence)| Leaf {
            form: FORM,
            ledger: "main".to_owned(),
            sequence,
            recorded_at: format!("2026-07-01T00:00:0{sequence}Z"),
            chain: Hash::of_leaf(&sequence.to_be_bytes()).to_string(),
            movements,
        });
        let signer = PrivateKey::of([9; 32]).signer("tallyhook/main").unwrap();
        Self { leaves: leaves.collect(), signer }
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.signer.verifier().clone()]
    }

    fn text(&self, sequence: u64) -> String {
        let leaf = self.leaves.iter().find(|leaf| leaf.sequence == sequence).unwrap();
        serde_json::to_string(leaf).unwrap()
    }

    fn tree(&self) -> Tree {
        let hash = |leaf: &Leaf| Hash::of_leaf(self.text(leaf.sequence).as_bytes());
        self.leaves.iter().map(hash).collect()
    }

    fn checkpoint(&self, size: u64) -> String {
        let tree = self.tree();
        let root = root(size, &mut |place| tree.subtree(place)).unwrap();
        let origin = "tallyhook/main".to_owned();
        Checkpoint { origin, size, root }.sign(&self.signer)
    }

    fn bundle(&self, sequences: &[u64]) -> Bundle {
        let tree = self.tree();
        let mut bundle = Bundle::of(self.checkpoint(tree.size()));
        for sequence in sequences {
            let text = self.text(*sequence);
            let mut subtree = |place| tree.subtree(place);
            bundle.prove(sequence - 1, text, tree.size(), &mut subtree).unwrap();
        }
        bundle
    }

    /// With the older checkpoint of 3 records, and a statement that opens after the first record.
    fn statement(&self) -> Bundle {
        let tree = self.tree();
        let mut bundle = self.bundle(&[2, 4, 5, 7]);
        let mut subtree = |place| tree.subtree(place);
        bundle.follow((self.checkpoint(3), 3), tree.size(), &mut subtree).unwrap();
        let standing = |records, books: [&str; 5]| {
            let [paid, gift, held, owed, written_off] = books.map(str::to_owned);
            let books = crate::bundle::Books { paid, gift, held, owed, written_off };
            Standing { records, books }
        };
        bundle.statement = Some(Statement {
            account: ACCOUNT.to_owned(),
            opening: standing(1, ["100.5", "10", "0", "0", "0"]),
            closing: standing(4, ["0", "0", "3", "0", "2.25"]),
        });
        bundle
    }
}

#[test]
fn a_statement_holds_with_its_sums_and_its_older_checkpoint() {
    let log = Log::new();
    let verdict = Verdict::of(&log.statement().to_text(), &log.keys()).unwrap();
    assert_eq!(verdict.checkpoint().size, 8);
    assert_eq!(verdict.older().unwrap().size, 3);
    let sequences: Vec<u64> = verdict.records().iter().map(|leaf| leaf.sequence).collect();
    assert_eq!(sequences, [2, 4, 5, 7]);
    let (_, sums) = verdict.statement().unwrap();
    assert_eq!(sums[2].books().owed, "2.25");
    assert_eq!(sums[3].books().written_off, "2.25");
}

#[test]
fn every_changed_byte_of_a_bundle_is_refused() {
    let log = Log::new();
    let text = log.statement().to_text();
    let mut refused = 0_u32;
    for place in 0..text.len() {
        // The lowest bit, and another: each of a byte's bits in turn.
        for bit in [0, place % 8] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            // What is no UTF-8 is no text, so no bundle.
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let found = Verdict::of(&changed, &log.keys());
            assert!(found.is_err(), "bit {bit} of byte {place}: {changed}");
            refused += 1;
        }
    }
    assert!(refused > 5_000, "{refused}");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(Verdict::of(&text[..end], &log.keys()).is_err(), "cut at {end}");
    }
}

#[test]
fn nobody_elses_bundle_is_believed() {
    let log = Log::new();
    let stranger = PrivateKey::of([8; 32]).signer("tallyhook/main").unwrap();
    let text = log.statement().to_text();
    let refused = Verdict::of(&text, &[stranger.verifier().clone()]);
    assert!(matches!(refused, Err(Refused::Checkpoint { which: "", .. })), "{refused:?}");
    let forged = Log { signer: stranger, ..Log::new() }.statement();
    let mut mixed = log.statement();
    mixed.older = forged.older;
    let refused = Verdict::of(&mixed.to_text(), &log.keys());
    assert!(matches!(refused, Err(Refused::Checkpoint { which: "the older one: ", .. })));
}

#[test]
fn a_log_that_was_changed_does_not_go_on_from_its_older_checkpoint() {
    let log = Log::new();
    let mut changed = Log::new();
    changed.leaves[1].movements[0].amount = "100.6".to_owned();
    let tree = changed.tree();
    let mut bundle = changed.bundle(&[2]);
    bundle.follow((log.checkpoint(3), 3), 8, &mut |place| tree.subtree(place)).unwrap();
    let refused = Verdict::of(&bundle.to_text(), &log.keys());
    assert_eq!(refused, Err(Refused::Inconsistent { older: 3, size: 8 }));
    bundle.older = None;
    assert!(Verdict::of(&bundle.to_text(), &log.keys()).is_ok(), "alone it is like any other");
}

#[test]
fn a_statement_with_a_record_too_many_or_too_few_does_not_hold() {
    let log = Log::new();
    let check = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = log.statement();
        change(&mut bundle);
        match Verdict::of(&bundle.to_text(), &log.keys()) {
            Err(Refused::Statement(fault)) => Some(fault),
            Err(_) | Ok(_) => None,
        }
    };
    let set = |bundle: &mut Bundle, records: u64| {
        bundle.statement.as_mut().unwrap().closing.records = records;
    };
    let without = |index: usize| {
        move |bundle: &mut Bundle| {
            bundle.records.remove(index);
            bundle.statement.as_mut().unwrap().closing.records = 3;
        }
    };
    assert_eq!(check(&without(0)), Some(StatementFault::BelowZero { sequence: 4 }));
    assert_eq!(check(&without(2)), Some(StatementFault::BelowZero { sequence: 7 }));
    assert_eq!(check(&without(3)), Some(StatementFault::Sum { which: "closing" }));
    let foreign = |bundle: &mut Bundle| {
        bundle.records.insert(1, log.bundle(&[3]).records.remove(0));
        set(bundle, 5);
    };
    assert_eq!(check(&foreign), Some(StatementFault::Foreign { sequence: 3 }));
    let range = StatementFault::Range { opening: 1, closing: 5, records: 4 };
    assert_eq!(check(&|bundle| set(bundle, 5)), Some(range));
    let closing = |bundle: &mut Bundle| {
        bundle.statement.as_mut().unwrap().closing.books.held = "4".to_owned();
    };
    assert_eq!(check(&closing), Some(StatementFault::Sum { which: "closing" }));
}

#[test]
fn records_out_of_place_are_refused() {
    let log = Log::new();
    let refused = |bundle: &Bundle| Verdict::of(&bundle.to_text(), &log.keys()).unwrap_err();
    let swapped = log.bundle(&[4, 2]);
    assert_eq!(refused(&swapped), Refused::Order { sequence: 2 });
    let twice = log.bundle(&[2, 2]);
    assert_eq!(refused(&twice), Refused::Order { sequence: 2 });
    let mut elsewhere = log.bundle(&[2]);
    elsewhere.records[0].index = 2;
    assert_eq!(refused(&elsewhere), Refused::NotIncluded { sequence: 3 });
    // The keeper itself signs a tree whose leaf says another ledger.
    let mut other = Log::new();
    other.leaves[1].ledger = "other".to_owned();
    assert!(matches!(refused(&other.bundle(&[2])), Refused::Leaf { sequence: 2, .. }));
    let mut newer = log.bundle(&[2]);
    newer.form = 2;
    assert_eq!(refused(&newer), Refused::Form { found: 2 });
}

#[test]
fn an_account_is_not_one_whose_name_begins_alike() {
    let leaf = Log::new().leaves[1].clone();
    let foreign = Err(StatementFault::Foreign { sequence: 2 });
    assert_eq!(Sums::ZERO.after("acct", &leaf), foreign);
    assert_eq!(Sums::ZERO.after("1", &leaf), foreign);
}
