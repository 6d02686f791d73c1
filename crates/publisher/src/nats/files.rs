//! What async-nats reads: addresses, credentials, seeds and certificates, checked before anything
//! connects. No error shows what a file has.

use async_nats::{
    ConnectOptions, ServerAddr,
    rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use nkeys::{KeyPair, KeyPairType};
use percent_encoding::percent_decode_str;

/// An address and as whom it is reached.
pub(crate) struct Parts {
    pub(crate) address: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// Takes an address apart; none where it is no address that we can reach.
pub(crate) fn parts(url: &str) -> Option<Parts> {
    let server: ServerAddr = ["nats://", "tls://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
        .then_some(url)?
        .parse()
        .ok()?;
    if server.host().is_empty() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
    let user = server.username().map(decoded);
    let password = server.password().map(decoded);
    let mut url = server.into_inner();
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let address = url.as_str().trim_end_matches('/').to_owned();
    // A part that is there and can't be decoded is no address.
    let user = user.map_or(Some(None), |user| user.map(Some))?;
    let password = password.map_or(Some(None), |password| password.map(Some))?;
    Some(Parts { address, user, password })
}

/// Checks the text of a credentials file.
///
/// # Errors
/// It has no JWT, or no seed.
pub fn credentials(text: &str) -> Result<(), &'static str> {
    let read = ConnectOptions::with_credentials(text);
    read.map(drop).map_err(|_| "is no credentials file: a user's JWT and the seed of its nkey")
}

/// Checks the text of a file with the seed of a user's nkey.
///
/// # Errors
/// It has none.
pub fn seed(text: &str) -> Result<(), &'static str> {
    let pair = KeyPair::from_seed(text.trim());
    let is_user = pair.is_ok_and(|pair| pair.key_pair_type() == KeyPairType::User);
    is_user.then_some(()).ok_or("is no seed of a user's nkey, which begins with SU")
}

/// Checks the text of a file with certificates.
///
/// # Errors
/// It has none, or a damaged one.
pub fn certificates(text: &str) -> Result<(), &'static str> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let has_some = all.is_ok_and(|all| !all.is_empty());
    has_some.then_some(()).ok_or("has no certificate in PEM")
}

/// Checks the text of a file with a private key.
///
/// # Errors
/// It has none, or a damaged one.
pub fn private_key(text: &str) -> Result<(), &'static str> {
    PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map(drop)
        .map_err(|_| "has no private key in PEM")
}
