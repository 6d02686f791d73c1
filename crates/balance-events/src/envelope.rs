//! One message: a CloudEvents 1.0 envelope in JSON around one change of one account.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IntoDeserializer as _},
};

use crate::account_view::{AccountView, FreezeView};

/// What happened to the account, by precedence: the first that fits.
///
/// More types of `v1` may be added; one that is not known reads as any other change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum EventType {
    /// The record closed the account.
    #[serde(rename = "com.tallyhook.account.closed.v1")]
    AccountClosed,
    /// The record made the account frozen.
    #[serde(rename = "com.tallyhook.account.frozen.v1")]
    AccountFrozen,
    /// The record made a frozen account active.
    #[serde(rename = "com.tallyhook.account.unfrozen.v1")]
    AccountUnfrozen,
    /// Any other change.
    #[serde(rename = "com.tallyhook.balance.changed.v1", other)]
    BalanceChanged,
}

/// A CloudEvents 1.0 envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// `{ledger}/{sequence}/{account}`, the account as it is.
    pub id: String,
    /// `/ledgers/{ledger}`.
    pub source: String,
    /// What happened.
    #[serde(rename = "type", deserialize_with = "of_v1")]
    pub event_type: EventType,
    /// The account.
    pub subject: String,
    /// RFC 3339: when the record was made.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The account after the change, and the change.
    pub data: BalanceChange,
}

impl Envelope {
    /// Puts a change into its envelope.
    #[must_use]
    pub fn new(event_type: EventType, recorded_at: String, data: BalanceChange) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id: format!("{}/{}/{}", data.ledger, data.record, data.account),
            source: format!("/ledgers/{}", data.ledger),
            event_type,
            subject: data.account.clone(),
            time: recorded_at,
            datacontenttype: "application/json".to_owned(),
            data,
        }
    }

    /// The message as it is sent.
    ///
    /// # Errors
    /// Never with the types of today; the signature is that of the JSON library.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a message; members that are not known are passed over.
    ///
    /// # Errors
    /// A member that is missing or of another type, or an event of another version than `v1`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// What an event of another version means can't be known, so it is refused.
fn of_v1<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventType, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.ends_with(".v1") {
        EventType::deserialize(name.as_str().into_deserializer())
    } else {
        Err(D::Error::custom(format_args!("type {name} is not of v1: upgrade the subscriber")))
    }
}

/// An account after a record, with what that record moved and why.
///
/// The members up to `sequence` are those of [`AccountView`], in the same order: what the HTTP API
/// answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BalanceChange {
    /// See [`AccountView::ledger`].
    pub ledger: String,
    /// See [`AccountView::account`].
    pub account: String,
    /// See [`AccountView::status`].
    pub status: String,
    /// See [`AccountView::can_spend`].
    pub can_spend: bool,
    /// See [`AccountView::checkout`].
    pub checkout: String,
    /// See [`AccountView::available`].
    pub available: String,
    /// See [`AccountView::paid`].
    pub paid: String,
    /// See [`AccountView::gift`].
    pub gift: String,
    /// See [`AccountView::held`].
    pub held: String,
    /// See [`AccountView::owed`].
    pub owed: String,
    /// See [`AccountView::written_off`].
    pub written_off: String,
    /// See [`AccountView::unit`].
    pub unit: String,
    /// See [`AccountView::freezes`].
    pub freezes: Vec<FreezeView>,
    /// See [`AccountView::version`].
    pub version: u64,
    /// See [`AccountView::sequence`].
    pub sequence: u64,
    /// The transfers of the record that touch this account, in order.
    pub movements: Vec<Movement>,
    /// What the record was.
    pub cause: Cause,
    /// The record's sequence.
    pub record: u64,
}

impl BalanceChange {
    /// The change that led to a view.
    #[must_use]
    pub fn new(view: AccountView, movements: Vec<Movement>, cause: Cause) -> Self {
        Self {
            ledger: view.ledger,
            account: view.account,
            status: view.status,
            can_spend: view.can_spend,
            checkout: view.checkout,
            available: view.available,
            paid: view.paid,
            gift: view.gift,
            held: view.held,
            owed: view.owed,
            written_off: view.written_off,
            unit: view.unit,
            freezes: view.freezes,
            version: view.version,
            sequence: view.sequence,
            movements,
            cause,
            record: view.sequence,
        }
    }

    /// The account after the change: [`Self::new`] undone.
    #[must_use]
    pub fn into_view(self) -> AccountView {
        AccountView {
            ledger: self.ledger,
            account: self.account,
            status: self.status,
            can_spend: self.can_spend,
            checkout: self.checkout,
            available: self.available,
            paid: self.paid,
            gift: self.gift,
            held: self.held,
            owed: self.owed,
            written_off: self.written_off,
            unit: self.unit,
            freezes: self.freezes,
            version: self.version,
            sequence: self.sequence,
        }
    }
}

/// One transfer that touches the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Movement {
    /// The book that the credits left: `paid`, `gift`, `held`, `owed` or `written_off` of this
    /// account, `other` for any of another account, or one of the house, such as `house:sold`.
    pub from: String,
    /// The book where they arrived.
    pub to: String,
    /// How many, positive.
    pub amount: String,
}

