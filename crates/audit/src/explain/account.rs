//! An account's balance, taken apart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
use event_store::{
    log::{ReadError, Recorded},
    search::{Looked, search},
};

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

/// Up to so many names are searched for, which costs less than decoding all records; with more, all
/// are decoded.
const SEARCHED_MAX: usize = 32;

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
            fold.all(place, &all)?
                .map_err(|Unexplained { at }| ExplainError::Unexplained { at })?;
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
    sources: BTreeMap<HoldingId, Source>,
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
        let granted = record.decision.effects.iter().filter_map(granted_to);
        for holding in granted.collect::<BTreeSet<_>>() {
            if self.lots.holdings.contains_key(holding) {
                let known = self.sources.remove(holding);
                let source = Source::of(record, holding, place).after(known);
                self.sources.insert(holding.clone(), source);
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

pub(super) fn line(id: &HoldingId, traced: &Traced, adds: Sums, source: Option<Source>) -> LotLine {
    let none = || Source { from: words::holding(id), conversion: None };
    let Source { from, conversion } = source.unwrap_or_else(none);
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

/// Where lots come from, as the records say that granted them.
pub(super) struct Source {
    /// In words.
    from: String,
    conversion: Option<Conversion>,
}

impl Source {
    /// As one record says.
    pub(super) fn of(record: &Record, holding: &HoldingId, place: &Place<'_>) -> Self {
        let conversion =
            payment_behind(holding).and_then(|_| Conversion::of(record, &place.policies));
        Self { from: from(record, holding), conversion }
    }

    /// With what earlier records say, to which this one is a correction.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        let Some(Self { from, conversion: earlier }) = earlier else { return self };
        let conversion = match (earlier, self.conversion) {
            (Some(earlier), Some(later)) => Some(later.after(&earlier)),
            (earlier, later) => later.or(earlier),
        };
        Self { from, conversion }
    }
}

fn from(record: &Record, holding: &HoldingId) -> String {
    let words = words::holding(holding);
    if let Input::Command(command) = &record.input
        && let Order::Grant { reason, label, .. } = &command.order
    {
        let label = label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
        return format!("{words}{label} by {}: {reason}", command.actor);
    }
    words
}

/// The lots whose grant an effect changes.
pub(super) const fn granted_to(effect: &Effect) -> Option<&HoldingId> {
    if let Effect::Granted { lot, .. } = effect { Some(&lot.holding) } else { None }
}

/// The records that change something of an account's lots and nothing of its balance: in the times
/// in which its credits were frozen, and everywhere where the others do not explain the balance.
fn hidden(place: &Place<'_>, lots: &Lots, everywhere: bool) -> Result<Vec<Sequence>, ReadError> {
    let Some(last) = place.last else { return Ok(Vec::new()) };
    // Providers name its payments, its own commands name the account.
    let payments = lots.holdings.keys().filter_map(payment_behind);
    let payments = payments.map(|payment| payment.id.as_str().as_bytes());
    let mut needles: Vec<&[u8]> = payments.chain([lots.account.as_str().as_bytes()]).collect();
    if needles.len() > SEARCHED_MAX {
        needles = vec![b""];
    }
    let whole = [(Sequence::FIRST, Some(last))];
    let times = if everywhere { &whole[..] } else { &lots.frozen };
    let pick = |recorded: &Recorded| {
        let record = recorded.record();
        moves(record, lots).then_some(record.sequence)
    };
    let mut found = Vec::new();
    for (first, end) in times {
        let after = Sequence::new(first.get().saturating_sub(1));
        let last = end.map_or(last, |end| end.min(last));
        let looked = Looked { ledger: place.ledger, needles: &needles, after, last };
        search(place.log, looked, pick, |_, part| found.extend(part))?;
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
