//! An account's balance, taken apart.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroUsize,
    thread,
};

use domain::{
    account::View,
    apply::fold_view,
    decision::Effect,
    holding::HoldingId,
    ids::{AccountId, Sequence},
    input::{Input, Order},
    record::Record,
    time::Timestamp,
};
use event_store::log::{ReadError, Recorded};

use super::{
    ExplainError, Place, Step,
    lots::{Lots, Move, Traced, Unexplained, Why},
    words,
};
use crate::{
    conversion::Conversion,
    history::{self, Blocks},
    names::payment_behind,
    sums::{Sum, Sums},
};

/// How many records are read at once where all are looked at.
const RECORDS_AT_ONCE: usize = 1_024;

/// Up to so many names are searched for, each some ten times faster than looking at the records;
/// with more, all records are looked at once.
const SEARCHED_MAX: usize = 8;

/// An account's balance with all that it consists of.
#[derive(Clone, Debug)]
pub struct AccountStory {
    /// The account.
    pub account: AccountId,
    /// What anyone with the right may see of it.
    pub view: View,
    /// Its balance, summed from the transfers.
    pub balance: Sums,
    /// What freezes it, in words.
    pub freezes: Vec<String>,
    /// The lots that add to the balance, oldest first; what they add comes to the balance.
    pub lots: Vec<LotLine>,
    /// How many lots add nothing any more, and what moved in them.
    pub spent: (u64, BTreeMap<Why, Sum>),
    /// The records before those that are shown.
    pub earlier: Earlier,
    /// The newest records that changed it, oldest first.
    pub steps: Vec<Step>,
    /// What each of these moved in the account.
    pub moved: Vec<Sums>,
}

/// The records that are not shown.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// How many there are.
    pub records: u64,
    /// What they moved in the account.
    pub moved: Sums,
}

/// Lots of one payment, grant or overdraft.
#[derive(Clone, Debug)]
pub struct LotLine {
    /// Its id.
    pub id: HoldingId,
    /// Where it comes from, in words.
    pub from: String,
    /// How old it is.
    pub since: Timestamp,
    /// The record that opened it.
    pub opened: Sequence,
    /// How money became its credits.
    pub conversion: Option<Conversion>,
    /// What moved in it; comes to what it adds: available + held - owed - written off.
    pub moves: BTreeMap<Why, Move>,
    /// Of what is held: reserved by holds.
    pub reserved: Sum,
    /// What awaits a decision on a refund, at most what is left.
    pub awaited: Sum,
    /// What it adds to the balance.
    pub adds: Sums,
}

/// Explains an account that has a record.
pub(super) fn story(
    place: &Place<'_>,
    account: &AccountId,
    steps_max: usize,
) -> Result<AccountStory, ExplainError> {
    let own = history::sequences(place.log, place.ledger, account)?;
    let mut fold = Fold::new(account, steps_max);
    let first = fold.all(place, &own)?;
    if first.is_err() || !fold.lots.frozen.is_empty() {
        // What changes nothing for the time being is in no index: find it and fold again.
        let hidden = hidden(place, &fold.lots, first.is_err())?;
        if !hidden.is_empty() || first.is_err() {
            let all: BTreeSet<Sequence> = own.iter().copied().chain(hidden).collect();
            let all: Vec<Sequence> = all.into_iter().collect();
            fold = Fold::new(account, steps_max);
            fold.all(place, &all)?.map_err(|Unexplained { at }| ExplainError::Unexplained {
                account: account.to_string(),
                at,
            })?;
        }
    }
    Ok(fold.story(place))
}

/// An account's records as they are folded.
struct Fold<'a> {
    account: &'a AccountId,
    steps_max: usize,
    lots: Lots,
    view: View,
    sources: BTreeMap<HoldingId, (String, Option<Conversion>)>,
    newest: VecDeque<(Recorded, Sums)>,
    earlier: Earlier,
}

