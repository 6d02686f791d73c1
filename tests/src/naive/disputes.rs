//! Which disputes of a payment are open, and what is done meanwhile: rule 6.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    account::DisputeCause,
    ids::AdjustmentId,
    notice::{Action, Adjustment, Status},
    payment::{Clearable, Ruled},
    policy::{Measures, Policy, Service, Verification},
    time::Timestamp,
};

use super::{convert::Conversion, payment::Told, policy_at};

/// When refund cases of a payment were open: from, and until.
pub(super) type Asked = Vec<(Timestamp, Option<Timestamp>)>;

pub(super) fn causes(
    policies: &[Arc<Policy>],
    told: &Told,
    adjustments: &[&Adjustment],
    (conversion, asked): (&Conversion, &Asked),
) -> BTreeMap<DisputeCause, (Timestamp, Measures)> {
    let mut causes = BTreeMap::new();
    for cause in [DisputeCause::Warning, DisputeCause::Chargeback] {
        let left = filings_left(told, adjustments, cause, conversion);
        if let Some(first) = left.first() {
            let measures = measures((policies, told, asked), cause, (first.filed_at, &left));
            causes.insert(cause, (first.filed_at, measures));
        }
    }
    causes
}

/// The filings that are left, the earliest first. Those with status `reversed` are over, and those
/// that an operator concluded; what else was undone ends the others, the earliest first.
fn filings_left<'f>(
    told: &Told,
    adjustments: &[&'f Adjustment],
    cause: DisputeCause,
    conversion: &Conversion,
) -> Vec<&'f Adjustment> {
    let (filed, undo) = match cause {
        DisputeCause::Warning => (Action::Warning, Action::WarningReverse),
        DisputeCause::Chargeback => (Action::Chargeback, Action::ChargebackReverse),
    };
    let sum = |wanted: &dyn Fn(&Adjustment) -> bool| -> i128 {
        let wanted = adjustments.iter().filter(|fact| wanted(fact));
        wanted.map(|fact| conversion.amount(fact)).sum()
    };
    let by_status = sum(&|fact| fact.action == filed && fact.status == Status::Reversed);
    let by_undo = sum(&|fact| fact.action == undo && fact.status != Status::Rejected);
    let mut rest = (by_undo - by_status).max(0);
    let concluded = |fact: &Adjustment| {
        told.rulings.iter().any(|(about, what, filings)| {
            *about == cause && matches!(what, Ruled::Concluded(_)) && filings.contains(&fact.id)
        })
    };
    let mut standing: Vec<&Adjustment> = adjustments
        .iter()
        .filter(|fact| fact.action == filed)
        .filter(|fact| matches!(fact.status, Status::Pending | Status::Approved))
        .filter(|fact| !concluded(fact))
        .copied()
        .collect();
    standing.sort_by_key(|fact| (fact.filed_at, fact.id.clone()));
    let mut ended = 0;
    for fact in &standing {
        let amount = conversion.amount(fact);
        if amount > rest {
            break;
        }
        rest -= amount;
        ended += 1;
    }
    standing.split_off(ended)
}

/// The measures of the version of then: the milder set where a case was open first, without what an
/// operator ended of every filing that is left.
fn measures(
    (policies, told, asked): (&[Arc<Policy>], &Told, &Asked),
    cause: DisputeCause,
    (since, left): (Timestamp, &[&Adjustment]),
) -> Measures {
    let policy = policy_at(policies, since);
    let asked_first =
        asked.iter().any(|(from, until)| *from <= since && until.is_none_or(|until| since < until));
    let mut measures = match (policy.with_open_case, asked_first, cause) {
        (Some(milder), true, _) => milder,
        (_, _, DisputeCause::Warning) => policy.on_dispute,
        (_, _, DisputeCause::Chargeback) => policy.on_chargeback,
    };
    let all_in =
        |filings: &BTreeSet<AdjustmentId>| left.iter().all(|fact| filings.contains(&fact.id));
    for (about, what, filings) in &told.rulings {
        match what {
            Ruled::Cleared(Clearable::Verification) if *about == cause && all_in(filings) => {
                measures.verification = Verification::None;
            }
            Ruled::Cleared(Clearable::Service) if *about == cause && all_in(filings) => {
                measures.service = Service::Normal;
            }
            Ruled::Cleared(_) | Ruled::Concluded(_) => {}
        }
    }
    measures
}

pub(super) fn first_chargeback(adjustments: &[&Adjustment]) -> Option<Timestamp> {
    let filed = adjustments
        .iter()
        .filter(|fact| fact.action == Action::Chargeback && fact.status != Status::Rejected)
        .map(|fact| fact.filed_at);
    filed.min()
}
