//! What must hold of a store after any crash, looked at without a server and by the real binary.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail, ensure};
use domain::{
    credits::Credits,
    ids::{AccountId, EventKey, LedgerId, Sequence},
    input::Input,
};
use engine::step::Engine;
use event_store::{
    log::{EventLog, body_digest},
    sled::{Options, SledStore},
    verify::verify,
};
use projectors::projections::Projections;
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    home::{Home, LEDGER},
    server,
};

use crate::load::{Acknowledged, Item, Posted};

/// What was sent, and what of it was acknowledged.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) sent: BTreeMap<String, Sent>,
    /// The sequence that was said, by event id or idempotency key.
    pub(crate) acknowledged: BTreeMap<String, u64>,
}

/// What is needed of an item to check its record.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) account: String,
    pub(crate) credits: i64,
    pub(crate) body: Option<[u8; 32]>,
}

impl Known {
    pub(crate) fn send(&mut self, items: &[Arc<Item>]) {
        for item in items {
            let Item { known_by, account, credits, body, .. } = &**item;
            let sent = Sent { account: account.clone(), credits: *credits, body: *body };
            self.sent.insert(known_by.clone(), sent);
        }
    }

    /// Takes note of what was acknowledged; it is never said twice with another sequence.
    pub(crate) fn acknowledge<'p>(
        &mut self,
        acknowledged: impl IntoIterator<Item = &'p Acknowledged>,
    ) {
        for Acknowledged { known_by, sequence, .. } in acknowledged {
            let before = self.acknowledged.insert(known_by.clone(), *sequence);
            let same = before.is_none_or(|before| before == *sequence);
            assert!(same, "{known_by} was acknowledged as {before:?} and {sequence}");
        }
    }

    /// Everything that was sent was acknowledged.
    pub(crate) fn expect_all(&self, posted: &Posted) {
        assert!(posted.refused.is_empty(), "{:?}", posted.refused.first());
        assert_eq!(posted.broke, None);
        let missing = self.sent.keys().find(|id| !self.acknowledged.contains_key(*id));
        assert_eq!(missing, None, "never acknowledged");
    }
}

/// Opens a store and checks that all that was acknowledged is in its log, with its body, that
/// nothing is there twice, that every stored value is sound, and that the balances follow. Returns
/// the number of records.
pub(crate) fn check(data: &Path, known: &Known) -> Result<usize> {
    let store = SledStore::open(data, Options::STANDARD).context("open the store")?;
    let ledger = LedgerId::new(LEDGER)?;
    let findings = verify(&store, &ledger, &mut |_| ())?;
    if let Some(first) = findings.first() {
        bail!("{} findings, the first: {first:?}", findings.len());
    }
    let log = store.log();
    let logged = logged(&*log, &ledger, known)?;
    for (id, sequence) in &known.acknowledged {
        match logged.get(id) {
            Some(found) if found == sequence => {}
            Some(found) => bail!("{id} was acknowledged as {sequence} and is {found}"),
            None => {
                let head = log.head(&ledger).map_or(0, |head| head.sequence.get());
                bail!("{id} was acknowledged as {sequence} and is lost; the log ends at {head}");
            }
        }
    }
    balances(&store, &ledger, &logged, known)?;
    Ok(log.head(&ledger).map_or(0, |head| usize::try_from(head.sequence.get()).unwrap()))
}

/// The sequence of every event and command of the load that is in the log.
fn logged(log: &dyn EventLog, ledger: &LedgerId, known: &Known) -> Result<BTreeMap<String, u64>> {
    let mut logged = BTreeMap::new();
    let mut after = None;
    loop {
        let records = log.scan(ledger, after, 1024)?;
        let Some(last) = records.last() else { return Ok(logged) };
        after = Some(last.record().sequence);
        for recorded in &records {
            let record = recorded.record();
            let id = match &record.input {
                Input::Delivery(delivery) => match &delivery.event {
                    EventKey::Event { id, .. } => id.as_str().to_owned(),
                    EventKey::Body { .. } => bail!("{}: an event without id", record.sequence),
                },
                Input::Command(command) => command.key.as_str().to_owned(),
            };
            let Some(sent) = known.sent.get(&id) else {
                ensure!(matches!(record.input, Input::Command(_)), "{id} was never sent");
                continue;
            };
            if let Some(digest) = sent.body {
                let whole = body(log, ledger, record.sequence)?;
                ensure!(body_digest(record).0 == digest, "{id} has another body's digest");
                ensure!(Sha256::digest(whole)[..] == digest, "{id} has another body");
            }
            let before = logged.insert(id.clone(), record.sequence.get());
            ensure!(before.is_none(), "{id} is twice in the log: {before:?}, {}", record.sequence);
        }
    }
}

fn body(log: &dyn EventLog, ledger: &LedgerId, sequence: Sequence) -> Result<Vec<u8>> {
    log.body(ledger, sequence)?.with_context(|| format!("record {sequence} has no body"))
}

/// Whether the stored views and the log's tail give each account what the log says.
fn balances(
    store: &SledStore,
    ledger: &LedgerId,
    logged: &BTreeMap<String, u64>,
    known: &Known,
) -> Result<()> {
    let projections = Arc::new(Projections::new(store.views()));
    Engine::open(store.log(), Arc::clone(&projections), |_, _| ())?;
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    for sent in logged.keys().filter_map(|id| known.sent.get(id)) {
        *expected.entry(&sent.account).or_default() += sent.credits;
    }
    for (account, credits) in expected {
        let view = projections.account(ledger, &AccountId::new(account)?)?;
        let available = view.with_context(|| format!("no account {account}"))?.books.available()?;
        let right = Credits::from_billionths(i128::from(credits) * 1_000_000_000);
        ensure!(Some(available) == right, "{account} has {available:?}, not {credits}");
    }
    Ok(())
}

/// `audit verify` of the real binary.
pub(crate) fn audit(home: &Home) -> Result<()> {
    let report = server::verify(home)?;
    ensure!(report["ok"] == true, "audit verify: {report}");
    Ok(())
}
