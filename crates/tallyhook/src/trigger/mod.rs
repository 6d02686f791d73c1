//! `trigger`: plays scenarios against a running server with full-shape payloads, signed as the
//! provider signs them.
//!
//! [`scenario`] says which events a scenario has, [`payload`] fills them in, [`amounts`] how an
//! amount spreads over a payload.

pub(crate) mod amounts;
pub(crate) mod payload;
mod scenario;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use domain::money::{Currency, Minor};
use ingestion::{
    paddle::{HEADER, sign},
    secret::Secret,
};
use serde_json::{Value, json};
use server::{
    clock::{Clock as _, SystemClock},
    config::{Config, Environment},
};

use crate::{
    Done,
    client::{Answered, Client},
    exit::{Exit, Failed},
    print,
};
use amounts::Spread;
use payload::{Filling, Payload};
use scenario::Scenario;

/// The most times that one event is sent again.
const DUPLICATE_MAX: u16 = 100;

#[derive(Debug, Args)]
pub(crate) struct TriggerArguments {
    /// What happens.
    #[arg(value_enum)]
    scenario: Scenario,
    /// The provider's id of the payment; made from the seed if it is left out.
    #[arg(long)]
    payment: Option<String>,
    /// The account that the purchase names.
    #[arg(long, default_value = "acct-demo")]
    account: String,
    /// The net amount in major units, such as 10.00; a fifth is added as tax.
    #[arg(long, default_value = "10")]
    amount: String,
    /// The currency.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Makes an adjustment one of type "partial", as for a refund of less than was paid.
    #[arg(long)]
    partial: bool,
    /// Makes ids and times the same in every run. Without it they are new, and of now.
    #[arg(long)]
    seed: Option<u64>,
    /// Sends the events in another order, by the seed.
    #[arg(long)]
    shuffle: bool,
    /// Sends each event so many times more.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=i64::from(DUPLICATE_MAX)))]
    duplicate: u16,
    /// Where to post; taken from the configuration if it is left out.
    #[arg(long)]
    url: Option<String>,
    /// The endpoint's secret as env:NAME or file:PATH; taken from the configuration if left out.
    #[arg(long)]
    secret: Option<String>,
    /// The configuration for what is left out.
    #[arg(long, default_value = "tallyhook.toml")]
    config: PathBuf,
    /// Prints one line of JSON for each answer.
    #[arg(long)]
    json: bool,
}

/// Where the events go and how they are signed.
struct Target {
    url: String,
    secret: Secret,
}

pub(crate) fn trigger(arguments: &TriggerArguments) -> Done {
    let target = target(arguments)?;
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let filling = filling(arguments, seed)?;
    let mut payloads = filling.payloads(arguments.scenario).map_err(Failed::usage)?;
    if arguments.shuffle {
        payload::shuffle(&mut payloads, seed);
    }
    if !arguments.json {
        print(&format!("payment {}, account {}, seed {seed}", filling.payment, filling.account));
    }
    let client = Client::new();
    let mut exit = Exit::Clean;
    for payload in &payloads {
        for _ in 0..=arguments.duplicate {
            let answered = client.post(&target.url, &payload.body, || {
                (HEADER, sign(&target.secret, SystemClock.now().seconds(), &payload.body))
            })?;
            told(arguments.json, payload, &filling.payment, &answered);
            if answered.status != 200 {
                exit = Exit::Findings;
            }
        }
    }
    Ok(exit)
}

fn told(json: bool, payload: &Payload, payment: &str, answered: &Answered) {
    let answer: Value = serde_json::from_str(&answered.body).unwrap_or(Value::Null);
    if json {
        let line = json!({
            "event": payload.event,
            "event_type": payload.event_type,
            "payment": payment,
            "status": answered.status,
            "answer": answer,
        });
        print(&line.to_string());
        return;
    }
    let text = |name: &str| {
        answer.get(name).map_or_else(String::new, |value| {
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let said = if answered.status == 200 {
        format!("{} {} {}", text("outcome"), text("sequence"), text("reason"))
    } else {
        format!("{} {}: {}", answered.status, text("code"), text("detail"))
    };
    print(&format!("{:<26} {:<32} {}", payload.event_type, payload.event, said.trim_end()));
}

fn filling(arguments: &TriggerArguments, seed: u64) -> Result<Filling, Failed> {
    let currency = Currency::new(&arguments.currency).ok_or_else(|| {
        Failed::usage(anyhow!(
            "--currency {:?} is not a currency of the provider",
            arguments.currency
        ))
    })?;
    let net = Minor::parse_major(&arguments.amount, currency).map_err(|fault| {
        Failed::usage(anyhow!("--amount {:?} of {currency} {fault}", arguments.amount))
    })?;
    Ok(Filling {
        payment: arguments.payment.clone().unwrap_or_else(|| payload::payment_of(seed)),
        account: arguments.account.clone(),
        currency,
        spread: Spread::of(net),
        partial: arguments.partial,
        seed,
        ends_at: if arguments.seed.is_none() { Some(SystemClock.now()) } else { None },
    })
}

/// What is given, and the configuration's for the rest.
fn target(arguments: &TriggerArguments) -> Result<Target, Failed> {
    let environment = Environment::of_process();
    if let (Some(url), Some(reference)) = (&arguments.url, &arguments.secret) {
        return Ok(Target { url: url.clone(), secret: secret(reference, &environment)? });
    }
    let config = Config::load(&arguments.config, &environment).map_err(|error| {
        Failed::usage(error).context("take --url and --secret from the configuration")
    })?;
    let source = config.ledgers.values().flat_map(|ledger| &ledger.sources).next();
    let source = source.ok_or_else(|| Failed::usage(anyhow!("the configuration has no source")))?;
    let url = arguments
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}/webhooks/{}", config.public, source.name));
    let secret = match &arguments.secret {
        Some(reference) => secret(reference, &environment)?,
        None => {
            let first = source.secrets.first().cloned();
            first.ok_or_else(|| Failed::usage(anyhow!("source {} has no secret", source.name)))?
        }
    };
    Ok(Target { url, secret })
}

/// A secret on a command line would stand in the list of processes, so it is only named there.
fn secret(reference: &str, environment: &Environment) -> Result<Secret, Failed> {
    let text = if let Some(name) = reference.strip_prefix("env:") {
        let text = environment.get(name).map(str::to_owned);
        text.ok_or_else(|| Failed::usage(anyhow!("the environment variable {name} is not set")))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        std::fs::read_to_string(path)
            .map_err(|error| {
                Failed::unopened(error).context(format!("read the secret from {path}"))
            })?
            .trim_end_matches(['\r', '\n'])
            .to_owned()
    } else {
        return Err(Failed::usage(anyhow!(
            "--secret takes env:NAME or file:PATH, not the secret itself"
        )));
    };
    Secret::new(&text).map_err(Failed::usage)
}
