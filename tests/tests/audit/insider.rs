//! An insider edits records that a signed checkpoint covers, makes every hash of the chain and of
//! the tree anew, and is found out each time; nobody is accused of what came after.

#![expect(
    clippy::ptr_arg,
    reason = "all kinds of edits stand in one table, and some add or remove records"
)]

use std::{collections::BTreeMap, sync::Arc};

use audit::{
    checkpoint::{Signed, Signing},
    findings::Kind,
    kept::{HeldVerdict, Kept},
};
use domain::{
    credits::Credits,
    decision::{CreditBook, MoneyBook, Outcome, Transfer},
    ids::{AccountId, Actor, Digest, EventId, EventKey, IdempotencyKey, Sequence, SourceName},
    input::{BackFill, Evidence, Freshness, Input, Listing, Reality, Signature},
    money::Minor,
    notice::Notice,
    record::Record,
    time::Timestamp,
};
use event_store::{
    log::{Append, EventLog},
    memory::MemoryLog,
};
use proof::note::{PrivateKey, VerifierKey};
use tallyhook_tests::{dice::Dice, history::ledger};

use crate::drawn::drawn;

const EDITS: usize = 1_000;

/// An edit of the record with this index, or of its place; `false` where it has nothing to edit.
type Edit = fn(&mut Dice, &mut Vec<Record>, usize) -> bool;

const ALL: [(&str, Edit); 23] = [
    ("the amount of a transfer", amount),
    ("the account of a transfer", account),
    ("the direction of a transfer", direction),
    ("a transfer less", transfer_less),
    ("a transfer more", transfer_more),
    ("an effect less", effect_less),
    ("an effect more", effect_more),
    ("the time of recording", recorded_at),
    ("the version of the policy", policy),
    ("the version of the rules", rules),
    ("the outcome", outcome),
    ("the digest of a body", body),
    ("the digest of a content", content),
    ("the event", event),
    ("the provider's time", occurred_at),
    ("the notice", notice),
    ("source, freshness or reality", arrival),
    ("the signature", signature),
    ("signed or back-filled", believed),
    ("actor, key or request of a command", command),
    ("two records swapped", swapped),
    ("a record removed", removed),
    ("a record inserted", inserted),
];

fn amount(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let transfers = &mut records[at].decision.transfers;
    if transfers.is_empty() {
        return false;
    }
    let which = dice.below(transfers.len());
    let by = dice.between(1, 1_000_000);
    match &mut transfers[which] {
        Transfer::Credits { amount, .. } => {
            *amount = Credits::from_billionths(amount.billionths() + i128::from(by)).unwrap();
        }
        Transfer::Money { amount, .. } => {
            *amount = Minor::new(amount.get() + by).unwrap();
        }
    }
    true
}

fn account(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let transfers = records[at].decision.transfers.iter_mut();
    let mut books = transfers.flat_map(|transfer| match transfer {
        Transfer::Credits { debit, credit, .. } => vec![debit, credit],
        Transfer::Money { .. } => Vec::new(),
    });
    let found = books.find_map(|book| match book {
        CreditBook::Customer(account, _) => Some(account),
        CreditBook::House(_) => None,
    });
    let is_there = found.is_some();
    if let Some(account) = found {
        *account = AccountId::new("mallory").unwrap();
    }
    is_there
}

fn direction(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    match records[at].decision.transfers.first_mut() {
        Some(Transfer::Credits { debit, credit, .. }) => {
            std::mem::swap(debit, credit);
            true
        }
        Some(Transfer::Money { debit, credit, .. }) => {
            (*debit, *credit) = (MoneyBook::Receipts, MoneyBook::Receipts);
            true
        }
        None => false,
    }
}

fn transfer_less(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    less(dice, &mut records[at].decision.transfers)
}

fn transfer_more(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    more(dice, &mut records[at].decision.transfers)
}

fn effect_less(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    less(dice, &mut records[at].decision.effects)
}

fn effect_more(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    more(dice, &mut records[at].decision.effects)
}

fn less<T>(dice: &mut Dice, items: &mut Vec<T>) -> bool {
    if items.is_empty() {
        return false;
    }
    items.remove(dice.below(items.len()));
    true
}

