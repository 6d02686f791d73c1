//! `case`: refund cases of a running server.
//!
//! [`show`] says a case in words and columns.

mod show;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::ids::IdempotencyKey;
use serde_json::{Map, Value, json};

use crate::{
    Done,
    api::{Answer, Api, Problem, ServerArguments, segment},
    exit::{Exit, Failed, told},
    print,
};

/// The random bytes of a key that nobody gave.
const KEY_BYTES: usize = 16;

/// The cases that are asked for at once.
const CASES_AT_ONCE: usize = 500;

/// The most cases that one list shows.
const CASES_SHOWN_MAX: usize = 10_000;

/// The most pages of a list that are asked for: a filtered page may be empty and still go on.
const PAGES_MAX: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Opens a case for a payment and says what the policy makes of it.
    ///
    /// Exit codes: 0 opened, whatever the verdict; 1 refused; 2 wrong usage; 3 no answer.
    Open {
        /// The customer's account.
        account: String,
        /// The processor's id of the payment.
        payment: String,
        /// One of the reasons that the policy has.
        #[arg(long)]
        reason: String,
        /// What the application says, such as email=jo@example.com; once for each fact.
        #[arg(long = "fact", value_name = "NAME=VALUE")]
        facts: Vec<String>,
        /// The namespace of the payment's id, where the ledger has several.
        #[arg(long)]
        origin: Option<String>,
        #[command(flatten)]
        step: StepArguments,
    },
    /// Shows a case.
    Show {
        /// Its id.
        case: String,
        #[command(flatten)]
        look: LookArguments,
    },
    /// Lists cases.
    List {
        /// Only those with this status, such as in-review.
        #[arg(long)]
        status: Option<String>,
        /// Only those of this account.
        #[arg(long)]
        account: Option<String>,
        /// Only those that a person should have looked at by now.
        #[arg(long)]
        overdue: bool,
        #[command(flatten)]
        look: LookArguments,
    },
    /// Provides information that a case lacks.
    Inform {
        /// Its id.
        case: String,
        /// What is said, such as email=jo@example.com; once for each fact.
        #[arg(long = "fact", value_name = "NAME=VALUE", required = true)]
        facts: Vec<String>,
        #[command(flatten)]
        step: StepArguments,
    },
    /// Approves a case: the quote, or another amount or credits. Refunds nothing by itself.
    Approve {
        /// Its id.
        case: String,
        /// The money to refund at the processor, in major units, instead of the quote's.
        #[arg(long, conflicts_with = "credits")]
        amount: Option<String>,
        /// The credits to give, where the policy makes good in credits.
        #[arg(long)]
        credits: Option<String>,
        /// A note for the record.
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        step: StepArguments,
    },
    /// Denies a case.
    Deny {
        /// Its id.
        case: String,
        /// Why: stands in the record and in the case.
        #[arg(long)]
        note: String,
        #[command(flatten)]
        step: StepArguments,
    },
    /// Ends a case that its applicant took back.
    Withdraw {
        /// Its id.
        case: String,
        /// A note for the record.
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        step: StepArguments,
    },
}

/// For commands that look.
#[derive(Debug, Args)]
pub(crate) struct LookArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// For commands that change something.
#[derive(Debug, Args)]
pub(crate) struct StepArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The idempotency key: the same command under the same key is carried out once. Random, and
    /// printed, if it is left out.
    #[arg(long)]
    key: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// A step as it is sent.
struct Step<'a> {
    arguments: &'a StepArguments,
    path: String,
    body: Value,
}

pub(crate) fn case(command: &CaseCommand) -> Done {
    match command {
        CaseCommand::Open { account, payment, reason, facts, origin, step } => {
            let mut body = fields([("origin", origin)]);
            body.insert("payment".to_owned(), json!(payment));
            body.insert("reason".to_owned(), json!(reason));
            body.insert("facts".to_owned(), Value::Object(self::facts(facts)?));
            let path = format!("/accounts/{}/refund-cases", segment(account));
            carried_out(
                &Step { arguments: step, path, body: Value::Object(body) },
                "read and spend",
            )
        }
        CaseCommand::Show { case, look } => {
            let api = Api::of(&look.server, "read")?;
            let answer = api.get(&format!("/cases/{}", segment(case)))?;
            Ok(said(answer, look.json, |case| show::case(case, None)))
        }
        CaseCommand::List { status, account, overdue, look } => {
            listed(look, status.as_deref(), account.as_deref(), *overdue)
        }
        CaseCommand::Inform { case, facts, step } => {
            let body = json!({"facts": self::facts(facts)?});
            carried_out(&Step::of(step, case, "information", body), "spend")
        }
        CaseCommand::Approve { case, amount, credits, note, step } => {
            let body = fields([("amount", amount), ("credits", credits), ("note", note)]);
            carried_out(&Step::of(step, case, "approve", Value::Object(body)), "operate")
        }
        CaseCommand::Deny { case, note, step } => {
            carried_out(&Step::of(step, case, "deny", json!({"note": note})), "operate")
        }
        CaseCommand::Withdraw { case, note, step } => {
            let body = Value::Object(fields([("note", note)]));
            carried_out(&Step::of(step, case, "withdraw", body), "spend")
        }
    }
}

