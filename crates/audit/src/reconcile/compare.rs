//! Lists and log held against each other.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    credits::CreditOverflow,
    ids::{LedgerId, Origin, Sequence, SourceName},
    input::{Input, Listing, Reality},
    notice::{Notice, Progress},
    time::Timestamp,
};
use event_store::log::{EventLog, ReadError};

use super::{
    entities,
    findings::{Counts, Finding, Importable, Kind, Note, Reconciled, TypeSeen},
    here::{Facts, Here, Known, gather, payment_of},
    list::{Listed, Lists},
};

/// How long Paddle lists an event: <https://developer.paddle.com/api-reference/events/list-events>.
pub const LISTED_DAYS: u32 = 90;

/// How long something may be on its way here: what happened later than this before the last record
/// may have arrived after the log, or the backup of it, ends.
pub const ON_ITS_WAY_SECONDS: i64 = 10 * 60;

/// How the types of events start that tell of adjustments.
const ADJUSTMENTS: &str = "adjustment.";

/// Why a reconciliation could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// More credits were granted than can be counted.
    #[error(transparent)]
    Overflow(#[from] CreditOverflow),
}

/// Whether the lists have all between their first and their last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// They have: what is here and lies between must be listed.
    Whole,
    /// They were filtered, or pages are missing: nothing is said of what they lack.
    Partial,
}

/// Of which deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// The ledger.
    pub ledger: LedgerId,
    /// Where they come in.
    pub source: SourceName,
    /// The namespace of the provider's ids.
    pub origin: Origin,
    /// Whether the lists have all.
    pub extent: Extent,
}

