//! The table `[refunds]`: what refunds can be applied for, and what becomes of applications.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ids::Text,
    refunds::{Condition, Reason, ReasonVerdict, Refunds, Remedy},
};

use crate::{
    calendar::{self, REVIEW_DAYS_MAX, calendar},
    names::{facts, key, rule},
    near::{did_you_mean, nearest},
    quote::{self, quote},
    reader::{Faulted, Item, Reader},
};

const KEYS: [&str; 6] =
    ["facts", "review_business_days", "calendar", "denials", "reasons", "quote"];

/// What only asks more of applications, which one that is denied anyway never meets.
const OF_GRANTABLE: [&str; 5] = ["facts", "within_days", "unused", "remedy", "despite"];

/// Reads the table `[refunds]`; an empty one offers no refunds, as none does.
pub(crate) fn refunds(item: &mut Item<'_, '_>) -> Result<Option<Refunds>, Faulted> {
    if item.entries(|_, _| Ok(()))?.is_empty() {
        return Ok(None);
    }
    item.table(&KEYS, rules).map(Some)
}

fn rules(table: &mut Reader<'_, '_>) -> Result<Refunds, Faulted> {
    let facts = table
        .required("facts", "write what each application must say, or facts = []")
        .and_then(|mut item| facts(&mut item));
    let review_business_days = table
        .required("review_business_days", "write review_business_days = 7")
        .and_then(|mut item| item.integer(1..=REVIEW_DAYS_MAX));
    let calendar = table
        .required("calendar", "add [refunds.calendar] with zone and weekend")
        .and_then(|mut item| item.table(&calendar::KEYS, calendar));
    let denials =
        table.optional("denials").map_or(Ok(BTreeMap::new()), |mut item| denials(&mut item));
    let reasons = table
        .required("reasons", "add [refunds.reasons.NAME] with verdict and rule")
        .and_then(|mut item| reasons(&mut item, denials.as_ref().ok()));
    let quote = table
        .optional("quote")
        .map_or(Ok(quote::NOTHING), |mut item| item.table(&quote::KEYS, quote));
    Ok(Refunds {
        facts: facts?,
        review_business_days: review_business_days?,
        calendar: calendar?,
        reasons: reasons?,
        denials: denials?,
        quote: quote?,
    })
}

fn denials(item: &mut Item<'_, '_>) -> Result<BTreeMap<Condition, Text>, Faulted> {
    let rules = item.entries(|name, item| {
        let known = Condition::ALL.into_iter().find(|condition| condition.name() == name);
        let condition = known.ok_or_else(|| {
            let names = Condition::ALL.map(Condition::name);
            let meant = nearest(name, names);
            let remedy = did_you_mean(meant, || format!("known here are {}", names.join(", ")));
            item.fault("is not a condition that denies", remedy)
        });
        let rule = rule(item);
        Ok((condition?, rule?))
    })?;
    Ok(rules.into_iter().collect())
}

/// What denies applications, where that was understood.
type Denials<'d> = Option<&'d BTreeMap<Condition, Text>>;

fn reasons(
    item: &mut Item<'_, '_>,
    denials: Denials<'_>,
) -> Result<BTreeMap<Text, Reason>, Faulted> {
    const REASON: [&str; 7] =
        ["verdict", "rule", "facts", "within_days", "unused", "remedy", "despite"];
    let remedy = "choose a name such as \"duplicate-payment\"";
    let reasons = item.entries(|name, item| {
        let name = key(name, item, remedy);
        let reason = item.table(&REASON, |table| reason(table, denials));
        Ok((name?, reason?))
    })?;
    if reasons.is_empty() {
        let problem = "names no reason, so nothing can be applied for";
        return Err(item.fault(problem, "add [refunds.reasons.NAME], or remove [refunds]"));
    }
    Ok(reasons.into_iter().collect())
}

fn reason(table: &mut Reader<'_, '_>, denials: Denials<'_>) -> Result<Reason, Faulted> {
    let verdict = table
        .required("verdict", "write verdict = \"deny\", \"review\" or \"eligible\"")
        .and_then(|mut item| {
            item.choice(&[
                ("deny", ReasonVerdict::Deny),
                ("review", ReasonVerdict::Review),
                ("eligible", ReasonVerdict::Eligible),
            ])
        });
    let rule = table
        .required("rule", "name the rule that applicants are told, such as rule = \"A6\"")
        .and_then(|mut item| rule(&mut item));
    let facts = table.optional("facts").map_or(Ok(BTreeSet::new()), |mut item| facts(&mut item));
    let within_days =
        table.optional("within_days").map(|mut item| item.integer(1..=u32::MAX)).transpose();
    let unused = table.optional("unused").map_or(Ok(false), |mut item| item.boolean());
    let remedy = table.optional("remedy").map_or(Ok(Remedy::Refund), |mut item| {
        item.choice(&[("refund", Remedy::Refund), ("credits", Remedy::Credits)])
    });
    let despite = table
        .optional("despite")
        .map_or(Ok(BTreeSet::new()), |mut item| despite(&mut item, denials));
    if verdict == Ok(ReasonVerdict::Deny) {
        nothing_else(table)?;
    }
    Ok(Reason {
        verdict: verdict?,
        rule: rule?,
        facts: facts?,
        within_days: within_days?,
        unused: unused?,
        remedy: remedy?,
        despite: despite?,
    })
}

/// Which denials don't hold for a reason: only such as there are.
fn despite(item: &mut Item<'_, '_>, denials: Denials<'_>) -> Result<BTreeSet<Condition>, Faulted> {
    let conditions = Condition::ALL.map(|condition| (condition.name(), condition));
    item.set(|item| {
        let condition = item.choice(&conditions)?;
        if denials.is_none_or(|denials| denials.contains_key(&condition)) {
            return Ok(condition);
        }
        let name = condition.name();
        let remedy = format!("add {name} to [refunds.denials], or remove it here");
        Err(item.fault(format!("\"{name}\" denies nothing here"), remedy))
    })
}

/// A reason that is denied anyway has nothing but its rule.
fn nothing_else(table: &mut Reader<'_, '_>) -> Result<(), Faulted> {
    let mut checked = Ok(());
    for key in OF_GRANTABLE {
        if let Some(mut item) = table.optional(key) {
            let problem = "means nothing beside verdict = \"deny\"";
            checked = Err(item.fault(problem, "remove it, or choose another verdict"));
        }
    }
    checked
}
