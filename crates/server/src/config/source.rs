//! The keys of a source: who sends to it and what is believed.

use std::collections::BTreeSet;

use domain::{
    ids::{Origin, SourceName},
    input::{Mode, Settings, Stale},
};
use ingestion::{
    pointer::Pointer,
    secret::Secret,
    source::{Provider, Source},
};
use policy_file::reader::{Faulted, Item};

use super::{FUTURE_SECONDS_USUAL, TOLERANCE_SECONDS_USUAL, read::Around, secret};

/// A source without what its ledger gives it.
pub(super) struct ReadSource {
    pub(super) name: SourceName,
    origin: Origin,
    secrets: Vec<Secret>,
    tolerance_seconds: Option<u32>,
    future_seconds: u32,
    stale: Stale,
}

impl ReadSource {
    pub(super) fn source(self, account_from: &[Pointer]) -> Source {
        Source {
            name: self.name,
            origin: self.origin,
            provider: Provider::Paddle,
            secrets: self.secrets,
            tolerance_seconds: self.tolerance_seconds,
            future_seconds: self.future_seconds,
            account_from: account_from.to_vec(),
        }
    }

    /// What of it decides; mode and pointers are the ledger's.
    pub(super) const fn settings(&self) -> Settings {
        Settings {
            mode: Mode::Live,
            stale: self.stale,
            account_from: Vec::new(),
            tolerance_seconds: self.tolerance_seconds,
            future_seconds: self.future_seconds,
        }
    }
}

/// A ledger's record of its settings has one tolerance and one `stale`: a duplicate that comes in
/// at another source must not be decided otherwise.
pub(super) fn agreeing(item: &mut Item<'_, '_>, sources: &[ReadSource]) -> Result<(), Faulted> {
    let Some((first, others)) = sources.split_first() else { return Ok(()) };
    match others.iter().find(|other| other.settings() != first.settings()) {
        None => Ok(()),
        Some(other) => Err(item.fault(
            format!(
                "{} and {} differ in tolerance_seconds, future_seconds or stale",
                first.name, other.name
            ),
            "give all sources of a ledger the same",
        )),
    }
}

pub(super) fn source(
    name: &str,
    item: &mut Item<'_, '_>,
    around: &Around<'_>,
    names: &mut BTreeSet<SourceName>,
) -> Result<ReadSource, Faulted> {
    const KEYS: [&str; 6] =
        ["provider", "origin", "secrets", "tolerance_seconds", "future_seconds", "stale"];
    let named = match SourceName::new(name) {
        Ok(name) if names.contains(&name) => Err(item.fault(
            "is the name of another ledger's source",
            "rename it: /webhooks/{source} must name one",
        )),
        Ok(name) => {
            names.insert(name.clone());
            Ok(name)
        }
        Err(fault) => Err(item.fault(format!("as a name {fault}"), "rename the source")),
    };
    item.table(&KEYS, |table| {
        let provider = table
            .required("provider", "write provider = \"paddle\"")
            .and_then(|mut item| provider(&mut item));
        let origin = table
            .optional("origin")
            .map(|mut item| item.text_as("choose a short name", Origin::new));
        let secrets = table
            .required("secrets", "write secrets = [\"env:PADDLE_SECRET\"]")
            .and_then(|mut item| secrets(&mut item, around));
        let tolerance = table
            .optional("tolerance_seconds")
            .map_or(Ok(Some(TOLERANCE_SECONDS_USUAL)), |mut item| tolerance(&mut item));
        let future = table
            .optional("future_seconds")
            .map_or(Ok(FUTURE_SECONDS_USUAL), |mut item| item.integer(0..=u32::MAX));
        let stale = table.optional("stale").map_or(Ok(Stale::Accept), |mut item| {
            item.choice(&[("accept", Stale::Accept), ("quarantine", Stale::Quarantine)])
        });
        let usual = provider?;
        Ok(ReadSource {
            name: named?,
            origin: origin.transpose()?.unwrap_or(usual),
            secrets: secrets?,
            tolerance_seconds: tolerance?,
            future_seconds: future?,
            stale: stale?,
        })
    })
}

/// The provider's usual namespace of ids.
fn provider(item: &mut Item<'_, '_>) -> Result<Origin, Faulted> {
    item.text_as("write \"paddle\"", |text| match text {
        "paddle" => Origin::new(text).map_err(|_| "is no name"),
        "stripe" | "standard-webhooks" => Err("is not supported by this version yet"),
        _ => Err("is not a known provider"),
    })
}

fn tolerance(item: &mut Item<'_, '_>) -> Result<Option<u32>, Faulted> {
    let remedy = "write tolerance_seconds = 300, or \"off\" not to look at the age";
    item.decimal_as(remedy, |text| match text {
        "off" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| "is neither whole seconds nor \"off\""),
    })
}

fn secrets(item: &mut Item<'_, '_>, around: &Around<'_>) -> Result<Vec<Secret>, Faulted> {
    let secrets = item.list(|item| secret(item, around))?;
    if secrets.is_empty() {
        let remedy = "write secrets = [\"env:PADDLE_SECRET\"]: without one no delivery is believed";
        return Err(item.fault("has no secret", remedy));
    }
    Ok(secrets)
}

fn secret(item: &mut Item<'_, '_>, around: &Around<'_>) -> Result<Secret, Faulted> {
    let what = "the endpoint's secret key";
    let text = secret::text(item, around, what)?;
    Secret::new(&text).map_err(|fault| item.fault(fault, format!("put {what} there")))
}
