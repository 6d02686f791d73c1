//! Open causes: disputes of payments and operators' freezes, by age.

use std::collections::BTreeMap;

use domain::{
    account::{Freeze, FreezeId},
    decision::Effect,
    ids::AccountId,
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
    time::Timestamp,
};

use super::{
    Told,
    age::{Age, days},
    amount::Amount,
    layout::{Block, Cell, Chart, Section, Series, Shape, Table},
};

/// The names of causes, as [`FreezeId::cause`] has them.
const CAUSES: [&str; 3] = ["warning", "chargeback", "operator"];

/// What a report of disputes keeps: the open causes.
#[derive(Default)]
pub(super) struct Disputes(BTreeMap<AccountId, BTreeMap<FreezeId, Freeze>>);

impl Disputes {
    pub(super) fn add(&mut self, effect: &Effect) {
        if let Effect::Frozen { account, freeze } = effect {
            let open = self.0.entry(account.clone()).or_default();
            open.insert(freeze.id.clone(), freeze.clone());
        } else if let Effect::Unfrozen { account, freeze } = effect
            && let Some(open) = self.0.get_mut(account)
        {
            open.remove(freeze);
            if open.is_empty() {
                self.0.remove(account);
            }
        }
    }

    pub(super) fn told(self, now: Timestamp) -> Told {
        let mut open: Vec<(&AccountId, &Freeze)> = self
            .0
            .iter()
            .flat_map(|(account, open)| open.values().map(move |freeze| (account, freeze)))
            .collect();
        // Oldest first: these wait longest.
        open.sort_by_key(|(account, freeze)| (freeze.since, *account, &freeze.id));
        let mut counts: BTreeMap<(&str, Age), u64> = BTreeMap::new();
        for (_, freeze) in &open {
            *counts.entry((freeze.id.cause(), Age::of(freeze.since, now))).or_default() += 1;
        }
        let by_age = vec![
            Block::words(
                "An age counts from when the provider says that it was filed, an operator's from \
                 when it was recorded. Days are whole days of 24 hours.",
            ),
            Block::Table(counted(&counts)),
            Block::Chart(chart(&counts)),
        ];
        let sections = vec![
            Section::new("By cause and age", by_age),
            Section::new("Open causes", vec![Block::Table(listed(&open, now))]),
        ];
        Told { sections, differs: false }
    }
}

fn counted(counts: &BTreeMap<(&str, Age), u64>) -> Table {
    let mut columns = vec![("cause", "Cause")];
    columns.extend(Age::COLUMNS);
    columns.push(("total", "Total"));
    let mut table = Table::new("disputes_by_age", &columns);
    let of = |cause, age| counts.get(&(cause, age)).copied().unwrap_or(0);
    let row = |name: &str, ages: [u64; 4]| {
        let total = ages.iter().sum::<u64>();
        let cells = ages.into_iter().chain([total]).map(Cell::Count);
        [Cell::text(name)].into_iter().chain(cells).collect::<Vec<_>>()
    };
    for cause in CAUSES {
        table.line(row(cause, Age::ALL.map(|age| of(cause, age))));
    }
    let total = Age::ALL.map(|age| CAUSES.iter().map(|cause| of(cause, age)).sum());
    table.total(row("Total", total));
    table
}

fn chart(counts: &BTreeMap<(&str, Age), u64>) -> Chart {
    let series = CAUSES.iter().map(|cause| {
        let of = |age| counts.get(&(*cause, age)).copied().unwrap_or(0);
        let values = Age::ALL.map(|age| Amount::new(of(age).into(), 0)).into();
        Series { name: (*cause).to_owned(), values }
    });
    Chart {
        title: "Open causes, by age".to_owned(),
        shape: Shape::Bars,
        labels: Age::ALL.map(|age| age.name().to_owned()).into(),
        series: series.collect(),
    }
}

fn listed(open: &[(&AccountId, &Freeze)], now: Timestamp) -> Table {
    let columns = [
        ("account", "Account"),
        ("cause", "Cause"),
        ("id", "Payment or freeze"),
        ("since", "Since"),
        ("days", "Days"),
        ("measures", "Measures"),
        ("reason", "Reason"),
    ];
    let mut table = Table::new("disputes", &columns);
    for (account, freeze) in open {
        let id = match &freeze.id {
            FreezeId::Dispute { payment, .. } => format!("{}/{}", payment.origin, payment.id),
            FreezeId::Operator(id) => id.to_string(),
        };
        table.line(vec![
            Cell::text(account.as_str()),
            Cell::text(freeze.id.cause()),
            Cell::Text(id),
            Cell::moment(freeze.since),
            days(freeze.since, now).into(),
            Cell::Text(measures(&freeze.measures)),
            Cell::optional(freeze.reason.as_ref().map(|reason| reason.as_str())),
        ]);
    }
    table
}

/// What is done, in the words of policy files; what is as always is left out.
fn measures(measures: &Measures) -> String {
    let spending = match measures.spending {
        Spending::Allow => None,
        Spending::Suspend => Some("spending suspended"),
    };
    let balance = match measures.balance {
        Balance::Keep => None,
        Balance::FreezePayment => Some("payment's credits frozen"),
        Balance::FreezeAccount => Some("account's credits frozen"),
    };
    let checkout = match measures.checkout {
        Checkout::Open => None,
        Checkout::Limit => Some("checkout limited"),
    };
    let verification = match measures.verification {
        Verification::None => None,
        Verification::Require => Some("verification required"),
    };
    let service = match measures.service {
        Service::Normal => None,
        Service::Restrict => Some("service restricted"),
    };
    let done = [spending, balance, checkout, verification, service].into_iter().flatten();
    let done: Vec<&str> = done.collect();
    if done.is_empty() { "none".to_owned() } else { done.join(", ") }
}
