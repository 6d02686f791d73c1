//! Checkpoints as outsiders get and check them, and what is never signed.

use std::collections::BTreeMap;

use domain::ids::LedgerId;
use event_store::log::{Append, Recorded};
use proof::{
    check::is_consistent,
    checkpoint::{Checkpoint, Published, notes},
    merkle::Hash,
    note::{PrivateKey, VerifierKey},
    verdict::Verdict,
};
use publisher::courier::{Last, Offer, Seen};

use super::*;
use crate::checkpoints::{Checkpoints, LOOK_TICKS_MAX};

fn main() -> LedgerId {
    LedgerId::new("main").unwrap()
}

impl Server {
    async fn bundle(&self, sequence: u64) -> (StatusCode, String) {
        let path = format!("/v1/ledgers/main/proofs/inclusion?sequence={sequence}");
        let request = Request::get(path)
            .header(header::AUTHORIZATION, "Bearer reader")
            .body(Body::empty())
            .unwrap();
        let response = self.private.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The newest checkpoint, believed by the key that is shown with it.
    async fn newest(&self) -> (Checkpoint, VerifierKey) {
        let request = Request::get("/v1/checkpoints")
            .header(header::AUTHORIZATION, "Bearer reader")
            .body(Body::empty())
            .unwrap();
        let (status, _, page) = answered(&self.private, request).await;
        assert_eq!((status, &page["next"]), (StatusCode::OK, &Value::Null), "{page}");
        let item = &page["items"][0];
        let key = VerifierKey::parse(item["key"].as_str().unwrap()).unwrap();
        let note = item["note"].as_str().unwrap();
        let checkpoint = Checkpoint::open(note, std::slice::from_ref(&key)).unwrap();
        assert_eq!(item["ledger"], "main");
        assert_eq!(item["origin"], checkpoint.origin);
        assert_eq!(item["records"], checkpoint.size);
        assert_eq!(item["root"], checkpoint.root.to_string());
        (checkpoint, key)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.folder.path().join("checkpoints")).unwrap()
    }

    /// A notary of this server's own file over another log, as after a restart.
    fn restarted(&self, log: &Arc<MemoryLog>) -> (Notary, Checkpoints) {
        let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
        self.restarted_with(log, &views)
    }

    fn restarted_with(
        &self,
        log: &Arc<MemoryLog>,
        views: &Arc<dyn ViewStore>,
    ) -> (Notary, Checkpoints) {
        let (signing, data) = (&self.config.checkpoints, self.folder.path());
        let log: Arc<dyn EventLog> = log.clone();
        Notary::open(signing, data, [main()].into_iter(), log, views).unwrap()
    }

    fn all(&self) -> Vec<Recorded> {
        self.log.scan(&main(), None, 1_000).unwrap()
    }
}

/// A log of these records, each changed by `edit` as an insider would: the chain is made anew.
fn edited(records: &[Recorded], edit: impl Fn(&mut Append)) -> Arc<MemoryLog> {
    let log = MemoryLog::new();
    for recorded in records {
        let record = recorded.record().clone();
        let mut append = Append { ledger: main(), record, body: Arc::from([].as_slice()) };
        edit(&mut append);
        log.append(&[append]).unwrap();
    }
    Arc::new(log)
}

#[tokio::test]
async fn every_covered_record_is_proved_to_whoever_has_the_key() {
    let server = server();
    let (status, answer) = server.bundle(1).await;
    assert!(status == StatusCode::NOT_FOUND && answer.contains("checkpoint_unknown"), "{answer}");
    server.deliver(COMPLETED).await;
    server.sign();
    let (checkpoint, key) = server.newest().await;
    assert_eq!(checkpoint.size, server.records());
    server.granted("a", "5").await;
    for sequence in 1..=checkpoint.size {
        let (status, bundle) = server.bundle(sequence).await;
        assert_eq!(status, StatusCode::OK, "{bundle}");
        let verdict = Verdict::of(&bundle, std::slice::from_ref(&key)).unwrap();
        assert_eq!(verdict.checkpoint(), &checkpoint);
        assert_eq!(verdict.records()[0].sequence, sequence);
    }
    for uncovered in [0, checkpoint.size + 1] {
        let (status, answer) = server.bundle(uncovered).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
        assert!(answer.contains("record_unknown"), "{answer}");
    }
}

#[tokio::test]
async fn each_checkpoint_goes_on_from_every_one_before() {
    let server = server();
    let mut before = Vec::new();
    for number in 0..5 {
        server.granted(&format!("a{number}"), "5").await;
        server.sign();
        before.push(server.newest().await.0);
        // Without a new record there is no new checkpoint.
        server.sign();
    }
    assert_eq!(notes(&server.file()).count(), 5);
    let (newest, key) = server.newest().await;
    for older in before {
        let path = format!("/proofs/consistency?from={}", older.size);
        let (status, answer) = server.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let note = answer["note"].as_str().unwrap();
        assert_eq!(Checkpoint::open(note, std::slice::from_ref(&key)).unwrap(), newest);
        let path: Vec<String> = serde_json::from_value(answer["path"].clone()).unwrap();
        let path: Vec<Hash> = path.iter().map(|text| Hash::parse(text).unwrap()).collect();
        let (before, after) = ((older.size, older.root), (newest.size, newest.root));
        assert!(is_consistent(before, after, &path), "{answer}");
    }
    let (status, answer) = server.get("/proofs/consistency?from=999").await;
    assert_eq!((status.as_u16(), &answer["code"]), (400, &json!("query_invalid")));
}

