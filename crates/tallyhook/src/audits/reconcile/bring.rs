//! What is missing, brought into a running server's ledger.

use audit::reconcile::findings::{Importable, Reconciled};
use clap::Args;
use domain::{
    ids::{IdempotencyKey, LedgerId},
    input::Listing,
};
use serde_json::Value;

use crate::{
    api::{Answer, Api, Carried, ServerArguments, TOKEN_ENV, segment},
    exit::Failed,
};

#[derive(Debug, Args)]
pub(super) struct BringArguments {
    /// Brings what is missing into the ledger of a running server, as back-filled by the token's
    /// holder. What arrives later is a duplicate; the same command again brings in nothing twice.
    #[arg(long)]
    import: bool,
    /// The private listener of the running server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081")]
    url: String,
    /// The environment variable with the bearer token.
    #[arg(long, default_value = TOKEN_ENV)]
    token_env: String,
}

/// What became of something that was brought in.
pub(super) struct Brought {
    pub(super) listing: Listing,
    pub(super) id: String,
    pub(super) became: Became,
}

/// What the server made of it.
pub(super) enum Became {
    /// `recorded`, `duplicate` and so on, or the code of the problem.
    Answered(String),
    /// Why it is not known.
    Failed(String),
}

impl Became {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Answered(text) | Self::Failed(text) => text,
        }
    }
}

/// The name of a list in the API.
pub(super) const fn listing(listing: Listing) -> &'static str {
    match listing {
        Listing::Events => "events",
        Listing::Payments => "payments",
        Listing::Adjustments => "adjustments",
    }
}

impl BringArguments {
    /// The server that takes things in; none unless it is asked for.
    pub(super) fn server(&self, ledger: &LedgerId) -> Result<Option<Api>, Failed> {
        if !self.import {
            return Ok(None);
        }
        let server = ServerArguments {
            server: self.url.clone(),
            ledger: ledger.to_string(),
            token_env: self.token_env.clone(),
        };
        Api::of(&server, "operate").map(Some)
    }
}

/// Brings in what can be, in the order in which it happened, until the server can't be reached any
/// more: what became of each is told in every case.
pub(super) fn bring(api: &Api, found: &Reconciled) -> Vec<Brought> {
    let source = segment(found.source.as_str());
    let mut is_reached = true;
    let told = found.importable.iter().map(|one| {
        let became = if is_reached {
            became(api, &source, one)
        } else {
            Became::Failed("not tried".to_owned())
        };
        is_reached = matches!(became, Became::Answered(_));
        Brought { listing: one.listing, id: one.id.clone(), became }
    });
    told.collect()
}

fn became(api: &Api, source: &str, one: &Importable) -> Became {
    match asked(api, source, one) {
        Ok(answer) => Became::Answered(answer),
        Err(failed) => Became::Failed(format!("failed: {failed}")),
    }
}

fn asked(api: &Api, source: &str, one: &Importable) -> Result<String, Failed> {
    let name = listing(one.listing);
    let path = format!("/sources/{source}/back-fill?listing={name}");
    // The route asks for no key: what is brought in is known by itself.
    let key = IdempotencyKey::new("reconcile").map_err(Failed::usage)?;
    let body = String::from_utf8_lossy(&one.body);
    let answer: Answer<Carried> = api.send(&path, &key, &body)?;
    Ok(match answer {
        Ok(carried) => {
            let outcome = carried.body.get("outcome").and_then(Value::as_str);
            outcome.unwrap_or_default().to_owned()
        }
        Err(problem) => format!("refused: {problem}"),
    })
}
