//! What would be different under another policy: the recorded inputs decided again, in memory, with
//! the policies replaced.
//!
//! Every recorded input is decided again in its place. A command that the other policy refuses
//! leaves its place empty. What was refused then was never recorded, so it can't be known what the
//! other policy would have made of it; nor what people would have done otherwise.
//!
//! Never here: a change to the log or to its views.

mod course;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    account::{Status, View},
    apply::{Contradiction, fold_view},
    case::{Case, CaseStatus, Decider},
    decision::{Effect, RULES_VERSION},
    ids::{AccountId, LedgerId, OperationId, Text},
    input::{Input, Order},
    policy::{Measures, Policy, Timeline},
    record::Record,
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError};
use projectors::{fold::FoldError, projections::StateError};

use self::course::{Course, Took};
use crate::{
    cut::{Cut, Provenance},
    pass::pass,
    sums::Sums,
};

/// Why history can't be decided otherwise.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The log or the state made of it can't be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A recorded amount leaves its range.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// The other policy counts in another unit.
    #[error(
        "decide in {unit} with {decimals} decimals: the ledger has {own_unit} with {own_decimals}, \
         and that never changes"
    )]
    Unit {
        /// The other policy's.
        unit: String,
        /// Its decimals.
        decimals: u8,
        /// The ledger's.
        own_unit: String,
        /// Its decimals.
        own_decimals: u8,
    },
    /// No policy was ever put in force.
    #[error("decide otherwise: no policy was ever put in force in the ledger")]
    NoPolicy,
}

impl From<ReadError> for WhatIfError {
    fn from(error: ReadError) -> Self {
        Self::Fold(error.into())
    }
}

impl From<StateError> for WhatIfError {
    fn from(error: StateError) -> Self {
        Self::Fold(error.into())
    }
}

/// Another policy, and for when.
#[derive(Clone, Debug)]
pub struct Otherwise {
    /// The policy.
    pub policy: Arc<Policy>,
    /// From when on it applies, in the place of all versions that were to apply later; without it,
    /// from the beginning in the place of all.
    pub effective_from: Option<Timestamp>,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    /// What of the log it was made from.
    pub provenance: Provenance,
    /// How many decisions differ, those that are not made any more included.
    pub decisions: u64,
    /// The commands that would be refused, by their names.
    pub refused: BTreeMap<&'static str, u64>,
    /// The decisions that an older version of the rules made: some of what is different may come of
    /// the rules and not of the policy.
    pub by_older_rules: u64,
    /// The accounts that would stand otherwise, in their order.
    pub accounts: Vec<AccountDifference>,
    /// The refund cases that would stand otherwise, in the order in which they were opened.
    pub cases: Vec<CaseDifference>,
    /// All accounts together, as recorded and otherwise.
    pub total: Pair<Total>,
}

/// Something as it was recorded, and as it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<T> {
    /// As recorded.
    pub recorded: T,
    /// As it would be.
    pub otherwise: T,
}

/// All accounts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Their balances.
    pub sums: Sums,
    /// How many there are.
    pub accounts: u64,
    /// How many are frozen at the end.
    pub frozen: u64,
    /// How often one was frozen.
    pub freezes: u64,
    /// How many are closed.
    pub closed: u64,
}

/// An account that would stand otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDifference {
    /// Which.
    pub account: AccountId,
    /// How it stands; nowhere where it does not exist.
    pub standing: Pair<Option<Standing>>,
}

/// How an account stands at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its balance.
    pub sums: Sums,
    /// Its status.
    pub status: Status,
    /// The causes that are open.
    pub open: BTreeSet<String>,
    /// How often it was frozen.
    pub freezes: u64,
}

/// A refund case that would stand otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseDifference {
    /// Which.
    pub case: OperationId,
    /// Whose.
    pub account: AccountId,
    /// Its verdict, and the money that is quoted; none where it is not opened.
    pub verdict: Pair<Option<Verdict>>,
}

/// How far a case is, and what would be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How far.
    pub status: &'static str,
    /// What the status says besides: the rule, what is missing, until when.
    pub detail: String,
    /// The money that is quoted, in major units with its currency.
    pub quote: String,
}

