//! The API over HTTP.

use std::{fmt, sync::Arc, time::Duration};

use balance_events::account_view::AccountView;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::task::spawn_blocking;
use ureq::Agent;

use crate::api::{Api, ApiFault, Page};

/// The most accounts in a page, which is the most that the server gives.
const PAGE_ITEMS: usize = 500;

/// The longest that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes of an answer: accounts with many freezes are large.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Shorter than the server keeps idle connections, so that none is closed under a request.
const IDLE_MAX: Duration = Duration::from_secs(3);

/// The code of the answer that there is no such account.
const ACCOUNT_UNKNOWN: &str = "account_unknown";

/// Tallyhook's private listener, over plain HTTP with a bearer token of role `read`.
///
/// The listener is on loopback by default. From elsewhere, reach it through a proxy that ends TLS
/// beside the subscriber, or implement [`Api`].
#[derive(Clone)]
pub struct HttpApi {
    agent: Agent,
    /// Without a `/` at its end.
    base: Arc<str>,
    /// The value of the header.
    authorization: Arc<str>,
}

/// Why an API can't be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpApiFault {
    /// The address has another scheme, or none.
    #[error("the API's address begins with http://; for TLS, put a proxy beside the subscriber")]
    NotHttp,
    /// The token can't be sent.
    #[error("the token is empty, or has characters that no token has")]
    Token,
}

/// What an answer tells of an error.
#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
}

impl fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpApi").field("base", &self.base).finish_non_exhaustive()
    }
}

impl HttpApi {
    /// The API at this address, such as `http://127.0.0.1:8081`, for the holder of this token.
    ///
    /// # Errors
    /// The address has another scheme, or the token can't be one.
    pub fn new(base: &str, token: &str) -> Result<Self, HttpApiFault> {
        let base = base.trim_end_matches('/');
        if base.strip_prefix("http://").is_none_or(str::is_empty) {
            return Err(HttpApiFault::NotHttp);
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpApiFault::Token);
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_idle_age(IDLE_MAX)
            .timeout_global(Some(REQUEST_TIMEOUT));
        let authorization = format!("Bearer {token}").into();
        Ok(Self { agent: config.build().into(), base: base.into(), authorization })
    }

    async fn get<T: DeserializeOwned + Send + 'static>(&self, path: String) -> Result<T, ApiFault> {
        let api = self.clone();
        let asked = spawn_blocking(move || api.ask(&path)).await;
        asked.map_err(|fault| ApiFault::Away(fault.into()))?
    }

    fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiFault> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("authorization", &*self.authorization);
        let mut answer = request.call().map_err(|fault| ApiFault::Away(fault.into()))?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|fault| ApiFault::Away(fault.into()))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let problem: Option<Problem> = serde_json::from_slice(&body).ok();
            return Err(ApiFault::Refused { status, code: problem.and_then(|it| it.code) });
        }
        serde_json::from_slice(&body).map_err(|fault| ApiFault::Unreadable(fault.into()))
    }
}

impl Api for HttpApi {
    async fn view(&self, ledger: &str, account: &str) -> Result<Option<AccountView>, ApiFault> {
        let path = format!("/v1/ledgers/{}/accounts/{}", escaped(ledger), escaped(account));
        let view = match self.get::<AccountView>(path).await {
            Ok(view) => view,
            // Another 404 is a wrong address, which says nothing of the account.
            Err(ApiFault::Refused { status: 404, code: Some(code) }) if code == ACCOUNT_UNKNOWN => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        if view.ledger == ledger && view.account == account {
            Ok(Some(view))
        } else {
            Err(ApiFault::Unreadable("it is about another account".into()))
        }
    }

    async fn accounts(&self, ledger: &str, cursor: Option<&str>) -> Result<Page, ApiFault> {
        let mut path = format!("/v1/ledgers/{}/accounts?limit={PAGE_ITEMS}", escaped(ledger));
        if let Some(cursor) = cursor {
            path.push_str("&cursor=");
            path.extend(utf8_percent_encode(cursor, NON_ALPHANUMERIC));
        }
        self.get(path).await
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests;
