//! Payments and adjustments as the provider has them now, against the facts that are here.

use std::collections::BTreeMap;

use domain::{
    input::Listing,
    money::{Currency, Minor},
    notice::{Action, Adjustment, Basket, Extent, Notice, Progress, Purchase, Status},
    payment::Paid,
};

use super::{
    compare::{Found, count},
    findings::Kind,
    here::{Facts, Here},
    list::{Listed, Lists},
};

/// Compares every listed entity. `after` are the facts once the missing events are brought in: what
/// is wrong even then is brought in as the entity itself, if that is newer than what is known.
pub(super) fn listed(
    found: &mut Found,
    lists: &Lists<'_>,
    here: &Here,
    after: &mut BTreeMap<String, Facts>,
) {
    let (mut older, mut later, unknown) = (0_u64, 0_u64, Facts::NONE);
    for (listing, entries) in
        [(Listing::Payments, &lists.payments), (Listing::Adjustments, &lists.adjustments)]
    {
        for (id, listed) in entries {
            let Ok(notice) = &listed.delivery.notice else { continue };
            let facts = here.payments.get(payment(notice)).unwrap_or(&unknown);
            let Some((kind, detail)) = fault(notice, facts) else { continue };
            if found.is_later(listed) {
                later = later.saturating_add(1);
                continue;
            }
            found.finding(kind, id, facts.sequence, detail);
            let facts = after.entry(payment(notice).to_owned()).or_insert(Facts::NONE);
            if fault(notice, facts).is_none() || kind == Kind::GrantedUnpaid {
                continue;
            }
            facts.learn(notice);
            if fault(notice, facts).is_none() {
                found.import(listing, id, listed);
            } else {
                older = older.saturating_add(1);
            }
        }
    }
    let detail = "entities that differ and can't be brought in: an event here is newer, or the \
                  payment was imported by hand; correct it by a command";
    found.note("entities-not-importable", older, detail);
    let detail = "entities that differ and were changed after the last record, or shortly before \
                  it: the log, or the backup of it, ends too early to say";
    found.note("entities-later", later, detail);
}

/// Says which payments and adjustments are here and not listed, though others before and after are.
///
/// The provider's ids rise with the time at which they are made, so they say what lies between.
pub(super) fn unlisted(found: &mut Found, lists: &Lists<'_>, here: &Here) {
    for (id, facts) in between(&here.payments, &lists.payments) {
        if facts.payment.paid.is_some()
            && !lists.payments.contains_key(id)
            && !here.is_simulated(id)
        {
            let detail = format!(
                "is paid here and granted {} credits; the provider does not list it",
                facts.granted
            );
            found.finding(Kind::PaymentUnlisted, id, facts.sequence, detail);
        }
    }
    let adjustments: BTreeMap<String, &Facts> = here
        .payments
        .values()
        .flat_map(|facts| facts.payment.adjustments.keys().map(move |id| (id.to_string(), facts)))
        .collect();
    for (id, facts) in between(&adjustments, &lists.adjustments) {
        if !lists.adjustments.contains_key(id) && !here.is_simulated(id) {
            let detail = "is here; the provider does not list it".to_owned();
            found.finding(Kind::AdjustmentUnlisted, id, facts.sequence, detail);
        }
    }
    let imported = here.payments.values().filter(|facts| facts.imported.is_some()).count();
    let detail = "payments were imported by hand: their credits are compared with nothing";
    found.note("payments-imported", count(imported), detail);
}

fn between<'m, T>(
    here: &'m BTreeMap<String, T>,
    listed: &BTreeMap<String, Listed>,
) -> impl Iterator<Item = (&'m String, &'m T)> {
    let range = listed.first_key_value().zip(listed.last_key_value());
    let range = range.map(|((first, _), (last, _))| first.clone()..=last.clone());
    range.into_iter().flat_map(|range| here.range(range))
}

fn payment(notice: &Notice) -> &str {
    super::here::payment_of(notice).unwrap_or_default()
}

/// What is wrong with what is here of an entity.
fn fault(notice: &Notice, facts: &Facts) -> Option<(Kind, String)> {
    match notice {
        Notice::Purchase(purchase) => purchased(purchase, facts),
        Notice::Adjustment(adjustment) => adjusted(adjustment, facts),
        Notice::Nothing => None,
    }
}

