//! Decisions of an older version of the rules: listed where today's would be others, no findings.

use domain::{
    decision::{Effect, RULES_VERSION, Transfer},
    record::Record,
};
use event_store::{
    log::Append,
    memory::{MemoryLog, MemoryViews},
};

use super::*;

/// A log with the records and bodies of another, each changed.
pub(super) fn rewritten(log: &dyn EventLog, change: impl Fn(&mut Record)) -> MemoryLog {
    let other = MemoryLog::new();
    for recorded in log.scan(&ledger(), None, usize::MAX).unwrap() {
        let mut record = recorded.into_record();
        let body = log.body(&ledger(), record.sequence).unwrap().unwrap_or_default();
        change(&mut record);
        other.append(&[Append { ledger: ledger(), record, body: body.into() }]).unwrap();
    }
    other
}

/// The audit of a log that has no stored projections.
pub(super) fn audited(log: &dyn EventLog) -> Report {
    let views = Arc::new(MemoryViews::new());
    let stored = Projections::new(views.clone());
    verify(log, &*views, &stored, &[], |_| ()).unwrap()
}

/// The small log, its debit as rules 1 decided it: they did not keep it for a return.
fn of_rules(rules: u16) -> MemoryLog {
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    rewritten(&*store.log(), |record| {
        record.decision.rules = rules;
        record.decision.effects.retain(|effect| !matches!(effect, Effect::Debited { .. }));
    })
}

#[test]
fn what_older_rules_decided_otherwise_is_a_difference() {
    let report = audited(&of_rules(1));
    assert_eq!((report.findings, report.records), (vec![], 8));
    let [difference] = &report.differences[..] else { panic!("{:?}", report.differences) };
    assert_eq!((difference.kind, difference.sequence), (Kind::DecisionDiffers, Sequence::new(8)));
}

#[test]
fn what_todays_rules_would_not_decide_is_a_finding() {
    let report = audited(&of_rules(RULES_VERSION));
    assert_eq!(report.differences, vec![]);
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert_eq!((finding.kind, finding.sequence), (Kind::DecisionDiffers, Sequence::new(8)));
}

/// An older number excuses what the older rules did otherwise, and nothing else.
#[test]
fn what_no_rules_decided_is_a_finding_whatever_number_it_has() {
    let forged = |rules: u16, only_last: bool| {
        let dir = tempfile::tempdir().unwrap();
        let store = write(dir.path());
        rewritten(&*store.log(), |record| {
            if record.sequence.get() == 8 {
                let Some(Transfer::Credits { amount, .. }) = record.decision.transfers.first_mut()
                else {
                    panic!("the debit moves credits")
                };
                *amount = Credits::parse("0.25", 2).unwrap();
            }
            if !only_last || record.sequence.get() == 8 {
                record.decision.rules = rules;
            }
        })
    };
    for rules in [0, 1, RULES_VERSION, RULES_VERSION + 1, u16::MAX] {
        let report = audited(&forged(rules, false));
        assert!(!report.is_clean(), "rules {rules}");
    }
    let dir = tempfile::tempdir().unwrap();
    let store = write(dir.path());
    let older = rewritten(&*store.log(), |record| {
        if record.sequence.get() == 4 {
            record.decision.rules = 1;
        }
    });
    let report = audited(&older);
    let found: Vec<_> = report.findings.iter().map(|one| one.sequence.unwrap().get()).collect();
    assert_eq!(found, [4], "{:?}", report.findings);
    assert!(!audited(&forged(1, true)).is_clean());
}
