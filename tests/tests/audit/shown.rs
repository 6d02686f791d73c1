//! What is shown of single records: samples that anybody can draw again, evidence on a payment, and
//! the proofs of both against a checkpoint that was published before.

use std::collections::BTreeSet;

use audit::{
    cut::{Cut, Known},
    evidence::{EvidenceError, Which, evidence},
    leaf::leaf_hash,
    proved::{ProveError, Published},
    reports::layout::Format,
    sample::{Asked, Sample, Weight, sample},
};
use domain::{decision::Effect, ids::PaymentId};
use proof::{
    bundle::Bundle,
    check::root_by_inclusion,
    checkpoint::Checkpoint,
    merkle::{Frontier, Hash},
    note::PrivateKey,
};
use serde_json::Value;
use tallyhook_tests::merchant::Merchant;

use crate::made::Made;

const RECORDS: u64 = 1_500;

fn made() -> Made {
    Made::by(Merchant::new(21, RECORDS).unwrap())
}

/// A checkpoint of the first records, as the server publishes them.
fn checkpoint(made: &Made, size: u64) -> (String, Hash) {
    let mut tree = Frontier::new();
    for recorded in made.log.scan(&made.ledger, None, usize::MAX).unwrap() {
        if tree.size() < size {
            tree.push(leaf_hash(&made.ledger, &recorded));
        }
    }
    let origin = format!("tests/{}", made.ledger);
    let signer = PrivateKey::of([7; 32]).signer(&origin).unwrap();
    let root = tree.root();
    let note = Checkpoint { origin, size, root }.sign(&signer);
    (note, root)
}

/// Checks each path of a bundle, and gives the sequences that it proves.
fn check_paths(bundle: &Bundle, size: u64, root: Hash) -> BTreeSet<u64> {
    let hash = |text: &String| Hash(hex::decode(text).unwrap().try_into().unwrap());
    for proved in &bundle.records {
        let path: Vec<Hash> = proved.path.iter().map(hash).collect();
        let leaf = Hash::of_leaf(proved.leaf.as_bytes());
        assert_eq!(root_by_inclusion(leaf, proved.index, size, &path), Some(root));
    }
    bundle.records.iter().map(|proved| proved.index + 1).collect()
}

fn asked<'a>(seed: &'a str, weight: Weight, published: Option<&'a Published>) -> Asked<'a> {
    Asked { seed, count: 40, weight, cut: Cut::END, published }
}

fn drawn(made: &Made, asked: &Asked<'_>) -> (Sample, BTreeSet<u64>) {
    let found = sample(&*made.log, &made.ledger, asked, |_, _| ()).unwrap();
    let sequences = found.drawn.iter().map(|one| one.recorded.record().sequence.get());
    let sequences = sequences.collect();
    (found, sequences)
}

#[test]
fn a_seed_draws_the_same_records_and_another_seed_others() {
    let made = made();
    let asked_for = asked("2026", Weight::Amount, None);
    let (one, sequences) = drawn(&made, &asked_for);
    let (again, _) = drawn(&made, &asked_for);
    for format in [Format::Text, Format::Csv, Format::Json, Format::Html] {
        let shown = |sample: &Sample| sample.document(&asked_for).render(format);
        assert_eq!(shown(&one), shown(&again));
    }
    assert_ne!(sequences, drawn(&made, &asked("2027", Weight::Amount, None)).1);
    assert!(sequences.len() > 5 && one.population > 500, "{} drawn", sequences.len());
}

#[test]
fn what_moves_nothing_is_drawn_only_by_records() {
    let made = made();
    let moves_nothing = |sample: &Sample| {
        let records = sample.drawn.iter().map(|one| one.recorded.record());
        records.filter(|record| record.decision.transfers.is_empty()).count()
    };
    let (by_amount, _) = drawn(&made, &asked("x", Weight::Amount, None));
    let (by_records, sequences) = drawn(&made, &asked("x", Weight::Records, None));
    assert_eq!(moves_nothing(&by_amount), 0);
    assert!(moves_nothing(&by_records) > 0);
    assert_eq!((sequences.len(), by_records.population), (40, by_records.provenance.records));
    let half = Cut { known: Known::Sequence(RECORDS / 2), happened: None };
    let (_, early) = drawn(&made, &Asked { cut: half, ..asked("x", Weight::Records, None) });
    assert!(early.last().is_some_and(|last| *last <= RECORDS / 2));
}

/// The largest amounts are drawn however the dice fall.
#[test]
fn a_record_that_moves_two_cells_is_always_drawn() {
    let made = made();
    let mut large = 0;
    for seed in ["a", "b", "c"] {
        let asked = Asked { count: 400, ..asked(seed, Weight::Amount, None) };
        let (found, sequences) = drawn(&made, &asked);
        let cell = found.total / 400;
        for recorded in made.log.scan(&made.ledger, None, usize::MAX).unwrap() {
            let moved = audit::about::moved(recorded.record()).billionths().unsigned_abs();
            let sequence = recorded.record().sequence.get();
            if moved >= 2 * cell + 2 {
                assert!(sequences.contains(&sequence), "{seed}: {sequence}");
                large += 1;
            }
        }
    }
    assert!(large > 10, "{large}");
}

