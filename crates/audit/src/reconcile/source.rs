//! Which deliveries a provider's lists are held against.

use domain::{
    ids::{EventKey, LedgerId, Origin, Sequence, SourceName, Text},
    input::{Input, Order},
};
use event_store::log::{EventLog, ReadError};

/// How many records are read at once.
const CHUNK: usize = 256;

/// A source of deliveries, as the log knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSource {
    /// Its name.
    pub name: SourceName,
    /// The namespace of its provider's ids.
    pub origin: Origin,
    /// Where its events named the account at first; what was recorded later is read as the settings
    /// of then have it.
    pub account_from: Vec<Text>,
}

/// The source of this name, or that of the ledger's first delivery; none without a delivery of it.
///
/// # Errors
/// The log can't be read.
pub fn source(
    log: &dyn EventLog,
    ledger: &LedgerId,
    name: Option<&SourceName>,
) -> Result<Option<KnownSource>, ReadError> {
    let (mut after, mut account_from): (Option<Sequence>, Vec<Text>) = (None, Vec::new());
    loop {
        let records = log.scan(ledger, after, CHUNK)?;
        let Some(last) = records.last() else { return Ok(None) };
        after = Some(last.record().sequence);
        for recorded in &records {
            match &recorded.record().input {
                Input::Command(command) => {
                    if let Order::Configure(settings) = &command.order {
                        account_from.clone_from(&settings.account_from);
                    }
                }
                Input::Delivery(delivery) if name.is_none_or(|name| *name == delivery.source) => {
                    let (EventKey::Event { origin, .. } | EventKey::Body { origin, .. }) =
                        &delivery.event;
                    let (name, origin) = (delivery.source.clone(), origin.clone());
                    return Ok(Some(KnownSource { name, origin, account_from }));
                }
                Input::Delivery(_) => {}
            }
        }
    }
}
