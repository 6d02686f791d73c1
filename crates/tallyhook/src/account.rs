//! `account`.

use std::path::PathBuf;

use anyhow::anyhow;
use audit::cut::Cut;
use clap::Args;
use domain::ids::{AccountId, LedgerId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use server::{config::Environment, offline::Offline};

use crate::{
    Done,
    audits::source::AsOf,
    client::Client,
    exit::{Exit, Failed},
    print,
};

#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// The account's id.
    account: String,
    /// Its ledger.
    #[arg(long, default_value = "main")]
    ledger: String,
    /// The private listener of the running server.
    #[arg(long, default_value = "http://127.0.0.1:8081")]
    url: String,
    /// The environment variable with the bearer token, which needs the role read.
    #[arg(long, default_value = "TALLYHOOK_TOKEN")]
    token_env: String,
    /// The data folder of a stopped server, instead of a running one.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    as_of: AsOf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn account(arguments: &AccountArguments) -> Done {
    let ledger = LedgerId::new(&arguments.ledger)
        .map_err(|fault| Failed::usage(anyhow!("--ledger {fault}")))?;
    let account = AccountId::new(&arguments.account)
        .map_err(|fault| Failed::usage(anyhow!("the account {fault}")))?;
    let cut = arguments.as_of.cut()?;
    let view = match &arguments.data {
        Some(data) => {
            let offline = Offline::open(data).map_err(Failed::unopened)?;
            let view = offline.account(&ledger, &account, &cut).map_err(Failed::unopened)?;
            view.map(serde_json::to_value).transpose().map_err(Failed::unopened)?
        }
        None => asked(arguments, &ledger, &account)?,
    };
    match view {
        Some(view) => {
            print(&if arguments.json { view.to_string() } else { table(&view) });
            Ok(Exit::Clean)
        }
        None if cut == Cut::END => {
            Err(Failed::absent(anyhow!("ledger {ledger} has no account {account:?}")))
        }
        None => Err(Failed::absent(anyhow!("ledger {ledger} had no account {account:?} then"))),
    }
}

fn asked(
    arguments: &AccountArguments,
    ledger: &LedgerId,
    account: &AccountId,
) -> Result<Option<Value>, Failed> {
    let environment = Environment::of_process();
    let token = environment.get(&arguments.token_env).ok_or_else(|| {
        let name = &arguments.token_env;
        Failed::usage(anyhow!(
            "{name} is not set; put a bearer token with the role read there, or pass --data"
        ))
    })?;
    let account = utf8_percent_encode(account.as_str(), NON_ALPHANUMERIC);
    let base = arguments.url.trim_end_matches('/');
    let query =
        arguments.as_of.query().into_iter().map(|(name, value)| {
            format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
        });
    let query = query.collect::<Vec<_>>().join("&");
    let url = format!("{base}/v1/ledgers/{ledger}/accounts/{account}?{query}");
    let answered = Client::new().get(&url, token)?;
    let body: Value = serde_json::from_str(&answered.body)
        .map_err(|error| Failed::unopened(error).context(format!("read the answer of {url}")))?;
    match (answered.status, body.get("code").and_then(Value::as_str)) {
        (200, _) => Ok(Some(body)),
        (404, Some("account_unknown")) => Ok(None),
        (status, code) => {
            let code = code.unwrap_or("no code");
            Err(Failed::unopened(anyhow!("{url} answered {status} ({code})")))
        }
    }
}

/// The view with one field a line, freezes below.
fn table(view: &Value) -> String {
    const FIELDS: [&str; 14] = [
        "ledger",
        "account",
        "status",
        "can_spend",
        "checkout",
        "available",
        "paid",
        "gift",
        "held",
        "owed",
        "written_off",
        "unit",
        "version",
        "sequence",
    ];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields =
        FIELDS.iter().filter_map(|name| Some(format!("{name:<12} {}", text(view.get(name)?))));
    let freezes = view.get("freezes").and_then(Value::as_array).into_iter().flatten();
    let freezes = freezes.filter_map(|freeze| {
        Some(format!(
            "{:<12} {} since {}",
            "freeze",
            text(freeze.get("id")?),
            text(freeze.get("since")?)
        ))
    });
    fields.chain(freezes).collect::<Vec<_>>().join("\n")
}
