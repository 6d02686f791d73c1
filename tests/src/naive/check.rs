//! What the ledger's state says, against what must be.

use std::{collections::BTreeMap, fmt::Debug};

use domain::{
    account::{Account, FreezeId},
    case,
    decision::{CreditBook, House, MoneyBook, Section},
    entities::Entities,
    holding::{self, HoldingId, Lot},
    ids::{AccountId, OperationId},
    money::Currency,
    policy::Measures,
    state::State,
    time::Timestamp,
    usage,
};

use super::{
    Both,
    cases::Case,
    effects::both,
    ledger::{Ledger, Shown, follows_facts},
    lots::{Lots, Moved},
    picture::{Books, Picture, Standing},
    policy_at,
};

/// Two ways to know one thing must agree.
pub(super) fn equal<T: PartialEq + Debug>(what: &str, domain: T, naive: T) -> Result<(), String> {
    if domain == naive {
        return Ok(());
    }
    Err(format!("{what}\n  domain {domain:?}\n  naive  {naive:?}"))
}

impl Ledger {
    /// Everything that must hold between two records.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self, picture: &Picture, state: &State) -> Result<(), String> {
        self.sums(picture, state)?;
        for (id, standing) in &picture.accounts {
            let what = |what: String| format!("account {id}: {what}");
            let known = entity(state.entities.account(id)).ok_or("an account is missing")?;
            self.account((id, known), standing, picture).map_err(what)?;
        }
        for (id, lots) in &self.lots {
            let what = |what: String| format!("lots of {id}: {what}");
            let known = entity(state.entities.holding(id)).ok_or("lots are missing")?;
            check_lots((id, known), lots, picture).map_err(what)?;
        }
        for (key, paid) in &picture.payments {
            equal("exceptions whose cause holds", &self.standing(key), &paid.exceptions)?;
        }
        for (id, hold) in &self.holds {
            let known = entity(state.entities.hold(id)).ok_or("a hold is missing")?;
            equal("hold", (known.ended, known.expires_at), (hold.ended, hold.expires_at))?;
            equal("reserved", &parts(&known.reserved), &hold.reserved)?;
            equal("sum of a hold", known.amount.billionths(), hold.amount)?;
        }
        for (id, debit) in &self.debits {
            let known = entity(state.entities.debit(id)).ok_or("a debit is missing")?;
            let returned = known.returned.map(|amount| amount.billionths());
            equal("debit", (known.amount.billionths(), returned), (debit.amount, debit.returned))?;
            equal("drawn", &parts(&known.drawn), &debit.drawn)?;
        }
        for (id, case) in &self.cases {
            let known = entity(state.entities.case(id)).ok_or("a case is missing")?;
            self.case((id, known), case).map_err(|what| format!("case {id}: {what}"))?;
        }
        self.filed(&state.entities)
    }

    /// Rule 12: every asset sums to zero, and the house's books say what was issued.
    fn sums(&self, picture: &Picture, state: &State) -> Result<(), String> {
        equal("sum of all credits", self.credits.values().sum::<i128>(), 0)?;
        let mut money: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut receipts: BTreeMap<Currency, i128> = BTreeMap::new();
        for ((currency, book), balance) in &self.money {
            *money.entry(*currency).or_default() += balance;
            if *book == MoneyBook::Receipts {
                *receipts.entry(*currency).or_default() += balance;
            }
        }
        for paid in picture.payments.values() {
            if let (Some(basket), Some(_)) = (&paid.basket, &paid.account) {
                *receipts.entry(basket.currency).or_default() -= paid.money.0 - paid.money.1;
            }
        }
        money.retain(|_, sum| *sum != 0);
        receipts.retain(|_, sum| *sum != 0);
        equal("sum of money by currency", money, BTreeMap::new())?;
        equal("receipts less what was paid", receipts, BTreeMap::new())?;

        let customers = self.credits.iter().filter(|(book, _)| book.customer().is_some());
        equal("customers", state.book.customers, customers.map(|(_, sum)| *sum).sum::<i128>())?;
        let paid = |of: &dyn Fn(&super::Entitled) -> i128| -> i128 {
            picture.payments.values().map(of).sum()
        };
        let grants: i128 = self.lots.values().map(|lots| lots.granted.sum()).sum();
        let used: i128 =
            self.debits.values().map(|one| one.amount - one.returned.unwrap_or(0)).sum();
        for (house, wanted) in [
            (House::Sold, -paid(&|paid| paid.granted.paid)),
            (House::Given, -paid(&|paid| paid.granted.gift) - grants),
            (House::Used, used + paid(&|paid| paid.used_before.sum())),
            (House::Returned, paid(&|paid| paid.refunded.sum())),
            (House::ChargedBack, paid(&|paid| paid.taken.minus(paid.refunded).sum())),
        ] {
            let balance = self.credits.get(&CreditBook::House(house)).copied().unwrap_or(0);
            equal(&format!("house's {house:?}"), balance, wanted)?;
            let kept = state.book.house.get(&house).copied().unwrap_or(0);
            equal(&format!("house's {house:?} in the book"), kept, balance)?;
        }
        Ok(())
    }

    fn account(
        &self,
        (id, known): (&AccountId, &Account),
        standing: &Standing,
        picture: &Picture,
    ) -> Result<(), String> {
        let moved = |section| {
            let book = CreditBook::Customer(id.clone(), section);
            self.credits.get(&book).copied().unwrap_or(0)
        };
        let by_transfers = Books {
            free: Both { paid: moved(Section::Paid), gift: moved(Section::Gift) },
            held: moved(Section::Held),
            owed: -moved(Section::Owed),
            written_off: -moved(Section::WrittenOff),
        };
        let view = &known.view;
        let free = Both { paid: view.books.paid.billionths(), gift: view.books.gift.billionths() };
        let shown = Books {
            free,
            held: view.books.held.billionths(),
            owed: view.books.owed.billionths(),
            written_off: view.books.written_off.billionths(),
        };
        equal("books by transfers", by_transfers, standing.books)?;
        equal("books shown", shown, standing.books)?;
        equal("left and right side", standing.books.left_side(), standing.right_side)?;
        let parts = [free.paid, free.gift, shown.held, shown.owed, shown.written_off];
        equal("a part below zero", parts.into_iter().any(|part| part < 0), false)?;

        let freezes: BTreeMap<FreezeId, (Timestamp, Measures)> = view
            .freezes
            .iter()
            .map(|(id, freeze)| (id.clone(), (freeze.since, freeze.measures)))
            .collect();
        equal("freezes", &freezes, &standing.freezes)?;
        equal("closed", view.closed, standing.closed)?;
        equal("status", view.status(), standing.status())?;
        let filed = picture.payments.iter().filter_map(|(key, paid)| {
            let own = paid.account.as_ref() == Some(id);
            Some((key.clone(), paid.charged_back_at.filter(|_| own)?))
        });
        equal("chargebacks", &known.chargebacks, &filed.collect::<BTreeMap<_, _>>())?;
        let settled_at = view.sequence == self.last();
        let now = self.recorded_at;
        let settles = now.is_some_and(|now| policy_at(&self.policies, now).settle_owed);
        if settled_at && settles && shown.owed > 0 && shown.free.paid > 0 {
            return Err(format!("owes {} and has {} free", shown.owed, shown.free.paid));
        }
        Ok(())
    }

    fn case(&self, (id, known): (&OperationId, &case::Case), case: &Case) -> Result<(), String> {
        equal("status", &known.status, &case.status)?;
        equal("policy", known.policy, case.policy)?;
        equal("application", &known.application, &case.application)?;
        let quote = &known.quote;
        let lines: Vec<_> =
            quote.lines.iter().map(|line| (line.what, i128::from(line.amount.get()))).collect();
        equal("lines of the quote", &lines, &case.lines)?;
        equal("quoted money", i128::from(quote.money.get()), case.money)?;
        equal("quoted credits", both(quote.credits), case.credits)?;
        let told = self.payments.get(&case.payment).ok_or("its payment is unknown")?;
        let claim = told.claims.get(id).ok_or("its claim is unknown")?;
        equal("money that must come back", i128::from(known.claim.money.get()), claim.money)?;
        equal("applicant", &known.claim.account, &claim.account)?;
        equal("opened", known.claim.opened_at, claim.opened_at)?;
        equal("refunds before", &known.claim.earlier, &claim.earlier)?;
        equal("own refunds", &known.claim.own, &claim.own)?;
        let ended = known.claim.ended.map(|(at, how)| (at, how == case::ClaimEnd::Refunded));
        equal("end of the claim", ended, claim.ended)
    }

    fn filed(&self, entities: &Entities) -> Result<(), String> {
        for (id, shown) in &self.shown {
            let known = entity(entities.exception(id)).ok_or("an exception is missing")?;
            let Shown { exception, ended, stands } = shown;
            equal("exception", &known.exception, exception)?;
            let by = known.ended.map(|ended| (ended.sequence, ended.by));
            equal("end of an exception", by, *ended)?;
            if follows_facts(id.kind) {
                equal("an exception is silently gone", *stands || ended.is_some(), true)?;
            }
        }
        Ok(())
    }
}