impl<'a> Fold<'a> {
    fn new(account: &'a AccountId, steps_max: usize) -> Self {
        Self {
            account,
            steps_max,
            lots: Lots::new(account.clone()),
            view: View::NEW,
            sources: BTreeMap::new(),
            newest: VecDeque::new(),
            earlier: Earlier { records: 0, moved: Sums::ZERO },
        }
    }

    /// Folds the records with these rising sequences, as far as they are known.
    fn all(
        &mut self,
        place: &Place<'_>,
        sequences: &[Sequence],
    ) -> Result<Result<(), Unexplained>, ReadError> {
        let mut blocks = Blocks::new(place.log, place.ledger);
        for sequence in sequences {
            let recorded = blocks.read(*sequence)?;
            if !place.cut.knows(recorded.record()) {
                break;
            }
            if let Err(unexplained) = self.take(place, recorded) {
                return Ok(Err(unexplained));
            }
        }
        Ok(Ok(()))
    }

    fn take(&mut self, place: &Place<'_>, recorded: &Recorded) -> Result<(), Unexplained> {
        let record = recorded.record();
        let unexplained = Unexplained { at: record.sequence };
        fold_view(&mut self.view, self.account, record).map_err(|_| unexplained)?;
        self.lots.take(record)?;
        for effect in &record.decision.effects {
            if let Effect::Granted { lot, amount } = effect
                && amount.is_positive()
                && self.lots.holdings.contains_key(&lot.holding)
            {
                let source = || (source(record, &lot.holding), None);
                let known = self.sources.entry(lot.holding.clone()).or_insert_with(source);
                known.1 = Conversion::of(record, &place.policies)
                    .filter(|_| payment_behind(&lot.holding).is_some())
                    .or_else(|| known.1.take());
            }
        }
        let moved = Sums::moved(self.account, &record.decision.transfers);
        self.newest.push_back((recorded.clone(), moved));
        if self.newest.len() > self.steps_max
            && let Some((_, moved)) = self.newest.pop_front()
        {
            self.earlier.records = self.earlier.records.saturating_add(1);
            self.earlier.moved = self.earlier.moved.plus(&moved);
        }
        Ok(())
    }

    fn story(mut self, place: &Place<'_>) -> AccountStory {
        let mut spent = (0_u64, BTreeMap::new());
        let mut lines = Vec::new();
        for (id, traced) in &self.lots.holdings {
            let adds = self.lots.adds(traced);
            if adds.is_zero() {
                spent.0 = spent.0.saturating_add(1);
                for (why, moved) in &traced.moves {
                    let sum = spent.1.entry(*why).or_insert(Sum::ZERO);
                    *sum = sum.plus(moved.amount);
                }
            } else {
                lines.push(line(id, traced, adds, self.sources.remove(id)));
            }
        }
        lines.sort_by_key(|line| (line.since, line.opened));
        let (newest, moved): (Vec<Recorded>, Vec<Sums>) = self.newest.into_iter().unzip();
        AccountStory {
            account: self.account.clone(),
            freezes: self.view.freezes.values().map(words::frozen).collect(),
            balance: self.lots.balance,
            view: self.view,
            lots: lines,
            spent,
            earlier: self.earlier,
            steps: newest.iter().map(|recorded| Step::of(recorded, &place.policies)).collect(),
            moved,
        }
    }
}

pub(super) fn line(
    id: &HoldingId,
    traced: &Traced,
    adds: Sums,
    source: Option<(String, Option<Conversion>)>,
) -> LotLine {
    let (from, conversion) = source.unwrap_or_else(|| (words::holding(id), None));
    let holding = &traced.holding;
    let reserved = Sum::of(holding.paid.reserved).plus(Sum::of(holding.gift.reserved));
    let awaited = Sum::of(holding.awaited.paid).plus(Sum::of(holding.awaited.gift));
    let left = adds.available().plus(adds.held).minus(reserved);
    LotLine {
        id: id.clone(),
        from,
        since: holding.terms.since,
        opened: traced.opened,
        conversion,
        moves: traced.moves.clone(),
        reserved,
        awaited: awaited.min(left),
        adds,
    }
}