#[test]
fn a_sample_is_proved_against_a_published_checkpoint() {
    let made = made();
    let size = RECORDS - 300;
    let (note, root) = checkpoint(&made, size);
    let file = format!("{}\n{note}\n", checkpoint(&made, 10).0);
    let published = Published::newest(&file, &made.ledger).unwrap();
    assert_eq!(published.size(), size);
    let (found, sequences) = drawn(&made, &asked("p", Weight::Records, Some(&published)));
    let proved = check_paths(found.proof.as_ref().unwrap(), size, root);
    let covered = sequences.into_iter().filter(|sequence| *sequence <= size);
    assert_eq!(proved, covered.collect());
}

/// The checkpoint covers more than is asked for.
#[test]
fn a_sample_of_a_part_is_proved_against_a_later_checkpoint() {
    let made = made();
    let size = RECORDS - 300;
    let (note, root) = checkpoint(&made, size);
    let published = Published::newest(&note, &made.ledger).unwrap();
    for last in [0, 500, size, RECORDS - 10] {
        let cut = Cut { known: Known::Sequence(last), happened: None };
        let (found, sequences) =
            drawn(&made, &Asked { cut, ..asked("p", Weight::Records, Some(&published)) });
        assert_eq!((found.provenance.records, found.population), (last, last));
        let proved = check_paths(found.proof.as_ref().unwrap(), size, root);
        assert_eq!(proved, sequences.into_iter().filter(|sequence| *sequence <= size).collect());
    }
}

#[test]
fn nothing_is_proved_of_another_log() {
    let (made, other) = (made(), Made::by(Merchant::new(22, RECORDS).unwrap()));
    for (size, of) in [(1_000, &other), (RECORDS + 500, &made)] {
        let (note, _) = checkpoint(of, size);
        let published = Published::newest(&note, &made.ledger).unwrap();
        let asked = asked("p", Weight::Records, Some(&published));
        let found = sample(&*made.log, &made.ledger, &asked, |_, _| ());
        assert!(matches!(found, Err(ProveError::Inconsistent { .. })), "{size}");
    }
    assert!(matches!(Published::newest("", &made.ledger), Err(ProveError::NoCheckpoint { .. })));
}

const fn which(payment: &PaymentId) -> Which<'_> {
    Which { payment, origin: None }
}

/// The payments that were charged back.
fn disputed(made: &Made) -> Vec<PaymentId> {
    let records = made.log.scan(&made.ledger, None, usize::MAX).unwrap();
    let effects = records.iter().flat_map(|one| &one.record().decision.effects);
    let counted = effects.filter_map(|effect| {
        let Effect::ChargebackCounted { payment, .. } = effect else { return None };
        Some(payment.id.clone())
    });
    let counted: BTreeSet<PaymentId> = counted.collect();
    assert!(counted.len() > 2, "a merchant's ledger has chargebacks");
    counted.into_iter().collect()
}

/// Checks the archive of one payment; gives how many bodies it has.
fn check_evidence(made: &Made, payment: &PaymentId, published: &Published, root: Hash) -> usize {
    let gather =
        || evidence(&*made.log, &made.ledger, which(payment), Some(published), |_, _| ()).unwrap();
    let found = gather();
    assert_eq!(found.archive().unwrap(), gather().archive().unwrap());

    // Whatever names the payment in its bytes is about it.
    let needle = payment.as_str().as_bytes();
    let mut bodies = 0;
    for recorded in made.log.scan(&made.ledger, None, usize::MAX).unwrap() {
        let sequence = recorded.record().sequence;
        let body = made.log.body(&made.ledger, sequence).unwrap().unwrap();
        if body.windows(needle.len()).any(|part| part == needle) {
            let name = format!("bodies/{:012}", sequence.get());
            assert_eq!(found.files.get(&name), Some(&body), "{payment}: {name}");
            bodies += 1;
        }
    }
    let index: Value = serde_json::from_slice(&found.files["index.json"]).unwrap();
    let text = String::from_utf8(found.files["index.txt"].clone()).unwrap();
    assert!(text.contains(payment.as_str()), "{text}");
    assert!(index.to_string().contains("signed by the provider"));
    let bundle: Bundle = serde_json::from_slice(&found.files["proof.json"]).unwrap();
    let proved = check_paths(&bundle, RECORDS, root);
    assert_eq!(proved, found.records.iter().map(|one| one.get()).collect());
    bodies
}

#[test]
fn evidence_has_all_records_about_the_payment_and_the_same_bytes_each_time() {
    let made = made();
    let (note, root) = checkpoint(&made, RECORDS);
    let published = Published::newest(&note, &made.ledger).unwrap();
    for payment in disputed(&made).iter().take(5) {
        let bodies = check_evidence(&made, payment, &published, root);
        assert!(bodies >= 2, "{payment}: {bodies}");
    }
}

#[test]
fn evidence_says_what_is_missing() {
    let made = made();
    let payment = &disputed(&made)[0];
    let found = evidence(&*made.log, &made.ledger, which(payment), None, |_, _| ()).unwrap();
    let missing = found.missing.join("\n");
    assert!(missing.contains("no checkpoint was given"), "{missing}");
    assert!(missing.contains("what a ledger does not have"), "{missing}");
    assert!(!found.files.contains_key("proof.json"));
    let unknown = PaymentId::new("txn_unknown").unwrap();
    let refused = evidence(&*made.log, &made.ledger, which(&unknown), None, |_, _| ());
    assert!(matches!(refused, Err(EvidenceError::Unknown { .. })));
}
