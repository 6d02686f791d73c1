//! Who may do what: bearer tokens with roles, bound to ledgers.

use axum::http::{HeaderMap, StatusCode, header};
use domain::ids::{AccountId, Actor, LedgerId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::{Api, Served};
use crate::{
    config::{Role, Token},
    problem::Problem,
};

/// A caller that may do what it asks, in the ledger that it asks about.
pub(super) struct Caller<'a> {
    pub(super) actor: Actor,
    pub(super) ledger: LedgerId,
    pub(super) served: &'a Served,
}

impl Api {
    /// Checks the token, then the ledger, then the role.
    ///
    /// A ledger that is not there is answered like one that is not allowed: a token learns nothing
    /// of other ledgers.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        ledger: &str,
        role: Role,
    ) -> Result<Caller<'_>, Problem> {
        let token = self.token(headers)?;
        let bound = token.ledgers.iter().find(|bound| bound.as_str() == ledger);
        let (ledger, served) =
            bound.and_then(|bound| self.ledgers.get_key_value(bound)).ok_or_else(|| {
                let detail = "the token is not bound to this ledger";
                Problem::new(StatusCode::FORBIDDEN, "ledger_not_allowed", detail)
            })?;
        has(token, role)?;
        Ok(Caller { actor: token.name.clone(), ledger: ledger.clone(), served })
    }

    /// Checks that a token is bound to every ledger, and has the role.
    pub(super) fn admit_everywhere(&self, headers: &HeaderMap, role: Role) -> Result<(), Problem> {
        let token = self.token(headers)?;
        if !self.ledgers.keys().all(|ledger| token.ledgers.contains(ledger)) {
            let detail = "the token is not bound to every ledger of the server";
            return Err(Problem::new(StatusCode::FORBIDDEN, "ledger_not_allowed", detail));
        }
        has(token, role)
    }

    /// The ledgers that a token with the role is bound to.
    pub(super) fn admit_anywhere(
        &self,
        headers: &HeaderMap,
        role: Role,
    ) -> Result<Vec<LedgerId>, Problem> {
        let token = self.token(headers)?;
        has(token, role)?;
        let bound = self.ledgers.keys().filter(|ledger| token.ledgers.contains(ledger));
        Ok(bound.cloned().collect())
    }

    fn token(&self, headers: &HeaderMap) -> Result<&Token, Problem> {
        known(&self.tokens, headers).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "token_invalid", "send a known bearer token")
        })
    }
}

fn has(token: &Token, role: Role) -> Result<(), Problem> {
    if token.roles.contains(&role) {
        return Ok(());
    }
    let detail = format!("the token lacks the role {:?}", role.name());
    Err(Problem::new(StatusCode::FORBIDDEN, "role_missing", detail))
}

/// The account of a path, decoded.
pub(super) fn account(text: &str) -> Result<AccountId, Problem> {
    AccountId::new(text).map_err(|_| Problem::account_unknown())
}

/// Compares with every token and each time whole, so that the time tells nothing.
fn known<'t>(tokens: &'t [Token], headers: &HeaderMap) -> Option<&'t Token> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return None;
    }
    let digest: [u8; 32] = Sha256::digest(token).into();
    tokens.iter().fold(None, |found, token| {
        if bool::from(token.digest.0.ct_eq(&digest)) { Some(token) } else { found }
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use domain::ids::Digest;

    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_under_one_bearer_header() {
        let token = |name: &str, text: &str| Token {
            name: Actor::new(name).unwrap(),
            digest: Digest(Sha256::digest(text.as_bytes()).into()),
            roles: vec![Role::Read],
            ledgers: vec![],
        };
        let tokens = [token("one", "first"), token("two", "second")];
        let name = |values: &[&'static str]| {
            let values = values.iter().map(|value| HeaderValue::from_static(value));
            let headers: HeaderMap = values.map(|value| (header::AUTHORIZATION, value)).collect();
            known(&tokens, &headers).map(|token| token.name.to_string())
        };
        assert_eq!(name(&["Bearer second"]).as_deref(), Some("two"));
        assert_eq!(name(&["bearer first"]).as_deref(), Some("one"));
        for bad in [
            &[][..],
            &["Bearer "],
            &["Basic first"],
            &["first"],
            &["Bearer first "],
            &["Bearer firs"],
        ] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_repeated_header_is_no_token() {
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert!(known(&[], &headers).is_none());
    }
}