/// Decides a ledger's history otherwise and says what comes of it.
///
/// # Errors
/// The log can't be read, or the policy can't be the ledger's.
pub fn what_if(
    log: &dyn EventLog,
    ledger: &LedgerId,
    other: &Otherwise,
    progress: impl FnMut(u64, u64),
) -> Result<Differences, WhatIfError> {
    let mut course = Course::new(ledger)?;
    let (mut recorded, mut otherwise) = (Outcome::new(), Outcome::new());
    let (mut decisions, mut by_older_rules) = (0_u64, 0_u64);
    let mut refused = BTreeMap::new();
    let mut kept = Timeline::EMPTY;
    let provenance = pass(log, ledger, &Cut::END, progress, |known, _| {
        let record = known.record();
        recorded.fold(record)?;
        if record.decision.rules != RULES_VERSION {
            by_older_rules = by_older_rules.saturating_add(1);
        }
        if let Some(policy) = activated(record) {
            kept = replaced(&kept, policy, other)?;
            course.put_in_force(kept.clone(), record)?;
            return Ok::<_, WhatIfError>(());
        }
        match course.take(record)? {
            Took::Decided(again) => {
                otherwise.fold(&again)?;
                decisions = decisions.saturating_add(u64::from(!is_same(&again, record)));
            }
            Took::Nothing => {
                decisions = decisions.saturating_add(1);
                let count: &mut u64 = refused.entry(name(record)).or_default();
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    })?;
    if kept.versions().is_empty() {
        return Err(WhatIfError::NoPolicy);
    }
    Ok(Differences {
        provenance,
        decisions,
        refused,
        by_older_rules,
        accounts: accounts(&recorded, &otherwise),
        cases: cases(&recorded, &otherwise),
        total: Pair { recorded: recorded.total(), otherwise: otherwise.total() },
    })
}

fn activated(record: &Record) -> Option<&Arc<Policy>> {
    let Input::Command(command) = &record.input else { return None };
    let Order::ActivatePolicy { policy, .. } = &command.order else { return None };
    Some(policy)
}

/// The versions in force once a recorded one is activated: those before the other's time, and the
/// other.
fn replaced(
    kept: &Timeline,
    activated: &Arc<Policy>,
    other: &Otherwise,
) -> Result<Timeline, WhatIfError> {
    let Otherwise { policy, effective_from } = other;
    if (&policy.unit, policy.decimals) != (&activated.unit, activated.decimals) {
        return Err(WhatIfError::Unit {
            unit: policy.unit.to_string(),
            decimals: policy.decimals,
            own_unit: activated.unit.to_string(),
            own_decimals: activated.decimals,
        });
    }
    let Some(from) = *effective_from else {
        return Ok(Timeline::restore(vec![Arc::clone(policy)]));
    };
    let before = kept.versions().len().saturating_sub(1);
    let mut versions: Vec<Arc<Policy>> = kept.versions().iter().take(before).cloned().collect();
    // The first version applies from the beginning, whatever it says.
    if versions.is_empty() || activated.effective_from < from {
        versions.push(Arc::clone(activated));
    }
    let last = versions.last().map_or(0, |last| last.version);
    let version = policy.version.max(last.saturating_add(1));
    versions.push(Arc::new(Policy { version, effective_from: from, ..(**policy).clone() }));
    Ok(Timeline::restore(versions))
}

/// Whether two decisions come to the same, whichever version of rules and policy made them.
fn is_same(again: &Record, recorded: &Record) -> bool {
    let (again, recorded) = (&again.decision, &recorded.decision);
    let effects = again.effects.iter().zip(&recorded.effects);
    again.outcome == recorded.outcome
        && again.effects.len() == recorded.effects.len()
        && effects.into_iter().all(|(again, recorded)| is_same_effect(again, recorded))
        && again.transfers == recorded.transfers
}

/// A case names the version that decides it, whatever that says.
fn is_same_effect(again: &Effect, recorded: &Effect) -> bool {
    if let (Effect::CaseChanged(again), Effect::CaseChanged(recorded)) = (again, recorded) {
        return Case { policy: recorded.policy, ..(**again).clone() } == **recorded;
    }
    again == recorded
}

/// What a case's status says besides its name.
fn detail(status: &CaseStatus) -> String {
    let names = |names: &BTreeSet<Text>| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    match status {
        CaseStatus::NeedsInformation { missing, wrong } => {
            format!("missing: {}; wrong: {}", names(missing), names(wrong))
        }
        CaseStatus::InReview { due_at } | CaseStatus::Eligible { due_at } => {
            format!("due at {due_at}")
        }
        CaseStatus::Approved { money } => format!("{} in minor units", money.get()),
        CaseStatus::Corrected { credits } => format!("{credits} credits"),
        CaseStatus::Denied { rule, by: Decider::Policy } => format!("by the rule {rule}"),
        CaseStatus::Denied { rule, by: Decider::Operator } => format!("by an operator: {rule}"),
        CaseStatus::Withdrawn | CaseStatus::Refunded => String::new(),
    }
}

fn name(record: &Record) -> &'static str {
    match &record.input {
        Input::Delivery(_) => "delivery",
        Input::Command(command) => command.order.name(),
    }
}

/// What a course of records led to.
struct Outcome {
    accounts: BTreeMap<AccountId, (View, u64)>,
    cases: BTreeMap<OperationId, (AccountId, Verdict)>,
    /// In the order in which they were opened.
    opened: Vec<OperationId>,
}

impl Outcome {
    const fn new() -> Self {
        Self { accounts: BTreeMap::new(), cases: BTreeMap::new(), opened: Vec::new() }
    }

    fn fold(&mut self, record: &Record) -> Result<(), Contradiction> {
        for account in record.decision.accounts() {
            let (view, freezes) = self.accounts.entry(account.clone()).or_insert((View::NEW, 0));
            fold_view(view, &account, record)?;
            let effects = record.decision.effects.iter();
            let froze = effects.filter(|effect| froze(effect, &account)).count();
            *freezes = freezes.saturating_add(u64::try_from(froze).unwrap_or(u64::MAX));
        }
        for effect in &record.decision.effects {
            let Effect::CaseChanged(case) = effect else { continue };
            let quote = &case.quote;
            let verdict = Verdict {
                status: case.status.name(),
                detail: detail(&case.status),
                quote: format!("{} {}", quote.money.major(quote.currency), quote.currency),
            };
            if self.cases.insert(case.id, (case.account.clone(), verdict)).is_none() {
                self.opened.push(case.id);
            }
        }
        Ok(())
    }

    fn standing(&self, account: &AccountId) -> Option<Standing> {
        let (view, freezes) = self.accounts.get(account)?;
        Some(Standing {
            sums: Sums::of(&view.books),
            status: view.status(),
            open: view.freezes.keys().map(ToString::to_string).collect(),
            freezes: *freezes,
        })
    }

    fn verdict(&self, case: OperationId) -> Option<Verdict> {
        self.cases.get(&case).map(|(_, verdict)| verdict.clone())
    }

    fn total(&self) -> Total {
        let mut total = Total { sums: Sums::ZERO, accounts: 0, frozen: 0, freezes: 0, closed: 0 };
        for (view, freezes) in self.accounts.values() {
            total.sums = total.sums.plus(&Sums::of(&view.books));
            total.accounts = total.accounts.saturating_add(1);
            total.freezes = total.freezes.saturating_add(*freezes);
            match view.status() {
                Status::Active => {}
                Status::Frozen => total.frozen = total.frozen.saturating_add(1),
                Status::Closed => total.closed = total.closed.saturating_add(1),
            }
        }
        total
    }
}

/// A cause without any measure is open and freezes nothing.
fn froze(effect: &Effect, account: &AccountId) -> bool {
    matches!(effect, Effect::Frozen { account: frozen, freeze }
        if frozen == account && freeze.measures != Measures::NONE)
}

fn accounts(recorded: &Outcome, otherwise: &Outcome) -> Vec<AccountDifference> {
    let known: BTreeSet<&AccountId> =
        recorded.accounts.keys().chain(otherwise.accounts.keys()).collect();
    let differing = known.into_iter().filter_map(|account| {
        let (recorded, otherwise) = (recorded.standing(account), otherwise.standing(account));
        let standing = Pair { recorded, otherwise };
        let differs = standing.recorded != standing.otherwise;
        differs.then(|| AccountDifference { account: account.clone(), standing })
    });
    differing.collect()
}

fn cases(recorded: &Outcome, otherwise: &Outcome) -> Vec<CaseDifference> {
    let new = otherwise.opened.iter().filter(|case| !recorded.cases.contains_key(case));
    let differing = recorded.opened.iter().chain(new).filter_map(|case| {
        let verdict =
            Pair { recorded: recorded.verdict(*case), otherwise: otherwise.verdict(*case) };
        let (account, _) = recorded.cases.get(case).or_else(|| otherwise.cases.get(case))?;
        let differs = verdict.recorded != verdict.otherwise;
        differs.then(|| CaseDifference { case: *case, account: account.clone(), verdict })
    });
    differing.collect()
}
