//! The private API of a running server, as operators' commands use it.

use std::fmt;

use anyhow::anyhow;
use clap::Args;
use domain::ids::{IdempotencyKey, LedgerId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use server::config::Environment;

use crate::{
    client::{Answered, Client},
    exit::Failed,
};

/// The environment variable with the bearer token, unless another is named.
pub(crate) const TOKEN_ENV: &str = "TALLYHOOK_TOKEN";

/// Which ledger of which server.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArguments {
    /// The private listener of the running server.
    #[arg(long, value_name = "URL", alias = "url", default_value = "http://127.0.0.1:8081")]
    pub(crate) server: String,
    /// The ledger.
    #[arg(long, default_value = "main")]
    pub(crate) ledger: String,
    /// The environment variable with the bearer token.
    #[arg(long, default_value = TOKEN_ENV)]
    pub(crate) token_env: String,
}

/// One ledger of a running server, for the holder of a token.
pub(crate) struct Api {
    client: Client,
    /// The ledger's URL, without a slash at its end.
    base: String,
    token: String,
    token_env: String,
    ledger: LedgerId,
}

/// What was carried out, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) body: Value,
    /// Whether it was carried out before, under the same key.
    pub(crate) replayed: bool,
}

/// A normal answer that is no success: a rule refused, or something is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Stable: decisions are made by it.
    pub(crate) code: String,
    pub(crate) detail: String,
    /// All that was answered.
    pub(crate) body: Value,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        // What can be acted on besides, such as the reasons that there are.
        let members = self.body.as_object().into_iter().flatten();
        let known = ["type", "title", "status", "code", "detail"];
        for (name, value) in members.filter(|(name, _)| !known.contains(&name.as_str())) {
            write!(f, "; {name}: {}", shown(value))?;
        }
        Ok(())
    }
}

/// An answer: success, or why not.
pub(crate) type Answer<T> = Result<T, Problem>;

impl Api {
    /// The ledger that is named, as the holder of the token that the environment has.
    ///
    /// # Errors
    /// The ledger's name is none, or there is no token.
    pub(crate) fn of(arguments: &ServerArguments, role: &str) -> Result<Self, Failed> {
        let ServerArguments { server, ledger, token_env } = arguments;
        let ledger = self::ledger(ledger)?;
        let environment = Environment::of_process();
        let token = environment.get(token_env).ok_or_else(|| {
            Failed::usage(anyhow!(
                "{token_env} is not set; put a bearer token with the role {role} there"
            ))
        })?;
        let base = format!("{}/v1/ledgers/{ledger}", server.trim_end_matches('/'));
        let (token, token_env) = (token.to_owned(), token_env.clone());
        Ok(Self { client: Client::new(), base, token, token_env, ledger })
    }

    /// The ledger's name.
    pub(crate) const fn ledger(&self) -> &LedgerId {
        &self.ledger
    }

    /// Reads a path under the ledger, such as `/cases`.
    ///
    /// # Errors
    /// There was no answer, or the token is not taken.
    pub(crate) fn get(&self, path: &str) -> Result<Answer<Value>, Failed> {
        let url = format!("{}{path}", self.base);
        let answered = self.client.get(&url, &self.token)?;
        Ok(self.read(&url, &answered)?.map(|carried| carried.body))
    }

    /// Gives a command at a path under the ledger.
    ///
    /// # Errors
    /// There was no answer, or the token is not taken.
    pub(crate) fn post(
        &self,
        path: &str,
        key: &IdempotencyKey,
        body: &Value,
    ) -> Result<Answer<Carried>, Failed> {
        self.send(path, key, &body.to_string())
    }

    /// Sends bytes as they stand to a path under the ledger.
    ///
    /// # Errors
    /// There was no answer, or the token is not taken.
    pub(crate) fn send(
        &self,
        path: &str,
        key: &IdempotencyKey,
        body: &str,
    ) -> Result<Answer<Carried>, Failed> {
        let url = format!("{}{path}", self.base);
        let answered = self.client.command(&url, &self.token, key.as_str(), body)?;
        self.read(&url, &answered)
    }

    fn read(&self, url: &str, answered: &Answered) -> Result<Answer<Carried>, Failed> {
        let Answered { status, body, replayed } = answered;
        let body: Value = serde_json::from_str(body).map_err(|error| {
            Failed::unopened(error).context(format!(
                "read the answer {status} of {url}; is it the private listener of a Tallyhook server?"
            ))
        })?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (code, detail) = (text("code").to_owned(), text("detail").to_owned());
        match status {
            200..=299 => Ok(Ok(Carried { body, replayed: *replayed })),
            401 | 403 => Err(Failed::usage(anyhow!(
                "{code}: {detail}; the token is the one in {}",
                self.token_env
            ))),
            400..=499 => Ok(Err(Problem { code, detail, body })),
            _ => Err(Failed::unopened(anyhow!("{url} answered {status} ({code}): {detail}"))),
        }
    }
}

/// A ledger's name as it was given.
pub(crate) fn ledger(text: &str) -> Result<LedgerId, Failed> {
    LedgerId::new(text).map_err(|fault| Failed::usage(anyhow!("--ledger {fault}")))
}

/// One part of a path, whatever characters it has.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A value as a person reads it: texts without quotes, lists with commas.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api() -> Api {
        Api {
            client: Client::new(),
            base: "http://127.0.0.1:1/v1/ledgers/main".to_owned(),
            token: "secret-token".to_owned(),
            token_env: TOKEN_ENV.to_owned(),
            ledger: LedgerId::new("main").unwrap(),
        }
    }

    fn read(status: u16, body: &str) -> Result<Answer<Carried>, Failed> {
        api().read("http://x", &Answered { status, body: body.to_owned(), replayed: false })
    }

    #[test]
    fn answers_are_told_apart_by_what_can_be_done() {
        let good = read(201, r#"{"id":"1"}"#).unwrap().unwrap();
        assert_eq!(good.body, json!({"id": "1"}));
        let refused =
            r#"{"status":422,"code":"reason_unknown","detail":"none such","reasons":["a","b"]}"#;
        let problem = read(422, refused).unwrap().unwrap_err();
        assert_eq!(problem.to_string(), "reason_unknown: none such; reasons: a, b");
        for (status, said) in [(401, TOKEN_ENV), (403, TOKEN_ENV), (500, "500"), (302, "302")] {
            let failed = format!("{:?}", read(status, r#"{"code":"c"}"#).unwrap_err());
            assert!(failed.contains(said) && !failed.contains("secret-token"), "{failed}");
        }
        let other = format!("{:?}", read(200, "<html>").unwrap_err());
        assert!(other.contains("private listener"), "{other}");
    }

    #[test]
    fn parts_of_paths_have_any_characters() {
        assert_eq!(segment("a b/ü?"), "a%20b%2F%C3%BC%3F");
    }
}
