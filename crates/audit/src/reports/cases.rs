//! Refund cases by the policy's verdict, by status and by age; those past their due date.

use std::collections::BTreeMap;

use domain::{
    case::{Case, CaseStatus, Decider},
    decision::Effect,
    ids::OperationId,
    time::Timestamp,
};

use super::{
    Listed, Told,
    age::{Age, days},
    amount::Amount,
    layout::{Block, Cell, Chart, Section, Series, Shape, Table},
};

/// What a report of refund cases keeps.
pub(super) struct Cases {
    listed: Listed,
    cases: BTreeMap<OperationId, Known>,
}

/// A case as it stands, and what the policy last said of it.
struct Known {
    case: Case,
    verdict: Verdict,
}

/// What the policy says of a case, whatever people decide then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Nothing yet: facts are missing.
    None,
    Review,
    Eligible,
    Deny,
}

impl Verdict {
    /// The verdict that a status shows; none where people or the processor decided.
    const fn of(status: &CaseStatus) -> Option<Self> {
        match status {
            CaseStatus::NeedsInformation { .. } => Some(Self::None),
            CaseStatus::InReview { .. } => Some(Self::Review),
            CaseStatus::Eligible { .. } => Some(Self::Eligible),
            CaseStatus::Denied { by: Decider::Policy, .. } => Some(Self::Deny),
            CaseStatus::Denied { by: Decider::Operator, .. }
            | CaseStatus::Approved { .. }
            | CaseStatus::Corrected { .. }
            | CaseStatus::Withdrawn
            | CaseStatus::Refunded => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::None => "none yet",
            Self::Review => "review",
            Self::Eligible => "eligible",
            Self::Deny => "deny",
        }
    }
}

impl Cases {
    pub(super) const fn new(listed: Listed) -> Self {
        Self { listed, cases: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, effect: &Effect) {
        let Effect::CaseChanged(case) = effect else { return };
        let before = self.cases.get(&case.id).map(|known| known.verdict);
        let verdict = Verdict::of(&case.status).or(before).unwrap_or(Verdict::None);
        self.cases.insert(case.id, Known { case: (**case).clone(), verdict });
    }

    pub(super) fn told(self, now: Timestamp) -> Told {
        let mut all: Vec<&Known> = self.cases.values().collect();
        all.sort_by_key(|known| (known.case.claim.opened_at, known.case.id));
        let (over, open): (Vec<&Known>, Vec<&Known>) =
            all.into_iter().partition(|known| known.case.status.is_final());
        let words = Block::words(
            "The verdict is what the policy said last, whatever people decided then. An age counts \
             from when the case was opened, in whole days of 24 hours; a case is overdue once a \
             person should have looked at it.",
        );
        let mut sections = vec![
            Section::new("By verdict and status", vec![words, Block::Table(self.counted(now))]),
            Section::new(
                "Open, by age",
                vec![Block::Table(aged(&open, now)), Block::Chart(chart(&open, now))],
            ),
            Section::new("Open", vec![Block::Table(listed("cases", &open, now))]),
        ];
        if self.listed == Listed::All {
            let table = Block::Table(listed("cases_ended", &over, now));
            sections.push(Section::new("Ended", vec![table]));
        }
        Told { sections, differs: false }
    }

    fn counted(&self, now: Timestamp) -> Table {
        let mut counts: BTreeMap<(Verdict, &str), (u64, u64)> = BTreeMap::new();
        for known in self.cases.values() {
            let (all, overdue) =
                counts.entry((known.verdict, known.case.status.name())).or_default();
            *all += 1;
            *overdue += u64::from(is_overdue(&known.case, now));
        }
        let columns = [
            ("verdict", "Verdict"),
            ("status", "Status"),
            ("cases", "Cases"),
            ("overdue", "Overdue"),
        ];
        let mut table = Table::new("cases_by_verdict", &columns);
        let mut sums = (0, 0);
        for ((verdict, status), (all, overdue)) in counts {
            sums = (sums.0 + all, sums.1 + overdue);
            let names = [Cell::text(verdict.name()), Cell::text(status)];
            table.line(names.into_iter().chain([all.into(), overdue.into()]).collect());
        }
        table.total(vec![Cell::text("Total"), Cell::Empty, sums.0.into(), sums.1.into()]);
        table
    }
}

fn is_overdue(case: &Case, now: Timestamp) -> bool {
    case.status.due_at().is_some_and(|due| due < now)
}

/// Open cases by status and age.
fn by_age(open: &[&Known], now: Timestamp) -> BTreeMap<&'static str, BTreeMap<Age, u64>> {
    let mut counts: BTreeMap<&'static str, BTreeMap<Age, u64>> = BTreeMap::new();
    for known in open {
        let ages = counts.entry(known.case.status.name()).or_default();
        *ages.entry(Age::of(known.case.claim.opened_at, now)).or_default() += 1;
    }
    counts
}