fn purchased(listed: &Purchase, facts: &Facts) -> Option<(Kind, String)> {
    let (basket, completed) = match &listed.progress {
        Progress::Unpaid(status) => return unpaid(status.as_str(), facts),
        Progress::Paid(basket) => (basket, false),
        Progress::Completed(basket) => (basket, true),
    };
    let total = money(basket.total, basket.currency);
    match (&facts.payment.paid, &facts.imported) {
        (None, Some(import)) => {
            let net = basket.subtotal.minus(basket.discount).ok()?;
            let same = (import.currency, import.net) == (basket.currency, net);
            let detail = || {
                let (there, here) =
                    (money(net, basket.currency), money(import.net, import.currency));
                format!("net is {there} in the list and {here} in the import")
            };
            (!same).then(|| (Kind::PaymentDiffers, detail()))
        }
        (None, None) => {
            let detail = format!("the provider has {total} for it and nothing here says so");
            Some((Kind::PaymentMissing, detail))
        }
        (Some(paid), _) => {
            let differences = differences(basket, completed, paid);
            (!differences.is_empty()).then(|| (Kind::PaymentDiffers, differences.join("; ")))
        }
    }
}

fn unpaid(status: &str, facts: &Facts) -> Option<(Kind, String)> {
    let given = facts.granted.is_positive() && facts.imported.is_none();
    let detail = || {
        format!("{} credits were granted for it and the provider calls it {status}", facts.granted)
    };
    given.then(|| (Kind::GrantedUnpaid, detail()))
}

fn differences(listed: &Basket, completed: bool, paid: &Paid) -> Vec<String> {
    let here = &paid.basket;
    let mut found = Vec::new();
    if listed.currency != here.currency {
        found.push(differs("currency", listed.currency, here.currency));
    }
    for (name, there, own) in [
        ("subtotal", listed.subtotal, here.subtotal),
        ("discount", listed.discount, here.discount),
        ("tax", listed.tax, here.tax),
        ("total", listed.total, here.total),
    ] {
        if there != own {
            let (there, own) = (money(there, listed.currency), money(own, here.currency));
            found.push(differs(name, there, own));
        }
    }
    if listed.lines != here.lines {
        found.push("its lines differ".to_owned());
    }
    if completed && !paid.completed {
        found.push(differs("status", "completed", "paid"));
    }
    found
}

fn adjusted(listed: &Adjustment, facts: &Facts) -> Option<(Kind, String)> {
    let total = money(listed.total, listed.currency);
    let Some(here) = facts.payment.adjustments.get(&listed.id) else {
        let detail =
            format!("{} of {total} on {} is not here", action(listed.action), listed.payment.id);
        return Some((Kind::AdjustmentMissing, detail));
    };
    let mut found = Vec::new();
    if listed.action != here.action {
        found.push(differs("action", action(listed.action), action(here.action)));
    }
    if listed.status != here.status {
        found.push(differs("status", status(listed.status), status(here.status)));
    }
    // A full refund reverses all, whatever its amounts; filings count by when they were filed.
    if listed.extent != here.extent {
        found.push(differs("type", extent(listed.extent), extent(here.extent)));
    }
    if listed.filed_at != here.filed_at {
        found.push(differs("time of filing", listed.filed_at, here.filed_at));
    }
    for (name, there, own) in
        [("subtotal", listed.subtotal, here.subtotal), ("total", listed.total, here.total)]
    {
        if (there, listed.currency) != (own, here.currency) {
            let (there, own) = (money(there, listed.currency), money(own, here.currency));
            found.push(differs(name, there, own));
        }
    }
    if listed.lines != here.lines {
        found.push("its lines differ".to_owned());
    }
    (!found.is_empty()).then(|| (Kind::AdjustmentDiffers, found.join("; ")))
}

fn differs(name: &str, there: impl std::fmt::Display, here: impl std::fmt::Display) -> String {
    format!("{name} is {there} in the list and {here} here")
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Refund => "refund",
        Action::Credit => "credit",
        Action::CreditReverse => "credit reversal",
        Action::Chargeback => "chargeback",
        Action::ChargebackReverse => "chargeback reversal",
        Action::Warning => "chargeback warning",
        Action::WarningReverse => "warning reversal",
    }
}

const fn extent(extent: Extent) -> &'static str {
    match extent {
        Extent::Full => "full",
        Extent::Partial => "partial",
        Extent::Unsaid => "neither full nor partial",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Approved => "approved",
        Status::Rejected => "rejected",
        Status::Reversed => "reversed",
    }
}

fn money(amount: Minor, currency: Currency) -> String {
    format!("{} {currency}", amount.major(currency))
}
