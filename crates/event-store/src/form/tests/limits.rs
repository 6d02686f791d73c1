//! Values that cannot be are refused, and values that can be in one spelling only.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    calendar::{Day, Zone},
    ids::Text,
    refunds::Percent,
    usage::{METADATA_ENTRIES_MAX, Metadata},
};

use super::{FormFault, take, written};

#[test]
fn metadata_past_its_entries_is_out_of_range() {
    let entries = |count: usize| {
        let named = |place| (Text::new(&format!("{place:03}")).unwrap(), Arc::<str>::from("1"));
        (0..count).map(named).collect::<BTreeMap<_, _>>()
    };
    let most = written(&entries(METADATA_ENTRIES_MAX));
    assert_eq!(take(&most), Ok(Metadata::new(entries(METADATA_ENTRIES_MAX)).unwrap()));
    let beyond = written(&entries(METADATA_ENTRIES_MAX + 1));
    let fault = FormFault::OutOfRange { of: "metadata", offset: 0 };
    assert_eq!(take::<Metadata>(&beyond), Err(fault));
}

#[test]
fn zones_days_and_percents_are_refused_when_they_cannot_be() {
    let zone = |name: &str| take::<Zone>(&written(&Arc::<str>::from(name)));
    assert_eq!(zone("Asia/Shanghai"), Ok(Zone::named("Asia/Shanghai").unwrap()));
    let spelled = FormFault::NotCanonical { of: "time zone", offset: 0 };
    assert_eq!(zone("asia/shanghai"), Err(spelled));
    let unknown = FormFault::OutOfRange { of: "time zone", offset: 0 };
    assert_eq!(zone("Asia/Atlantis"), Err(unknown));
    let day = |year: i16, month: i8, day: i8| {
        take::<Day>(&[written(&year), written(&month), written(&day)].concat())
    };
    assert_eq!(day(2026, 10, 1), Ok(Day::new(2026, 10, 1).unwrap()));
    for (year, month, of_month) in [(2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0)] {
        let fault = FormFault::OutOfRange { of: "day", offset: 0 };
        assert_eq!(day(year, month, of_month), Err(fault));
    }
    let percent = |millionths: u32| take::<Percent>(&written(&millionths));
    assert_eq!(percent(1_000_000), Ok(Percent::from_millionths(1_000_000).unwrap()));
    let fault = FormFault::OutOfRange { of: "percent", offset: 0 };
    assert_eq!(percent(1_000_001), Err(fault));
}