impl<'a> Step<'a> {
    fn of(arguments: &'a StepArguments, case: &str, verb: &str, body: Value) -> Self {
        Self { arguments, path: format!("/cases/{}/{verb}", segment(case)), body }
    }
}

/// The fields that were given.
fn fields<const N: usize>(fields: [(&str, &Option<String>); N]) -> Map<String, Value> {
    let given =
        |(name, text): (&str, &Option<String>)| Some((name.to_owned(), json!(text.as_ref()?)));
    fields.into_iter().filter_map(given).collect()
}

/// Facts by name. What they say may be personal, so no text of ours repeats it.
fn facts(given: &[String]) -> Result<Map<String, Value>, Failed> {
    let mut facts = Map::new();
    for (place, fact) in given.iter().enumerate() {
        let number = place.saturating_add(1);
        let Some((name, text)) = fact.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let told = anyhow!("--fact number {number} is not NAME=VALUE, such as channel=card");
            return Err(Failed::usage(told));
        };
        if facts.insert(name.to_owned(), json!(text)).is_some() {
            return Err(Failed::usage(anyhow!(
                "--fact {name} is there twice; give each fact once"
            )));
        }
    }
    Ok(facts)
}

/// The key that was given, or a new one.
fn key(given: Option<&str>) -> Result<IdempotencyKey, Failed> {
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    match given {
        Some(text) if !visible(text) => {
            Err(Failed::usage(anyhow!("--key must be visible ASCII characters")))
        }
        Some(text) => {
            IdempotencyKey::new(text).map_err(|fault| Failed::usage(anyhow!("--key {fault}")))
        }
        None => IdempotencyKey::new(&hex::encode(rand::random::<[u8; KEY_BYTES]>()))
            .map_err(Failed::usage),
    }
}

fn carried_out(step: &Step<'_>, role: &str) -> Done {
    let Step { arguments, path, body } = step;
    let api = Api::of(&arguments.server, role)?;
    let key = key(arguments.key.as_deref())?;
    let answer = api.post(path, &key, body).map_err(|failed| {
        failed.context(format!("carry it out; it is safe to repeat it with --key {key}"))
    })?;
    let answer = answer.map(|carried| {
        let mut case = carried.body;
        if let Value::Object(fields) = &mut case {
            fields.insert("idempotency_key".to_owned(), json!(key.as_str()));
            fields.insert("replayed".to_owned(), json!(carried.replayed));
        }
        case
    });
    Ok(said(answer, arguments.json, |case| show::case(case, Some(key.as_str()))))
}

/// Prints what was answered, or why it was refused.
fn said(answer: Answer<Value>, json: bool, text: impl Fn(&Value) -> String) -> Exit {
    match answer {
        Ok(value) => {
            print(&if json { value.to_string() } else { text(&value) });
            Exit::Clean
        }
        Err(problem) => refused(&problem, json),
    }
}

/// Says that a rule refused: on standard output for machines, on standard error for people.
fn refused(problem: &Problem, json: bool) -> Exit {
    if json {
        print(&problem.body.to_string());
        return Exit::Findings;
    }
    told(Failed::absent(anyhow!("{problem}")))
}

fn listed(
    look: &LookArguments,
    status: Option<&str>,
    account: Option<&str>,
    overdue: bool,
) -> Done {
    let api = Api::of(&look.server, "read")?;
    let mut path = format!("/cases?limit={CASES_AT_ONCE}");
    for (name, text) in [("status", status), ("account", account)] {
        if let Some(text) = text {
            path.push_str(&format!("&{name}={}", segment(text)));
        }
    }
    if overdue {
        path.push_str("&overdue=true");
    }
    let mut cases: Vec<Value> = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let cursor =
            next.take().map_or_else(String::new, |next| format!("&cursor={}", segment(&next)));
        let page = match api.get(&format!("{path}{cursor}"))? {
            Ok(page) => page,
            Err(problem) => return Ok(refused(&problem, look.json)),
        };
        cases.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() || cases.len() >= CASES_SHOWN_MAX {
            break;
        }
    }
    let more = next.is_some();
    print(&if look.json {
        json!({"items": cases, "more": more}).to_string()
    } else {
        show::list(&cases, more)
    });
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(facts: &[&str]) -> Result<Map<String, Value>, Failed> {
        self::facts(&facts.iter().map(|fact| (*fact).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn facts_are_names_with_values() {
        let facts = given(&["email=jo@example.com", "explanation=a = b", "proof="]).unwrap();
        let expected = json!({"email": "jo@example.com", "explanation": "a = b", "proof": ""});
        assert_eq!(Value::Object(facts), expected);
        for bad in [&["secret"][..], &["=secret"], &["a=secret", "a=secret"]] {
            let failed = format!("{:?}", given(bad).unwrap_err());
            assert!(!failed.contains("secret"), "{failed}");
        }
    }

    #[test]
    fn a_key_is_what_was_given_or_new() {
        assert_eq!(key(Some("mine")).unwrap().as_str(), "mine");
        assert_ne!(key(None).unwrap(), key(None).unwrap());
        for bad in ["", "a b", "ü", "a\nb", &"k".repeat(256)] {
            assert!(key(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
