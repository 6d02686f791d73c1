//! A connection as the access says, and what the server refuses on it.

use std::{error::Error, future::Future, path::Path, time::Duration};

use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr, ServerError,
    connection::State as ConnectionState, rustls,
};
use tokio::sync::watch;

use crate::{
    access::{Access, Authentication, Tls},
    broker::BrokerFault,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that is lost is given up soon, after so many attempts at each server: finding out
/// where to go on is the caller's, on a new one.
const RECONNECTS_MAX: usize = 2;

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(super) client: Client,
    /// What the server said that this user may not do.
    refused: watch::Receiver<Option<String>>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(access: &Access, name: &str) -> Result<Self, BrokerFault> {
        let (refusals, refused) = watch::channel(None);
        let Tls { is_required, ca, client } = access.tls.clone();
        let attempts = access.servers.len().saturating_mul(RECONNECTS_MAX);
        let mut options = authenticated(&access.authentication)?
            .name(name)
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .max_reconnects(attempts)
            .require_tls(is_required)
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(said)) = event
                    && let Some(what) = forbidden(&said)
                {
                    refusals.send_replace(Some(what));
                }
                async {}
            });
        if let Some(ca) = ca {
            options = options.add_root_certificates(ca);
        }
        if let Some(client) = client {
            options = options.add_client_certificate(client.certificate, client.key);
        }
        let servers: Result<Vec<ServerAddr>, _> =
            access.servers.iter().map(|server| server.as_str().parse()).collect();
        let servers = servers.map_err(|source| BrokerFault::Away {
            doing: "read an address",
            source: source.into(),
        })?;
        let client = options.connect(servers).await.map_err(unreached)?;
        Ok(Self { client, refused })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == ConnectionState::Connected
    }

    /// Waits for an answer, or until the server says that this user may not ask: it does not
    /// answer then.
    pub(super) async fn permitted<T>(
        &self,
        asked: impl Future<Output = Result<T, BrokerFault>>,
    ) -> Result<T, BrokerFault> {
        let mut refused = self.refused.clone();
        let refusal = async {
            let what = refused.wait_for(Option::is_some).await.ok().and_then(|what| what.clone());
            match what {
                Some(what) => what,
                // The connection is gone, which the answer will tell.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            answer = asked => answer,
            what = refusal => Err(BrokerFault::Forbidden { what }),
        }
    }
}

fn authenticated(authentication: &Authentication) -> Result<ConnectOptions, BrokerFault> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|source| BrokerFault::AccessUnreadable { path: path.to_owned(), source })
    };
    let options = ConnectOptions::new();
    Ok(match authentication {
        Authentication::None => options,
        Authentication::Credentials(path) => options
            .credentials(&read(path)?)
            .map_err(|source| BrokerFault::AccessUnreadable { path: path.clone(), source })?,
        Authentication::Nkey(path) => options.nkey(read(path)?.trim().to_owned()),
        Authentication::Password { user, password } => {
            options.user_and_password(user.clone(), password.expose().to_owned())
        }
        Authentication::Token(token) => options.token(token.expose().to_owned()),
    })
}

/// Why there is no connection.
fn unreached(fault: ConnectError) -> BrokerFault {
    match fault.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            BrokerFault::Unauthorized
        }
        ConnectErrorKind::Tls => BrokerFault::TlsFailed { source: fault.into() },
        ConnectErrorKind::Io if is_tls(&fault) => BrokerFault::TlsFailed { source: fault.into() },
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => {
            BrokerFault::Away { doing: "connect", source: fault.into() }
        }
    }
}

/// Whether TLS is to blame, which async-nats wraps as a fault of the connection.
fn is_tls(fault: &ConnectError) -> bool {
    let io = fault.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    let inner = io.and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
}

/// What a server says that a user may not do, in our words; none for anything else.
fn forbidden(said: &str) -> Option<String> {
    let rest = said.strip_prefix("Permissions Violation for ")?;
    let (operation, subject) = rest.split_once(" to \"")?;
    let (subject, _) = subject.split_once('"')?;
    match operation {
        "Publish" => Some(format!("publish to {subject}")),
        // Each connection has an inbox of its own name.
        "Subscription" if subject.starts_with("_INBOX.") => {
            Some("subscribe to _INBOX.>".to_owned())
        }
        _ => Some(format!("subscribe to {subject}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_may_not_do_is_named_by_its_subject() {
        for (said, expected) in [
            (
                "Permissions Violation for Publish to \"$JS.API.STREAM.INFO.X\"",
                Some("publish to $JS.API.STREAM.INFO.X"),
            ),
            (
                "Permissions Violation for Subscription to \"_INBOX.abc.*\"",
                Some("subscribe to _INBOX.>"),
            ),
            (
                "Permissions Violation for Subscription to \"a.b\" using queue \"q\"",
                Some("subscribe to a.b"),
            ),
            ("Maximum Payload Violation", None),
        ] {
            assert_eq!(forbidden(said).as_deref(), expected, "{said}");
        }
    }
}
