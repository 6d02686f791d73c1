//! What accounts owe, by how long they have owed it.
//!
//! What is paid, returned or written off goes off an account's oldest debt first. What one record
//! moves in both directions counts as its difference, so that a debt which only changes hands among
//! an account's lots does not become young again.

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

/// What a report of receivables keeps.
#[derive(Default)]
pub(super) struct Receivables {
    accounts: BTreeMap<AccountId, Debts>,
    /// The balance of all accounts' books of what is owed, in billionths.
    book: i128,
}

/// What an account came to owe, and what went off it.
#[derive(Default)]
struct Debts {
    /// By the moment that it arose; a moment may be earlier than one that was known before.
    arisen: BTreeMap<Timestamp, i128>,
    fallen: i128,
}

impl Receivables {
    pub(super) fn add(&mut self, transfers: &[Transfer], at: Timestamp) {
        let mut moved: BTreeMap<&AccountId, i128> = BTreeMap::new();
        for transfer in transfers {
            let Transfer::Credits { debit, credit, amount } = transfer else { continue };
            let amount = amount.billionths();
            for (book, amount) in [(debit, amount), (credit, -amount)] {
                if let CreditBook::Customer(account, Book::Owed) = book {
                    *moved.entry(account).or_default() += amount;
                    self.book += amount;
                }
            }
        }
        for (account, amount) in moved {
            let debts = match self.accounts.get_mut(account) {
                Some(debts) => debts,
                None => self.accounts.entry(account.clone()).or_default(),
            };
            match amount {
                0 => {}
                1.. => *debts.arisen.entry(at).or_default() += amount,
                ..0 => debts.fallen -= amount,
            }
        }
    }

    pub(super) fn told(self, now: Timestamp) -> Told {
        let mut columns = vec![("account", "Account")];
        columns.extend(Age::COLUMNS);
        columns.extend([("total", "Total"), ("oldest", "Oldest"), ("days", "Days")]);
        let mut table = Table::new("receivables", &columns);
        let mut all = ByAge::default();
        for (account, debts) in &self.accounts {
            let (ages, oldest) = debts.by_age(now);
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
        let difference = self.book - all.sum();
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
            Section::new("Check", vec![Block::Table(check(self.book, all.sum(), difference))]),
        ];
        Told { sections, differs: difference != 0 }
    }
}

fn check(book: i128, by_age: i128, difference: i128) -> Table {
    let columns =
        [("book", "Books of what is owed"), ("by_age", "By age"), ("difference", "Difference")];
    let mut table = Table::new("check", &columns);
    table.line([book, by_age, difference].map(|sum| Amount::of_billionths(sum).into()).into());
    table
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
