//! What accounts owe, by how long they have owed it.
//!
//! What is paid, returned or written off goes off an account's oldest debt first. What one record
//! moves in both directions counts as its difference, so that a debt which only changes hands among
//! an account's lots does not become young again.
//!
//! Debts by age add up from transfers. What they are held against follows from each account's lots,
//! which fold from effects.

use std::collections::BTreeMap;

use domain::{
    decision::{CreditBook, Section as Book, Transfer},
    ids::AccountId,
    time::Timestamp,
};

use super::{
    Told,
    age::{Age, days},
    amount::Amount,
    layout::{Block, Cell, Chart, Section, Series, Shape, Table},
};
use crate::lots::Moved;

/// What a report of receivables keeps.
#[derive(Default)]
pub(super) struct Receivables {
    accounts: BTreeMap<AccountId, Debts>,
}

/// What an account came to owe, and what went off it.
#[derive(Default)]
struct Debts {
    /// By the moment that it arose; a moment may be earlier than one that was known before.
    arisen: BTreeMap<Timestamp, i128>,
    fallen: i128,
    /// What follows from its lots.
    lots: i128,
}

impl Receivables {
    /// Takes in what a record that counts posted, and what its effects come to.
    pub(super) fn add(&mut self, transfers: &[Transfer], lots: &Moved, at: Timestamp) {
        let mut moved: BTreeMap<&AccountId, i128> = BTreeMap::new();
        for transfer in transfers {
            let Transfer::Credits { debit, credit, amount } = transfer else { continue };
            let amount = amount.billionths();
            for (book, amount) in [(debit, amount), (credit, -amount)] {
                if let CreditBook::Customer(account, Book::Owed) = book {
                    *moved.entry(account).or_default() += amount;
                }
            }
        }
        for (account, sums) in lots.iter().filter(|(_, sums)| !sums.owed.is_zero()) {
            self.debts(account).lots += sums.owed.billionths();
        }
        for (account, amount) in moved {
            let debts = self.debts(account);
            match amount {
                0 => {}
                1.. => *debts.arisen.entry(at).or_default() += amount,
                ..0 => debts.fallen -= amount,
            }
        }
    }

    fn debts(&mut self, account: &AccountId) -> &mut Debts {
        self.accounts.entry(account.clone()).or_default()
    }

    pub(super) fn told(self, now: Timestamp) -> Told {
        let mut columns = vec![("account", "Account")];
        columns.extend(Age::COLUMNS);
        columns.extend([("total", "Total"), ("oldest", "Oldest"), ("days", "Days")]);
        let mut table = Table::new("receivables", &columns);
        let mut all = ByAge::default();
        let mut check = Check::new();
        for (account, debts) in &self.accounts {
            let (ages, oldest) = debts.by_age(now);
            check.add(account, debts.lots, ages.sum());
            if ages.sum() == 0 {
                continue;
            }
            let mut cells = vec![Cell::text(account.as_str())];
            cells.extend(ages.cells());
            cells.push(Cell::optional(oldest.map(|oldest| oldest.to_string())));
            cells.push(oldest.map_or(Cell::Empty, |oldest| days(oldest, now).into()));
            table.line(cells);
            all.add(&ages);
        }
        let mut cells = vec![Cell::text("Total")];
        cells.extend(all.cells());
        cells.extend([Cell::Empty, Cell::Empty]);
        table.total(cells);
        let differs = check.differs;
        let sections = vec![
            Section::new("By age", vec![Block::Chart(all.chart())]),
            Section::new(
                "By account",
                vec![
                    Block::words(
                        "Credits that accounts owe, by how long. What is paid, returned or \
                         written off goes off an account's oldest debt first. Days are whole days \
                         of 24 hours.",
                    ),
                    Block::Table(table),
                ],
            ),
            check.section(),
        ];
        Told { sections, differs }
    }
}

/// Debts by age, account by account held against what follows from the lots.
struct Check {
    table: Table,
    lots: i128,
    by_age: i128,
    differs: bool,
}

impl Check {
    fn new() -> Self {
        let columns = [
            ("account", "Account"),
            ("lots", "By the lots"),
            ("by_age", "By age"),
            ("difference", "Difference"),
        ];
        Self { table: Table::new("check", &columns), lots: 0, by_age: 0, differs: false }
    }

    fn add(&mut self, account: &AccountId, lots: i128, by_age: i128) {
        self.lots += lots;
        self.by_age += by_age;
        if lots != by_age {
            self.differs = true;
            self.table.line(checked(account.as_str(), lots, by_age));
        }
    }

    fn section(mut self) -> Section {
        self.table.total(checked("All", self.lots, self.by_age));
        let words = "What accounts owe by what records posted, and by what follows from what \
                     records did to lots. An account with a difference has a line of its own.";
        Section::new("Check", vec![Block::words(words), Block::Table(self.table)])
    }
}

fn checked(name: &str, lots: i128, by_age: i128) -> Vec<Cell> {
    let sums = [lots, by_age, lots - by_age].map(|sum| Amount::of_billionths(sum).into());
    [Cell::text(name)].into_iter().chain(sums).collect()
}

impl Debts {
    /// What is left of the debts by age, and since when the oldest of them is.
    fn by_age(&self, now: Timestamp) -> (ByAge, Option<Timestamp>) {
        let (mut ages, mut oldest, mut fallen) = (ByAge::default(), None, self.fallen);
        for (since, arisen) in &self.arisen {
            let gone = fallen.min(*arisen);
            fallen -= gone;
            let left = arisen - gone;
            if left > 0 {
                oldest = oldest.or(Some(*since));
                *ages.0.entry(Age::of(*since, now)).or_default() += left;
            }
        }
        // More went off than arose: only where the cut leaves out what arose.
        if fallen > 0 {
            *ages.0.entry(Age::To30).or_default() -= fallen;
        }
        (ages, oldest)
    }
}

/// Billionths by age.
#[derive(Default)]
struct ByAge(BTreeMap<Age, i128>);

impl ByAge {
    fn add(&mut self, other: &Self) {
        for (age, amount) in &other.0 {
            *self.0.entry(*age).or_default() += amount;
        }
    }

    fn of(&self, age: Age) -> Amount {
        Amount::of_billionths(self.0.get(&age).copied().unwrap_or(0))
    }

    fn sum(&self) -> i128 {
        self.0.values().sum()
    }

    /// The four classes and their sum.
    fn cells(&self) -> Vec<Cell> {
        let ages = Age::ALL.map(|age| Cell::from(self.of(age)));
        ages.into_iter().chain([Amount::of_billionths(self.sum()).into()]).collect()
    }

    fn chart(&self) -> Chart {
        Chart {
            title: "Credits owed, by age".to_owned(),
            shape: Shape::Bars,
            labels: Age::ALL.map(|age| age.name().to_owned()).into(),
            series: vec![Series {
                name: "Owed".to_owned(),
                values: Age::ALL.map(|age| self.of(age)).into(),
            }],
        }
    }
}