#[tokio::test]
async fn a_restart_signs_what_is_new_whether_the_views_are_there_or_not() {
    let server = server();
    server.sign();
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    for number in 0..4 {
        server.granted(&format!("a{number}"), "5").await;
        let (mut notary, checkpoints) = if number % 2 == 0 {
            server.restarted_with(&server.log, &views)
        } else {
            server.restarted(&server.log)
        };
        let known = checkpoints.newest(&main()).unwrap().0.checkpoint.size;
        assert_eq!(
            known + 1,
            server.records(),
            "what was published is known before the first turn"
        );
        notary.turn(false, &mut || false);
        assert_eq!(checkpoints.newest(&main()).unwrap().0.checkpoint.size, known);
        notary.turn(true, &mut || false);
        assert_eq!(checkpoints.newest(&main()).unwrap().0.checkpoint.size, known + 1);
        assert!(checkpoints.troubles().is_empty());
    }
}

#[tokio::test]
async fn a_new_key_signs_what_was_signed_before_and_is_held_to_it() {
    let server = server();
    server.sign();
    let before = server.newest().await.0;
    let mut signing = server.config.checkpoints.clone();
    signing.key = Some(PrivateKey::of([6; 32]));
    let log: Arc<dyn EventLog> = server.log.clone();
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    let ledgers = [main()].into_iter();
    let opened = Notary::open(&signing, server.folder.path(), ledgers, log, &views);
    let (mut notary, checkpoints) = opened.unwrap();
    for _ in 0..2 {
        notary.turn(true, &mut || false);
        let (published, key) = checkpoints.newest(&main()).unwrap();
        let opened = Checkpoint::open(&published.note, std::slice::from_ref(key));
        assert_eq!(opened, Ok(before.clone()));
        assert_eq!(notes(&server.file()).count(), 2, "once");
    }
}

#[tokio::test]
async fn a_log_that_was_changed_or_cut_is_never_signed_again() {
    let server = server();
    server.granted("a", "5").await;
    server.granted("b", "5").await;
    server.sign();
    let (file, records) = (server.file(), server.all());
    let refused = |log: &Arc<MemoryLog>, views: &Arc<dyn ViewStore>, why: &str| {
        let (mut notary, checkpoints) = server.restarted_with(log, views);
        for _ in 0..2 {
            notary.turn(true, &mut || false);
            let troubles = checkpoints.troubles();
            assert!(
                troubles[&main()].reason.contains(why) && troubles[&main()].is_final,
                "{troubles:?}"
            );
        }
        assert_eq!(server.file(), file, "nothing is added");
    };
    let fresh = || -> Arc<dyn ViewStore> { Arc::new(MemoryViews::new()) };
    let changed = edited(&records, |append| {
        if append.record.sequence.get() == 3 {
            append.record.decision.transfers.clear();
        }
    });
    refused(&changed, &fresh(), "somebody changed the log");
    // The stored tree is of the log as it was.
    let kept = fresh();
    server.restarted_with(&server.log, &kept).0.turn(true, &mut || false);
    refused(&changed, &kept, "somebody changed the log");
    let cut = edited(&records[..records.len() - 1], |_| ());
    refused(&cut, &kept, "an older log was restored");
    let (mut notary, checkpoints) = server.restarted(&edited(&records, |_| ()));
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles().is_empty(), "the same records are the same log");
}

#[tokio::test]
async fn stored_trees_that_are_damaged_are_made_again_and_no_log_is_accused() {
    let server = server();
    server.granted("a", "5").await;
    server.sign();
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    server.restarted_with(&server.log, &views).0.turn(true, &mut || false);
    let tiles = views.scan(b"tree/main/t", None, 9).unwrap();
    let [(key, tile)] = tiles.as_slice() else { panic!("{tiles:?}") };
    let mut tile = tile.clone();
    tile[0] ^= 1;
    views.write(&[(key.clone(), Some(tile))]).unwrap();
    server.granted("b", "5").await;
    let (mut notary, checkpoints) = server.restarted_with(&server.log, &views);
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles().is_empty(), "{:?}", checkpoints.troubles());
    let signed = checkpoints.newest(&main()).unwrap().0.checkpoint;
    assert_eq!(signed.size, server.records());
    let (_, key) = server.newest().await;
    let note = notes(&server.file()).last().unwrap();
    assert_eq!(Checkpoint::open(&note, &[key]).unwrap(), signed);
}

/// What the courier says that it saw at the end of the ledger's subject.
fn seen(place: u64, published: Option<Published>, is_strange: bool) -> Seen {
    BTreeMap::from([(main(), Last { place, published, is_strange })])
}

