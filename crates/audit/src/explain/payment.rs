//! A payment: what was paid, what it granted and what became of that.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    decision::Effect,
    holding::HoldingId,
    ids::{AccountId, PaymentKey, Sequence},
    money::Currency,
};

use super::{
    ExplainError, LotLine, Place, Step,
    account::{Source, granted_to, line},
    lots::{Lots, Unexplained},
};
use crate::{as_of, history::Blocks, lots::all_held, reports::amount::Amount};

/// A payment with all that is recorded of it.
#[derive(Clone, Debug)]
pub struct PaymentStory {
    /// The payment.
    pub key: PaymentKey,
    /// Whose it is; none while nobody's.
    pub account: Option<AccountId>,
    /// The money that came in for credits, and what of it went back, by currency.
    pub money: BTreeMap<Currency, (Amount, Amount)>,
    /// Its lots; none where it granted nothing.
    pub lots: Option<LotLine>,
    /// How many records about it are not shown, before those that are.
    pub earlier: u64,
    /// The newest records about it, oldest first.
    pub steps: Vec<Step>,
}

/// Explains a payment from all records that are about it.
pub(super) fn story(
    place: &Place<'_>,
    key: &PaymentKey,
    records: &[Sequence],
    steps_max: usize,
) -> Result<PaymentStory, ExplainError> {
    let id = HoldingId::Payment(key.clone());
    let mut lots: Option<Lots> = None;
    let (mut account, mut from, mut money) = (None, None::<Source>, BTreeMap::new());
    let (mut blocks, mut newest) = (Blocks::new(place.log, place.ledger), VecDeque::new());
    for sequence in records {
        let recorded = blocks.read(*sequence)?;
        let record = recorded.record();
        for effect in &record.decision.effects {
            learn(effect, key, (&mut account, &mut money));
            if let Effect::HoldingOpened { holding, terms } = effect
                && *holding == id
            {
                lots.get_or_insert_with(|| Lots::new(terms.account.clone()));
            }
        }
        if record.decision.effects.iter().any(|effect| granted_to(effect) == Some(&id)) {
            from = Some(Source::of(record, &id, place).after(from.take()));
        }
        if let Some(lots) = &mut lots {
            // These records are not all of the account, so its balance is not compared.
            lots.fold(record).map_err(|Unexplained { at }| ExplainError::Unexplained { at })?;
        }
        newest.push_back(recorded.clone());
        if newest.len() > steps_max {
            newest.pop_front();
        }
    }
    // What holds all credits of the account need not be about this payment.
    let view = match &account {
        Some(account) => as_of::account(place.log, place.ledger, account, &place.cut, u64::MAX)?,
        None => None,
    };
    let lots = lots.and_then(|lots| {
        let traced = lots.holdings.get(&id)?;
        let held = view.is_some_and(|view| view.holds_everything());
        let adds = if held { all_held(traced.adds) } else { traced.adds };
        Some(line(&id, traced, adds, from))
    });
    let earlier = records.len().saturating_sub(newest.len());
    let money = money.into_iter().map(|(currency, (received, reversed))| {
        let amount = |minor| Amount::of_minor(minor, currency);
        (currency, (amount(received), amount(reversed)))
    });
    Ok(PaymentStory {
        key: key.clone(),
        account,
        money: money.collect(),
        lots,
        earlier: u64::try_from(earlier).unwrap_or(0),
        steps: newest.iter().map(|recorded| Step::of(recorded, &place.policies)).collect(),
    })
}

/// Takes in what an effect says of the payment itself.
fn learn(
    effect: &Effect,
    key: &PaymentKey,
    (account, money): (&mut Option<AccountId>, &mut BTreeMap<Currency, (i128, i128)>),
) {
    if let Effect::PaymentAssigned { payment, account: of } = effect
        && payment == key
    {
        *account = Some(of.clone());
    }
    if let Effect::PaymentImported(import) = effect
        && import.payment == *key
    {
        *account = Some(import.account.clone());
    }
    if let Effect::MoneyMoved { payment, currency, received, reversed } = effect
        && payment == key
    {
        let known = money.entry(*currency).or_insert((0, 0));
        known.0 = known.0.saturating_add(i128::from(received.get()));
        known.1 = known.1.saturating_add(i128::from(reversed.get()));
    }
}
