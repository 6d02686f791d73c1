//! How a broker is reached: where it is, as whom, and by TLS.
//!
//! Nothing secret is kept that a file has: credentials and seeds are read anew for each connection,
//! so that a file which is replaced is used by the next one. No `Debug` and no error shows a secret.

use std::{fmt, path::PathBuf};

use crate::nats::files::parts;
pub use crate::nats::files::{certificates, credentials, private_key, seed};

/// How a broker is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Servers of one cluster, of which any will do; never empty.
    pub servers: Vec<Server>,
    /// As whom.
    pub authentication: Authentication,
    /// How the connection is protected.
    pub tls: Tls,
}

/// The address of a server, without a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(String);

/// As whom a broker is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// As nobody in particular.
    None,
    /// By a file of credentials: a JWT and the seed of its nkey.
    Credentials(PathBuf),
    /// By a file with the seed of an nkey.
    Nkey(PathBuf),
    /// By name.
    Password {
        /// Who.
        user: String,
        /// The proof.
        password: Secret,
    },
    /// By a text that the broker knows.
    Token(Secret),
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// How the connection is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether a connection without TLS is given up. One by a `tls://` address always is.
    pub is_required: bool,
    /// Who vouches for the server; the machine's authorities where there is none.
    pub ca: Option<PathBuf>,
    /// What we show of ourselves.
    pub client: Option<ClientCertificate>,
}

/// What we show of ourselves to a broker that asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// Why a text is no address of a server. Never shows the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no address of a NATS server")]
pub struct NoServer;

impl Access {
    /// Access to one server, as its address says.
    ///
    /// # Errors
    /// The text is no address.
    pub fn of(url: &str) -> Result<Self, NoServer> {
        let (server, authentication) = Server::parse(url)?;
        Ok(Self { servers: vec![server], authentication, tls: Tls::default() })
    }
}

impl Server {
    /// Reads an address such as `nats://127.0.0.1:4222` or `tls://broker`, and as whom it is
    /// reached where it says so: `nats://user:password@broker`, `nats://token@broker`.
    ///
    /// # Errors
    /// The text is no address.
    pub fn parse(url: &str) -> Result<(Self, Authentication), NoServer> {
        let parts = parts(url).ok_or(NoServer)?;
        let authentication = match (parts.user, parts.password) {
            (None, _) => Authentication::None,
            (Some(token), None) => Authentication::Token(Secret::new(token)),
            (Some(user), Some(password)) => {
                Authentication::Password { user, password: Secret::new(password) }
            }
        };
        Ok((Self(parts.address), authentication))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Secret {
    /// Keeps a text from being shown.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_and_as_whom() {
        let password = |user: &str, password: &str| Authentication::Password {
            user: user.to_owned(),
            password: Secret::new(password.to_owned()),
        };
        for (url, address, authentication) in [
            ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222", Authentication::None),
            ("nats://broker", "nats://broker", Authentication::None),
            ("tls://[::1]:4443", "tls://[::1]:4443", Authentication::None),
            ("nats://jo:p%40ss@broker:1", "nats://broker:1", password("jo", "p@ss")),
            (
                "nats://t0ken@broker",
                "nats://broker",
                Authentication::Token(Secret::new("t0ken".to_owned())),
            ),
        ] {
            let expected = (Server(address.to_owned()), authentication);
            assert_eq!(Server::parse(url), Ok(expected), "{url}");
        }
        for url in ["", "nats://", "broker:4222", "http://broker", "ws://broker", "nats://a:b:c"] {
            assert_eq!(Server::parse(url), Err(NoServer), "{url}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let access = Access::of("nats://user:secret@broker").unwrap();
        assert!(!format!("{access:?}").contains("secret"));
        assert!(format!("{access:?}").contains("nats://broker"));
    }
}
