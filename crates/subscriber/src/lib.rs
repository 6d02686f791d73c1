//! All accounts' current views in memory, from the stream of balance events: what a gateway asks
//! before it serves, and what a storefront shows.
//!
//! A [`Subscriber`] reads the last message of each account from the stream and then every change
//! as it comes. [`Accounts`] answers from memory, in about a microsecond; [`Changes`] hands
//! over each change once, in order. It says when it has everything and how stale it may be
//! ([`Standing`]), so that its user can refuse when it isn't sure.
//!
//! # Example
//! A gateway that serves only who may spend, and nobody when it doesn't know:
//! ```no_run
//! use std::time::Duration;
//!
//! use subscriber::{Filter, HttpApi, Subscriber};
//!
//! # async fn gateway() -> Result<(), Box<dyn std::error::Error>> {
//! let client = async_nats::connect("nats://127.0.0.1:4222").await?;
//! let api = HttpApi::new("http://127.0.0.1:8081", "the token of a reader")?;
//! let subscription = Subscriber::new(client, Filter::ledger("main")?).repaired_by(api).start();
//! let accounts = subscription.accounts();
//! accounts.reconciled().await?;
//!
//! let is_current = accounts.stale_for().is_some_and(|age| age < Duration::from_secs(10));
//! let may_spend = is_current && accounts.may_spend("main", "jo@example.org") == Some(true);
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//! - The view of an account never goes back: of two, the one with the higher `version` is kept.
//!   Repeated and late messages are passed over.
//! - After a loss of connection, a crash of the broker, or a stream that was deleted and published
//!   again, it goes on without skipping a message that the stream still has.
//! - A message that can't be read is reported and ends nothing.
//! - Memory grows with accounts only. A slow user of [`Changes`] slows the subscription down, and
//!   [`Accounts::stale_for`] says so.
//!
//! Without an API, views are as new as the stream's: what was taken out of the stream before it
//! arrived is missed until the account changes again, and [`Kind::Gap`] tells that it was.
//!
//! With an API ([`Subscriber::repaired_by`]), all accounts are compared with it at the start, after
//! every new connection, after a gap and after a message that could not be read; a view there that
//! is newer is taken. So it ends with exactly the API's views whatever the stream lost. What the
//! API can't give back are the movements in between: they are counted in [`Repaired::missed`].
//!
//! Who subscribes to [`Filter::all_ledgers`] is repaired in ledgers that the stream told of.
//!
//! A log that was restored from an older backup has lower versions than were published: start the
//! subscribers anew.
//!
//! Never here: a connection of its own (TLS and credentials are `async_nats`'), a rule about
//! credits, a view computed from movements. `async_nats` is named in `nats` only.

mod filter;
mod subscription;

mod accounts;
mod standing;

mod change;

mod api;
#[cfg(feature = "http")]
mod http;

mod fold;
mod follow;
mod nats;
mod reconcile;
mod suspects;
mod table;

#[cfg(feature = "http")]
pub use http::{HttpApi, HttpApiFault};

pub use crate::{
    accounts::{Accounts, Ended},
    api::{Api, ApiFault, NoApi, Page},
    change::{Change, Changes, Kind, Repaired, Unreadable, UnreadableFault, Update},
    filter::{Filter, FilterFault},
    nats::StreamFault,
    standing::{Reconciliation, Standing, State},
    subscription::{CHANGES_WAITING_MAX, Subscriber, Subscription},
};