fn aged(open: &[&Known], now: Timestamp) -> Table {
    let mut columns = vec![("status", "Status")];
    columns.extend(Age::COLUMNS);
    columns.push(("total", "Total"));
    let mut table = Table::new("cases_by_age", &columns);
    let row = |name: &str, ages: [u64; 4]| {
        let total = ages.iter().sum::<u64>();
        let cells = ages.into_iter().chain([total]).map(Cell::Count);
        [Cell::text(name)].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let counts = by_age(open, now);
    let of = |ages: &BTreeMap<Age, u64>, age: Age| ages.get(&age).copied().unwrap_or(0);
    for (status, ages) in &counts {
        table.line(row(status, Age::ALL.map(|age| of(ages, age))));
    }
    let total = Age::ALL.map(|age| counts.values().map(|ages| of(ages, age)).sum());
    table.total(row("Total", total));
    table
}

fn chart(open: &[&Known], now: Timestamp) -> Chart {
    let series = by_age(open, now).into_iter().map(|(status, ages)| {
        let of = |age: Age| ages.get(&age).copied().unwrap_or(0);
        let values = Age::ALL.map(|age| Amount::new(of(age).into(), 0)).into();
        Series { name: status.to_owned(), values }
    });
    Chart {
        title: "Open cases, by age".to_owned(),
        shape: Shape::Bars,
        labels: Age::ALL.map(|age| age.name().to_owned()).into(),
        series: series.collect(),
    }
}

fn listed(key: &'static str, cases: &[&Known], now: Timestamp) -> Table {
    let columns = [
        ("case", "Case"),
        ("account", "Account"),
        ("payment", "Payment"),
        ("reason", "Reason"),
        ("verdict", "Verdict"),
        ("status", "Status"),
        ("rule", "Rule"),
        ("opened_at", "Opened"),
        ("days", "Days"),
        ("due_at", "Due"),
        ("overdue_days", "Overdue days"),
        ("money", "Money"),
        ("currency", "Currency"),
        ("credits", "Credits"),
    ];
    let mut table = Table::new(key, &columns);
    for known in cases {
        table.line(cells(known, now));
    }
    table
}

fn cells(known: &Known, now: Timestamp) -> Vec<Cell> {
    let case = &known.case;
    let rule = if let CaseStatus::Denied { rule, .. } = &case.status { Some(rule) } else { None };
    let due = case.status.due_at();
    let overdue = due.filter(|due| *due < now).map(|due| days(due, now));
    let until = case.claim.ended.map_or(now, |(ended, _)| ended);
    let credits = case.quote.credits;
    let credits = credits.paid.billionths() + credits.gift.billionths();
    vec![
        Cell::text(case.id.to_string()),
        Cell::text(case.account.as_str()),
        Cell::text(format!("{}/{}", case.payment.origin, case.payment.id)),
        Cell::text(case.reason.as_str()),
        Cell::text(known.verdict.name()),
        Cell::text(case.status.name()),
        Cell::optional(rule.map(|rule| rule.as_str())),
        Cell::moment(case.claim.opened_at),
        days(case.claim.opened_at, until).into(),
        Cell::optional(due.map(|due| due.to_string())),
        overdue.map_or(Cell::Empty, Cell::Count),
        Amount::money(case.quote.money, case.quote.currency).into(),
        Cell::text(case.quote.currency.code()),
        Amount::of_billionths(credits).into(),
    ]
}
