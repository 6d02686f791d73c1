//! Where views are looked up when the stream may have lost some.

use std::{error::Error, future::Future};

use balance_events::account_view::AccountView;
use serde::Deserialize;

/// Tallyhook's API, as far as a subscriber is repaired from it.
///
/// [`crate::HttpApi`] asks the server; another implementation may go through a proxy or TLS.
pub trait Api: Send + Sync + 'static {
    /// The current view of an account; `None` where there is no such account.
    fn view(
        &self,
        ledger: &str,
        account: &str,
    ) -> impl Future<Output = Result<Option<AccountView>, ApiFault>> + Send;

    /// A part of a ledger's accounts: from the first, or from where the part before said.
    fn accounts(
        &self,
        ledger: &str,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, ApiFault>> + Send;
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// The views.
    pub items: Vec<AccountView>,
    /// Where the rest begins; `None` at the end.
    pub next: Option<String>,
}

/// Why the API didn't give what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiFault {
    /// It doesn't answer.
    #[error("the API doesn't answer")]
    Away(#[source] Box<dyn Error + Send + Sync>),
    /// It refuses: a token without the role `read`, or another ledger's.
    #[error("the API refuses with status {status}, code {code:?}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable code of the problem, where there is one.
        code: Option<String>,
    },
    /// Its answer is no view, or of another account than was asked for.
    #[error("the API's answer can't be read")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
}

/// No API: what the stream lost stays lost until the account changes again.
#[derive(Clone, Copy, Debug)]
pub enum NoApi {}

impl Api for NoApi {
    async fn view(&self, _: &str, _: &str) -> Result<Option<AccountView>, ApiFault> {
        match *self {}
    }

    async fn accounts(&self, _: &str, _: Option<&str>) -> Result<Page, ApiFault> {
        match *self {}
    }
}