#[tokio::test]
async fn what_the_broker_has_is_held_to_before_anything_is_offered() {
    let server = server();
    server.granted("a", "5").await;
    let (mut notary, checkpoints) = server.restarted(&server.log);
    let (sender, offered) = (watch::Sender::new(BTreeMap::new()), notary.offered());
    let offer = || offered.borrow().get(&main()).cloned().unwrap_or_default();
    notary.holds_to(sender.subscribe());
    notary.turn(true, &mut || false);
    assert_eq!(offer(), Offer::default(), "nothing is signed before the broker was looked at");
    sender.send_replace(seen(0, None, false));
    notary.turn(false, &mut || false);
    let own = checkpoints.newest(&main()).unwrap().0;
    assert_eq!(offer(), Offer { newest: Some(own.clone()), held_to: Some(0) }, "at once then");
    sender.send_replace(seen(7, Some(own.clone()), false));
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles().is_empty());
    assert_eq!(offer().held_to, Some(7));
    let checkpoint = Checkpoint { root: Hash::of_nothing(), ..own.checkpoint.clone() };
    let other = Published { note: String::new(), checkpoint };
    sender.send_replace(seen(8, Some(other), false));
    server.granted("b", "5").await;
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles()[&main()].reason.contains("somebody changed the log"));
    assert_eq!(offer(), Offer { newest: Some(own), held_to: Some(7) });
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_waited_for_so_long_and_strangers_are_only_told_of() {
    let server = server();
    let (mut notary, checkpoints) = server.restarted(&server.log);
    let sender = watch::Sender::new(BTreeMap::new());
    notary.holds_to(sender.subscribe());
    let mut turns = 0;
    while checkpoints.newest(&main()).is_none() {
        notary.turn(turns == 0, &mut || false);
        turns += 1;
        assert!(turns <= LOOK_TICKS_MAX);
    }
    assert_eq!(turns, LOOK_TICKS_MAX);
    assert_eq!(notary.offered().borrow()[&main()].held_to, None, "nothing for the broker yet");
    sender.send_replace(seen(3, None, true));
    server.granted("a", "5").await;
    notary.turn(true, &mut || false);
    let trouble = checkpoints.troubles()[&main()].clone();
    assert!(!trouble.is_final && trouble.reason.contains("message 3"), "{trouble:?}");
    assert_eq!(checkpoints.newest(&main()).unwrap().0.checkpoint.size, server.records());
    sender.send_replace(seen(4, None, false));
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles().is_empty());
}

#[tokio::test]
async fn a_ledger_that_is_refused_makes_no_other_sign_more_often() {
    let server = server();
    server.granted("a", "5").await;
    let other = LedgerId::new("other").unwrap();
    let log = edited(&server.all(), |_| ());
    for recorded in server.all() {
        let record = recorded.record().clone();
        log.append(&[Append { ledger: other.clone(), record, body: Arc::from([].as_slice()) }])
            .unwrap();
    }
    let (signing, data) = (&server.config.checkpoints, server.folder.path());
    let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
    let ledgers = [main(), other.clone()].into_iter();
    let opened = Notary::open(signing, data, ledgers, log.clone(), &views);
    let (mut notary, checkpoints) = opened.unwrap();
    notary.turn(true, &mut || false);
    let own = checkpoints.newest(&main()).unwrap().0;
    let checkpoint = Checkpoint { root: Hash::of_nothing(), ..own.checkpoint };
    let sender = watch::Sender::new(seen(1, Some(Published { checkpoint, ..own }), false));
    notary.holds_to(sender.subscribe());
    let nothing = Last { place: 0, published: None, is_strange: false };
    sender.send_modify(|seen| drop(seen.insert(other.clone(), nothing)));
    notary.turn(true, &mut || false);
    assert!(checkpoints.troubles()[&main()].is_final);
    let signed = checkpoints.newest(&other).unwrap().0;
    let mut record = server.all().last().unwrap().record().clone();
    record.sequence = record.sequence.next();
    log.append(&[Append { ledger: other.clone(), record, body: Arc::from([].as_slice()) }])
        .unwrap();
    notary.turn(false, &mut || false);
    assert_eq!(checkpoints.newest(&other).unwrap().0, signed, "it is not due");
    notary.turn(true, &mut || false);
    assert_eq!(checkpoints.newest(&other).unwrap().0.checkpoint.size, signed.checkpoint.size + 1);
}

#[tokio::test]
async fn a_file_that_can_not_be_written_is_told_and_tried_again() {
    let mut config = config(POLICY, "live");
    config.checkpoints.key = Some(PrivateKey::of([3; 32]));
    config.checkpoints.file = Some("/dev/full".into());
    let server = server_of(config);
    server.sign();
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = server.private.clone().oneshot(request).await.unwrap();
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = std::str::from_utf8(&page).unwrap();
    assert!(page.contains("tallyhook_checkpoint_troubles 1\n"), "{page}");
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let (status, _, _) = answered(&server.private, request).await;
    assert_eq!(status, StatusCode::OK, "records are taken, and it is tried again");
    let (status, _) = server.bundle(1).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "what is not in the file was not published");
}