fn more<T: Clone>(dice: &mut Dice, items: &mut Vec<T>) -> bool {
    if items.is_empty() {
        return false;
    }
    items.push(dice.pick(items));
    true
}

/// Anywhere between its neighbours: a log takes no record that is older than the one before.
fn recorded_at(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let low = at.checked_sub(1).map_or(0, |before| records[before].recorded_at.micros());
    let own = records[at].recorded_at;
    let high = records.get(at + 1).map_or(own, |after| after.recorded_at).micros();
    let moved = Timestamp::from_micros(dice.between(low, high)).unwrap();
    records[at].recorded_at = moved;
    moved != own
}

fn policy(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let policy = &mut records[at].decision.policy;
    *policy = Some(policy.map_or(7, |version| version + 1));
    true
}

fn rules(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    records[at].decision.rules += 1;
    true
}

fn outcome(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let outcome = &mut records[at].decision.outcome;
    *outcome = if *outcome == Outcome::Ignored { Outcome::Recorded } else { Outcome::Ignored };
    true
}

fn body(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    match &mut records[at].input {
        Input::Delivery(delivery) => flip(dice, &mut delivery.body),
        Input::Command(command) => flip(dice, &mut command.request),
    }
}

fn content(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    match &mut records[at].input {
        Input::Delivery(delivery) => flip(dice, &mut delivery.content),
        Input::Command(_) => false,
    }
}

fn flip(dice: &mut Dice, digest: &mut Digest) -> bool {
    digest.0[dice.below(32)] ^= 1 << dice.below(8);
    true
}

fn event(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    let mallory = EventId::new("evt_of_mallory").unwrap();
    match &mut delivery.event {
        EventKey::Event { id, .. } => *id = mallory,
        EventKey::Body { .. } => return false,
    }
    true
}

fn occurred_at(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    let before = delivery.occurred_at.map_or(0, Timestamp::micros);
    delivery.occurred_at = Timestamp::from_micros(before + dice.between(1, 1_000_000));
    true
}

fn notice(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    match &mut delivery.notice {
        Ok(Notice::Purchase(purchase)) => {
            purchase.account = Some(AccountId::new("mallory").unwrap());
        }
        Ok(Notice::Adjustment(adjustment)) => {
            adjustment.subtotal = adjustment.subtotal.plus(adjustment.subtotal).unwrap();
            adjustment.occurred_at = adjustment.occurred_at.seconds_after(1);
        }
        Ok(Notice::Nothing) | Err(_) => return false,
    }
    true
}

fn arrival(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    match dice.below(4) {
        0 => delivery.source = SourceName::new("mallory").unwrap(),
        1 => delivery.event_type = Some(Arc::from("transaction.mallory")),
        2 if delivery.freshness == Freshness::Fresh => delivery.freshness = Freshness::Old,
        2 => delivery.freshness = Freshness::Fresh,
        _ if delivery.reality == Reality::Genuine => delivery.reality = Reality::Simulated,
        _ => delivery.reality = Reality::Genuine,
    }
    true
}

fn signature(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    let Evidence::Signed(signature) = &mut delivery.evidence else { return false };
    match dice.below(3) {
        0 => signature.header = format!("{}0", signature.header).into(),
        1 => signature.secret[dice.below(4)] ^= 1,
        _ => signature.signed_at = signature.signed_at.seconds_after(1),
    }
    true
}

/// What nobody signed is passed off as signed, or the other way round.
fn believed(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let signed_at = records[at].recorded_at;
    let Input::Delivery(delivery) = &mut records[at].input else { return false };
    delivery.evidence = match &delivery.evidence {
        Evidence::Signed(_) => Evidence::BackFilled(BackFill {
            actor: Actor::new("insider").unwrap(),
            listing: Listing::Events,
        }),
        Evidence::BackFilled(_) => {
            Evidence::Signed(Signature { header: "ts=1;h1=0".into(), secret: [0; 4], signed_at })
        }
    };
    true
}

fn command(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let Input::Command(command) = &mut records[at].input else { return false };
    match dice.below(3) {
        0 => command.actor = Actor::new("mallory").unwrap(),
        1 => command.key = IdempotencyKey::new("mallory").unwrap(),
        _ => return flip(dice, &mut command.request),
    }
    true
}