/// What a record was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Cause {
    /// A provider's delivery.
    Delivery {
        /// The provider's event id, or `sha256:` and the body's digest where there is none.
        event: String,
        /// The provider's name for the kind of event.
        event_type: Option<String>,
        /// The payment that it is about.
        payment: Option<String>,
    },
    /// A command of our own users.
    Command {
        /// The id of what it made.
        id: String,
        /// What was asked: `debit`, `grant`, `freeze`, ...
        order: String,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::account_view::MeasuresView;

    const COMMAND: &str = "0198c7a2-5b1e-5f00-8a3c-6f2d1e0b9a77";

    fn view() -> AccountView {
        AccountView {
            ledger: "main".into(),
            account: "jo@x".into(),
            status: "frozen".into(),
            can_spend: false,
            checkout: "limited".into(),
            available: "12.5".into(),
            paid: "10".into(),
            gift: "2.5".into(),
            held: "1".into(),
            owed: "0".into(),
            written_off: "0".into(),
            unit: "USD".into(),
            freezes: vec![FreezeView {
                id: "paddle/txn_1/chargeback".into(),
                cause: "chargeback".into(),
                payment: Some("txn_1".into()),
                since: "2026-07-03T00:00:00Z".into(),
                measures: MeasuresView {
                    spending: "suspend".into(),
                    balance: "freeze-payment".into(),
                    checkout: "limit".into(),
                    verification: "none".into(),
                    service: "normal".into(),
                },
            }],
            version: 7,
            sequence: 42,
        }
    }

    fn envelope(cause: Cause) -> Envelope {
        let moved = Movement { from: "paid".into(), to: "held".into(), amount: "1".into() };
        let change = BalanceChange::new(view(), vec![moved], cause);
        Envelope::new(EventType::AccountFrozen, "2026-07-03T00:00:01.5Z".into(), change)
    }

    fn delivery() -> Cause {
        Cause::Delivery {
            event: "evt_1".into(),
            event_type: Some("adjustment.created".into()),
            payment: Some("txn_1".into()),
        }
    }

    #[test]
    fn the_published_form_is_the_contracts() {
        let measures = json!({"spending": "suspend", "balance": "freeze-payment",
            "checkout": "limit", "verification": "none", "service": "normal"});
        let expected = json!({
            "specversion": "1.0", "id": "main/42/jo@x", "source": "/ledgers/main",
            "type": "com.tallyhook.account.frozen.v1", "subject": "jo@x",
            "time": "2026-07-03T00:00:01.5Z", "datacontenttype": "application/json",
            "data": {
                "ledger": "main", "account": "jo@x", "status": "frozen", "can_spend": false,
                "checkout": "limited", "available": "12.5", "paid": "10", "gift": "2.5",
                "held": "1", "owed": "0", "written_off": "0", "unit": "USD",
                "freezes": [{"id": "paddle/txn_1/chargeback", "cause": "chargeback",
                    "payment": "txn_1", "since": "2026-07-03T00:00:00Z", "measures": measures}],
                "version": 7, "sequence": 42,
                "movements": [{"from": "paid", "to": "held", "amount": "1"}],
                "cause": {"kind": "delivery", "event": "evt_1",
                    "event_type": "adjustment.created", "payment": "txn_1"},
                "record": 42
            }
        });
        assert_eq!(serde_json::to_value(envelope(delivery())).unwrap(), expected);
    }

    #[test]
    fn the_changes_first_members_are_the_view() {
        let mut change = serde_json::to_value(envelope(delivery()).data).unwrap();
        let members = change.as_object_mut().unwrap();
        for own in ["movements", "cause", "record"] {
            assert!(members.remove(own).is_some());
        }
        assert_eq!(change, serde_json::to_value(view()).unwrap());
        assert_eq!(envelope(delivery()).data.into_view(), view());
    }

    #[test]
    fn messages_survive_the_round_trip() {
        let command = Cause::Command { id: COMMAND.into(), order: "debit".into() };
        for cause in [delivery(), command] {
            let sent = envelope(cause);
            assert_eq!(Envelope::from_json(&sent.to_json().unwrap()).unwrap(), sent);
        }
        let command = json!({"kind": "command", "id": COMMAND, "order": "debit"});
        let read: Cause = serde_json::from_value(command.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), command);
    }

    #[test]
    fn a_subscriber_passes_over_members_and_types_that_it_does_not_know() {
        let mut later: Value = serde_json::to_value(envelope(delivery())).unwrap();
        later["data"]["added"] = json!(1);
        later["traceparent"] = json!("00");
        let read = Envelope::from_json(&serde_json::to_vec(&later).unwrap()).unwrap();
        assert_eq!(read, envelope(delivery()));
        later["type"] = json!("com.tallyhook.account.opened.v1");
        let read = Envelope::from_json(&serde_json::to_vec(&later).unwrap()).unwrap();
        assert_eq!(read.event_type, EventType::BalanceChanged);
        assert_eq!(read.data, envelope(delivery()).data);
    }

    #[test]
    fn a_type_of_v1_that_is_not_known_is_a_change_and_one_of_another_version_is_refused() {
        let mut later = serde_json::to_value(envelope(delivery())).unwrap();
        later["type"] = json!("com.tallyhook.account.renamed.v1");
        let read = Envelope::from_json(later.to_string().as_bytes()).unwrap();
        assert_eq!(read.event_type, EventType::BalanceChanged);
        later["type"] = json!("com.tallyhook.balance.changed.v2");
        let fault = Envelope::from_json(later.to_string().as_bytes()).unwrap_err();
        assert!(fault.to_string().contains("upgrade the subscriber"), "{fault}");
    }

    #[test]
    fn every_type_has_its_published_name() {
        for (event_type, name) in [
            (EventType::AccountClosed, "com.tallyhook.account.closed.v1"),
            (EventType::AccountFrozen, "com.tallyhook.account.frozen.v1"),
            (EventType::AccountUnfrozen, "com.tallyhook.account.unfrozen.v1"),
            (EventType::BalanceChanged, "com.tallyhook.balance.changed.v1"),
        ] {
            assert_eq!(serde_json::to_value(event_type).unwrap(), name);
            assert_eq!(serde_json::from_value::<EventType>(json!(name)).unwrap(), event_type);
        }
    }
}