fn check_lots(
    (id, known): (&HoldingId, &holding::Holding),
    lots: &Lots,
    picture: &Picture,
) -> Result<(), String> {
    for (lot, moved) in [(known.paid, lots.paid), (known.gift, lots.gift)] {
        equal("moved", moves(lot), moved)?;
        let parts = [moved.drawn, moved.reserved, moved.given, moved.received];
        equal("a movement below zero", parts.iter().any(|part| *part < 0), false)?;
    }
    let holding = picture.holdings.get(id).ok_or("they are not in the picture")?;
    equal("granted", both(known.granted()), holding.granted)?;
    equal("account", &known.terms.account, &lots.account)?;
    equal("age", known.terms.since, holding.since)?;
    equal("forgiven", known.forgiven.billionths(), lots.forgiven)?;
    if let HoldingId::Payment(key) = id {
        let paid = picture.payments.get(key).ok_or("their payment is unknown")?;
        equal("refunded", both(known.refunded), paid.refunded)?;
        equal("charged back", both(known.charged_back), paid.taken.minus(paid.refunded))?;
        equal("awaited", both(known.awaited), paid.awaited)?;
        let more = paid.taken.paid > paid.granted.paid || paid.taken.gift > paid.granted.gift;
        equal("more is taken than was granted", more, false)?;
    }
    let settlements = known.settlements.iter();
    let settlements: Vec<_> =
        settlements.map(|one| (one.giver.clone(), one.amount.billionths())).collect();
    equal("settlements", &settlements, &lots.settlements)?;
    let received: i128 = lots.settlements.iter().map(|(_, amount)| amount).sum();
    equal("received", lots.paid.received, received)?;
    let left = &holding.left;
    if received > 0 && left.there.sum() > 0 {
        return Err(format!("received {received} and has {} left", left.there.sum()));
    }
    // No lot has more than it was granted and received, what holds reserve apart: that was allowed
    // before a total was corrected.
    let most = holding.granted.sum() + received;
    equal("more than granted and received", left.there.sum() > most, false)
}

fn moves(lot: Lot) -> Moved {
    Moved {
        drawn: lot.drawn.billionths(),
        reserved: lot.reserved.billionths(),
        given: lot.given.billionths(),
        received: lot.received.billionths(),
    }
}

fn parts(all: &[usage::Part]) -> Vec<(holding::LotId, i128)> {
    all.iter().map(|part| (part.lot.clone(), part.amount.billionths())).collect()
}

fn entity<T>(known: Option<Option<&T>>) -> Option<&T> {
    known.flatten()
}