fn swapped(dice: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    let other = dice.below(records.len());
    let (first, second) = (records[at].recorded_at, records[other].recorded_at);
    records.swap(at, other);
    (records[at].recorded_at, records[other].recorded_at) = (first, second);
    at != other
}

fn removed(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    records.remove(at);
    true
}

fn inserted(_: &mut Dice, records: &mut Vec<Record>, at: usize) -> bool {
    // The same record again behind the last covered one would be an append.
    let mut copy = records[at].clone();
    copy.decision.rules += 1;
    records.insert(at, copy);
    true
}

/// A log of these records, with sequences and hashes made anew.
fn log(records: &[Record]) -> MemoryLog {
    let log = MemoryLog::new();
    let numbered = records.iter().zip(1..).map(|(record, number)| Append {
        ledger: ledger(),
        record: Record { sequence: Sequence::new(number).unwrap(), ..record.clone() },
        body: [].into(),
    });
    log.append(&numbered.collect::<Vec<_>>()).unwrap();
    log
}

/// A log whose first part a checkpoint covers.
struct Covered {
    records: Vec<Record>,
    covered: usize,
    note: String,
    keys: Vec<VerifierKey>,
}

impl Covered {
    fn of(seed: u64) -> Self {
        let records = drawn(seed).records;
        let covered = records.len() * 2 / 3;
        let key = PrivateKey::of([4; 32]);
        let signing = Signing { key: &key, log: "tests", published: "" };
        let signed = Signed::of(&log(&records[..covered]), &ledger(), signing, |_, _| {}).unwrap();
        let keys = vec![key.signer("tests/main").unwrap().verifier().clone()];
        Self { records, covered, note: signed.note, keys }
    }

    fn findings(&self, records: &[Record]) -> Vec<(Kind, Option<u64>)> {
        let mut kept = Kept::default();
        kept.add(&self.note).unwrap();
        let held = kept.held(&log(records), &self.keys).unwrap().remove(0);
        let found = match held.verdict {
            HeldVerdict::Broken(findings) => findings,
            HeldVerdict::Holds { .. } | HeldVerdict::NoKey => Vec::new(),
        };
        found.iter().map(|one| (one.kind, one.sequence.map(Sequence::get))).collect()
    }
}

#[test]
fn a_thousand_edits_with_all_hashes_made_anew_are_each_found_out() {
    let mut dice = Dice::new(5);
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    let mut edits = 0;
    for seed in 0.. {
        if edits == EDITS {
            break;
        }
        let log = Covered::of(seed);
        let found = Some((Kind::Checkpoint, u64::try_from(log.covered).ok()));
        assert_eq!(log.findings(&log.records), [], "what was appended is nobody's fault: {seed}");
        for _ in 0..40.min(EDITS - edits) {
            let mut records = log.records.clone();
            let name = loop {
                let (name, edit) = dice.pick(&ALL);
                let at = dice.below(log.covered);
                if edit(&mut dice, &mut records, at) {
                    break name;
                }
                records.clone_from(&log.records);
            };
            assert_eq!(log.findings(&records).first().copied(), found, "seed {seed}: {name}");
            *done.entry(name).or_default() += 1;
            edits += 1;
        }
    }
    assert_eq!(done.values().sum::<u32>(), 1_000);
    assert_eq!(done.len(), ALL.len(), "{done:?}");
}

#[test]
fn a_log_that_is_cut_is_found_out_and_an_edit_after_the_checkpoint_is_not_its_affair() {
    let mut dice = Dice::new(6);
    let log = Covered::of(1);
    let cut = log.findings(&log.records[..log.covered - 1]);
    assert_eq!(cut, [(Kind::Checkpoint, None)]);
    assert_eq!(log.findings(&log.records[..log.covered]), []);
    let mut records = log.records.clone();
    assert!(policy(&mut dice, &mut records, log.covered));
    assert_eq!(log.findings(&records), []);
    let stranger = PrivateKey::of([5; 32]).signer("tests/main").unwrap();
    let strange = Covered { keys: vec![stranger.verifier().clone()], ..log };
    assert_eq!(strange.findings(&strange.records), [(Kind::Checkpoint, None)], "not believed");
}