/// Where lots come from, as the record says that granted them.
pub(super) fn source(record: &Record, holding: &HoldingId) -> String {
    let words = words::holding(holding);
    if let Input::Command(command) = &record.input
        && let Order::Grant { reason, label, .. } = &command.order
    {
        let label = label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
        return format!("{words}{label} by {}: {reason}", command.actor);
    }
    words
}

/// The records that change something of an account's lots and nothing of its balance: in the times
/// in which its credits were frozen, and everywhere where the others do not explain the balance.
fn hidden(place: &Place<'_>, lots: &Lots, everywhere: bool) -> Result<Vec<Sequence>, ReadError> {
    let Some(head) = place.log.head(place.ledger) else { return Ok(Vec::new()) };
    let whole = [(Sequence::FIRST, Some(head.sequence))];
    let times = if everywhere { &whole[..] } else { &lots.frozen };
    let mut found = Vec::new();
    for (first, last) in times {
        let last = last.unwrap_or(head.sequence);
        found.extend(shared(first.get().saturating_sub(1), last.get(), |after, last| {
            within(place, lots, after, last)
        })?);
    }
    Ok(found)
}

/// Gives each thread a part of the records after one up to another, and puts together what they
/// find.
fn shared(
    after: u64,
    last: u64,
    find: impl Fn(Option<Sequence>, Sequence) -> Result<Vec<Sequence>, ReadError> + Sync,
) -> Result<Vec<Sequence>, ReadError> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = u64::try_from(threads).unwrap_or(1);
    let size = last.saturating_sub(after).div_ceil(threads).max(1);
    thread::scope(|scope| {
        let find = &find;
        let starts = (0..threads).map(|part| after.saturating_add(part.saturating_mul(size)));
        let parts = starts.filter(|start| *start < last).map(|start| {
            let end = Sequence::new(start.saturating_add(size).min(last));
            scope.spawn(move || find(Sequence::new(start), end.unwrap_or(Sequence::FIRST)))
        });
        let parts: Vec<_> = parts.collect();
        let mut found = Vec::new();
        for part in parts {
            let part = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found.extend(part?);
        }
        Ok(found)
    })
}

/// The records after one up to another that change one of the lots.
fn within(
    place: &Place<'_>,
    lots: &Lots,
    after: Option<Sequence>,
    last: Sequence,
) -> Result<Vec<Sequence>, ReadError> {
    // Providers name its payments, its own commands name the account.
    let payments = lots.holdings.keys().filter_map(payment_behind);
    let payments = payments.map(|payment| payment.id.as_str());
    let names: Vec<&str> = payments.chain([lots.account.as_str()]).collect();
    let mut found = Vec::new();
    let mut keep = |records: &[Recorded]| {
        let records = records.iter().map(Recorded::record);
        let own = records.filter(|record| record.sequence <= last && moves(record, lots));
        found.extend(own.map(|record| record.sequence));
    };
    if names.len() <= SEARCHED_MAX {
        for name in names {
            keep(&place.log.search(place.ledger, name.as_bytes(), after, last)?);
        }
        return Ok(found);
    }
    let mut after = after;
    while after < Some(last) {
        let records = place.log.scan(place.ledger, after, RECORDS_AT_ONCE)?;
        let Some(end) = records.last() else { break };
        after = Some(end.record().sequence);
        keep(&records);
    }
    Ok(found)
}

/// Whether a record changes one of the lots.
fn moves(record: &Record, lots: &Lots) -> bool {
    let own = |effect: &Effect| {
        effect.holding().is_some_and(|holding| lots.holdings.contains_key(holding))
    };
    record.decision.effects.iter().any(own)
}