/// Holds the provider's lists against what a ledger has.
///
/// # Errors
/// The log can't be read.
pub fn reconcile(
    log: &dyn EventLog,
    of: &Of,
    lists: &Lists<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<Reconciled, ReconcileError> {
    let (here, provenance) = gather(log, &of.ledger, &of.origin, progress)?;
    let mut found = Found::until(provenance.recorded_at.map(reliable_until));
    found.unreadable(lists);
    found.listed_events(log, &of.ledger, lists, &here)?;
    let range = range(lists);
    if of.extent == Extent::Whole {
        found.unlisted_events(lists, &here, range);
        entities::unlisted(&mut found, lists, &here);
    }
    // What the missing events say, once they are brought in, need not be brought in twice.
    let mut after = here.payments.clone();
    for importable in &found.importable {
        if let Some(listed) = lists.events.get(&importable.id) {
            learn(&mut after, &listed.delivery.notice);
        }
    }
    entities::listed(&mut found, lists, &here, &mut after);
    let types = found.types(lists, &here);
    found.unfinished(lists);
    found.findings.sort();
    found.importable.sort_by(|one, other| {
        (one.occurred_at, &one.id, one.listing).cmp(&(other.occurred_at, &other.id, other.listing))
    });
    Ok(Reconciled {
        provenance,
        source: of.source.clone(),
        listed: Counts {
            events: count(lists.events.len()),
            payments: count(lists.payments.len()),
            adjustments: count(lists.adjustments.len()),
        },
        range,
        findings: found.findings,
        notes: found.notes,
        types,
        importable: found.importable,
    })
}

/// By so much a list may be newer than the last record before that is a finding: a backup takes
/// minutes, and a ledger to which nothing comes for longer may have lost its webhooks.
pub const LIST_AHEAD_SECONDS: i64 = 60 * 60;

/// Until when all that happened should be here.
fn reliable_until(recorded_at: Timestamp) -> Timestamp {
    let margin = ON_ITS_WAY_SECONDS.saturating_mul(1_000_000);
    // A clock at the beginning of time has nothing before it.
    Timestamp::from_micros(recorded_at.micros().saturating_sub(margin)).unwrap_or(recorded_at)
}

/// The time between the first and the last listed event.
fn range(lists: &Lists<'_>) -> Option<(Timestamp, Timestamp)> {
    let times = lists.events.values().filter_map(|listed| listed.delivery.occurred_at);
    let first = times.clone().min()?;
    Some((first, times.max()?))
}

fn learn(
    payments: &mut BTreeMap<String, Facts>,
    notice: &Result<Notice, domain::input::Unreadable>,
) {
    let Ok(notice) = notice else { return };
    if let Some(payment) = payment_of(notice) {
        payments.entry(payment.to_owned()).or_insert(Facts::NONE).learn(notice);
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What is gathered on the way.
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<Note>,
    pub(super) importable: Vec<Importable>,
    /// Until when all that happened should be here; of an empty log everything should.
    until: Option<Timestamp>,
}

impl Found {
    const fn until(until: Option<Timestamp>) -> Self {
        Self { findings: Vec::new(), notes: Vec::new(), importable: Vec::new(), until }
    }

    /// Whether what is listed became so after all that the log can be asked about.
    pub(super) fn is_later(&self, listed: &Listed) -> bool {
        let at = listed.changed_at.or(listed.delivery.occurred_at);
        self.until.is_some_and(|until| at.is_some_and(|at| at > until))
    }

    pub(super) fn finding(&mut self, kind: Kind, id: &str, at: Option<Sequence>, detail: String) {
        self.findings.push(Finding { kind, id: id.to_owned(), sequence: at, detail });
    }

    pub(super) fn note(&mut self, name: &'static str, count: u64, detail: &'static str) {
        if count > 0 {
            self.notes.push(Note { name, count, detail });
        }
    }

    pub(super) fn import(&mut self, listing: Listing, id: &str, listed: &Listed) {
        let Some(occurred_at) = listed.delivery.occurred_at else { return };
        let (id, body) = (id.to_owned(), listed.body.clone());
        self.importable.push(Importable { listing, id, occurred_at, body });
    }

    fn unreadable(&mut self, lists: &Lists<'_>) {
        let all = [&lists.events, &lists.payments, &lists.adjustments];
        for (id, listed) in all.into_iter().flatten() {
            if let Err(unreadable) = &listed.delivery.notice {
                self.finding(Kind::Unreadable, id, None, unreadable.detail.to_string());
            }
        }
    }

    fn listed_events(
        &mut self,
        log: &dyn EventLog,
        ledger: &LedgerId,
        lists: &Lists<'_>,
        here: &Here,
    ) -> Result<(), ReconcileError> {
        let (mut unneeded, mut reworded, mut later) = (0_u64, 0_u64, 0_u64);
        for (id, listed) in &lists.events {
            match here.events.get(id) {
                None if matters(listed, here) && self.is_later(listed) => {
                    later = later.saturating_add(1);
                }
                None if matters(listed, here) => {
                    let detail = format!("{} is not here", told(listed));
                    self.finding(Kind::EventMissing, id, None, detail);
                    self.import(Listing::Events, id, listed);
                }
                None => unneeded = unneeded.saturating_add(1),
                Some(known) if known.content == listed.delivery.content => {}
                Some(known) if says_the_same((log, ledger), known, listed, (lists, here))? => {
                    reworded = reworded.saturating_add(1);
                }
                Some(known) => {
                    let detail = format!("{} says something else here", told(listed));
                    self.finding(Kind::EventDiffers, id, Some(known.sequence), detail);
                }
            }
        }
        let detail = "listed events that no balance needs and whose type never arrived";
        self.note("events-not-needed", unneeded, detail);
        let detail = "events whose bytes differ from the list's and which say the same of credits";
        self.note("events-reworded", reworded, detail);
        let detail = "events that are not here and happened after the last record, or shortly \
                      before it: the log, or the backup of it, ends too early to say; if they are \
                      older than the backup, they never arrived";
        self.note("events-later", later, detail);
        self.ends_early(lists);
        Ok(())
    }

    /// Whether the lists go on so long after the last record that it must be said.
    fn ends_early(&mut self, lists: &Lists<'_>) {
        let (Some((_, last)), Some(until)) = (range(lists), self.until) else { return };
        let ahead = last.micros().saturating_sub(until.micros());
        let most = LIST_AHEAD_SECONDS.saturating_add(ON_ITS_WAY_SECONDS).saturating_mul(1_000_000);
        if ahead > most {
            let detail = format!(
                "the list goes on to {last}, more than an hour after the last record: take a new \
                 backup and ask again; if that ends early too, webhooks do not come in any more"
            );
            self.finding(Kind::LogEndsEarly, &last.to_string(), None, detail);
        }
    }

    fn unlisted_events(
        &mut self,
        lists: &Lists<'_>,
        here: &Here,
        range: Option<(Timestamp, Timestamp)>,
    ) {
        let Some((first, last)) = range else { return };
        let listed_since = last.days_before(LISTED_DAYS);
        let mut unknowable = 0_u64;
        for (id, known) in here.events.iter().filter(|(id, _)| !lists.events.contains_key(*id)) {
            let Some(at) = known.occurred_at.filter(|at| (first..=last).contains(at)) else {
                continue;
            };
            // The simulator's events are in no list.
            if known.reality == Reality::Simulated {
                continue;
            }
            if at < listed_since {
                unknowable = unknowable.saturating_add(1);
                continue;
            }
            let detail = format!("happened at {at}, between listed events, and is not listed");
            self.finding(Kind::EventUnlisted, id, Some(known.sequence), detail);
        }
        let detail = "events here that are older than the provider lists: nothing can be said";
        self.note("events-too-old", unknowable, detail);
    }

    /// Says which types never arrive: a destination that was never subscribed to them is silent.
    fn types(&mut self, lists: &Lists<'_>, here: &Here) -> Vec<TypeSeen> {
        let mut listed: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
        for entry in lists.events.values() {
            let Some(kind) = &entry.delivery.event_type else { continue };
            let (number, needed) = listed.entry(kind).or_default();
            *number = number.saturating_add(1);
            *needed |= needed_for_balances(entry) && !self.is_later(entry);
        }
        for (kind, (number, needed)) in &listed {
            if *needed && !here.arrived.contains_key(*kind) {
                let detail = format!(
                    "{number} listed and none ever arrived: is the destination subscribed to it?"
                );
                self.finding(Kind::TypeNeverArrives, kind, None, detail);
            }
        }
        self.adjustments_never_arrive(lists, here);
        let names: BTreeSet<&str> =
            listed.keys().copied().chain(here.arrived.keys().map(String::as_str)).collect();
        let seen = |name: &str| TypeSeen {
            event_type: name.to_owned(),
            listed: listed.get(name).map_or(0, |(number, _)| *number),
            arrived: here.arrived.get(name).copied().unwrap_or(0),
        };
        names.into_iter().map(seen).collect()
    }

    /// The most dangerous silence: refunds and chargebacks happen and nobody hears of them.
    fn adjustments_never_arrive(&mut self, lists: &Lists<'_>, here: &Here) {
        let tells = |kind: &String| kind.starts_with(ADJUSTMENTS);
        if here.arrived.keys().any(tells) || here.payments.is_empty() {
            return;
        }
        let number = lists.adjustments.values().filter(|listed| !self.is_later(listed)).count();
        if number > 0 {
            let detail = format!(
                "{number} adjustments are listed and no event of one ever arrived: is the \
                 destination subscribed to adjustment.created and adjustment.updated?"
            );
            self.finding(Kind::TypeNeverArrives, "adjustment.*", None, detail);
        } else {
            let detail = "payments are here and no event of an adjustment ever arrived: look \
                          whether the destination is subscribed to adjustment.created and \
                          adjustment.updated";
            self.note("adjustments-never-arrived", count(here.payments.len()), detail);
        }
    }

    fn unfinished(&mut self, lists: &Lists<'_>) {
        let detail = "lists of which every page says that others follow: what those have is not \
                      known";
        self.note("lists-unfinished", lists.unfinished(), detail);
    }
}

/// Whether an event that is not here should be: balances need it, or others of its type arrive.
fn matters(listed: &Listed, here: &Here) -> bool {
    let arrives = |kind: &str| here.arrived.contains_key(kind);
    needed_for_balances(listed) || listed.delivery.event_type.as_deref().is_some_and(arrives)
}

fn needed_for_balances(listed: &Listed) -> bool {
    match &listed.delivery.notice {
        Ok(Notice::Purchase(purchase)) => match &purchase.progress {
            Progress::Paid(_) | Progress::Completed(_) => true,
            Progress::Unpaid(_) => false,
        },
        Ok(Notice::Adjustment(_)) | Err(_) => true,
        Ok(Notice::Nothing) => false,
    }
}

/// Whether a recorded event tells the same facts, though its bytes differ: read as the settings of
/// then have it, for the account that an event names may be looked for elsewhere today.
fn says_the_same(
    (log, ledger): (&dyn EventLog, &LedgerId),
    known: &Known,
    listed: &Listed,
    (lists, here): (&Lists<'_>, &Here),
) -> Result<bool, ReadError> {
    let Some(recorded) = log.read(ledger, known.sequence)? else { return Ok(false) };
    let Input::Delivery(delivery) = &recorded.record().input else { return Ok(false) };
    let of_then = here.account_from(known.sequence).map(|from| lists.read_by(from, listed));
    let listed = of_then.as_ref().unwrap_or(&listed.delivery);
    Ok(delivery.notice.is_ok()
        && delivery.notice == listed.notice
        && delivery.event_type == listed.event_type
        && delivery.occurred_at == listed.occurred_at)
}

/// An event for a person: its type, when it happened, and of which payment it tells.
fn told(listed: &Listed) -> String {
    let delivery = &listed.delivery;
    let kind = delivery.event_type.as_deref().unwrap_or("an event");
    let at = delivery.occurred_at.map(|at| format!(" of {at}")).unwrap_or_default();
    let about = delivery.notice.as_ref().ok().and_then(payment_of);
    let about = about.map(|payment| format!(" about {payment}")).unwrap_or_default();
    format!("{kind}{at}{about}")
}
