use super::*;

fn sequence(number: u64) -> Sequence {
    Sequence::new(number).unwrap()
}

fn mark(number: u64) -> Mark {
    Mark::of(&[b"test", &number.to_le_bytes()])
}

/// Records 101 to 30,100: each has a key of its own and changes account 1 of two.
fn overlay() -> Overlay {
    let sequences: Vec<Sequence> = (101..=30_100).map(sequence).collect();
    let keys = sequences.iter().map(|sequence| (mark(sequence.get()), *sequence));
    Overlay {
        range: Some((sequence(101), sequence(30_100))),
        keys: keys.collect(),
        accounts: [(mark(1), sequences.clone()), (mark(2), vec![sequence(30_100)])].into(),
    }
}

fn found(run: &Run, mark: Mark) -> Vec<Sequence> {
    let chunks = run.head.chunks_of(mark);
    chunks.flat_map(|at| run.head.read_chunk(&run.chunks[at], mark).unwrap()).collect()
}

#[test]
fn a_run_has_what_the_overlay_had() {
    let overlay = overlay();
    assert_eq!(overlay.records(), 30_000);
    let run = overlay.to_run().unwrap();
    assert!(run.chunks.len() > 10);
    assert_eq!(RunHead::decode(&run.head.encode()).as_ref(), Ok(&run.head));
    for number in (101..=30_100).step_by(7) {
        assert_eq!(found(&run, mark(number)), [sequence(number)]);
    }
    // More than one group, and so more than one chunk.
    assert_eq!(found(&run, mark(1)), overlay.account(mark(1)));
    assert_eq!(found(&run, mark(2)), overlay.account(mark(2)));
}

#[test]
fn few_marks_seem_to_be_where_they_are_not() {
    let run = overlay().to_run().unwrap();
    let false_hits = (1_000_000..1_100_000).filter(|at| !run.head.chunks_of(mark(*at)).is_empty());
    assert!(false_hits.count() < 1_000);
    assert!((1_000_000..1_001_000).all(|at| found(&run, mark(at)).is_empty()));
}

#[test]
fn a_cut_or_longer_head_is_refused() {
    let whole = overlay().to_run().unwrap().head.encode();
    for end in (0..whole.len()).step_by(97) {
        assert_eq!(RunHead::decode(&whole[..end]), Err(Malformed));
    }
    assert_eq!(RunHead::decode(&[whole, vec![0]].concat()), Err(Malformed));
}

#[test]
fn marks_of_like_fields_differ() {
    let ledger = LedgerId::new("main").unwrap();
    let other = LedgerId::new("mai").unwrap();
    let a = Mark::of_account(&ledger, &AccountId::new("a").unwrap());
    assert_ne!(a, Mark::of_account(&other, &AccountId::new("na").unwrap()));
    let command = domain::ids::IdempotencyKey::new("a").unwrap();
    assert_ne!(Some(a), Mark::of_key(&ledger, &Key::Command(command)));
}
