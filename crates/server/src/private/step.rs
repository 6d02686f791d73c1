//! How a command goes, the same for each: who asks, what is asked, its order, its answer.
//!
//! ```text
//! async fn close(State(api): State<Arc<Api>>, asked: Asked) -> Result<Response, Problem> {
//!     let (step, body): (Step<'_>, CloseBody) = asked.read(&api, Role::Operate).await?;
//!     let (account, reason) = (step.account()?, text("reason", &body.reason)?);
//!     step.submit(Order::Close { account, reason }).await?.stepped(json!({}))
//! }
//! ```
//!
//! [`Asked::read`] checks the token, then the key, then the body. What is asked is known by its
//! method, path, query and body, written in one way: see [`crate::canonical`].

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::Response,
};
use domain::{
    account::View,
    credits::Credits,
    decision::Decision,
    ids::{AccountId, CustomerKey, IdempotencyKey, OperationId},
    input::{Command, Input, Order},
    record::Record,
    refusal::Refusal,
};
use engine::step::{Answer, Request as Submitted};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Api,
    access::{self, Caller},
    fault,
    request::{self, amount, bytes, key, parsed, required_key},
};
use crate::{
    canonical::{Canonical, canonical},
    config::Role,
    problem::Problem,
    writer::Unavailable,
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The request of a command, of which nothing was checked yet.
pub(super) struct Asked {
    method: Method,
    template: String,
    parameters: Parameters,
    query: Option<String>,
    headers: HeaderMap,
    body: Body,
}

/// The decoded variable parts of a path, by name.
struct Parameters(Vec<(String, String)>);

/// A request of a caller that may ask it, with its key.
pub(super) struct Step<'a> {
    api: &'a Api,
    pub(super) caller: Caller<'a>,
    parameters: Parameters,
    query: Option<String>,
    key: IdempotencyKey,
    request: Canonical,
}

/// What became of a command that was carried out, now or before. It is durable.
pub(super) struct Done {
    pub(super) record: Arc<Record>,
    /// What is available now in the account concerned; none where none is.
    available: Option<Credits>,
    replayed: bool,
}

impl FromRequest<Arc<Api>> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        let (mut head, body) = request.into_parts();
        let template = MatchedPath::from_request_parts(&mut head, api).await;
        let template = template.map_err(|error| fault(&error))?.as_str().to_owned();
        let parameters = RawPathParams::from_request_parts(&mut head, api).await;
        let parameters = parameters.map_err(|_| Problem::not_found())?;
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let parameters = Parameters(parameters.iter().map(pair).collect());
        let query = head.uri.query().filter(|query| !query.is_empty()).map(str::to_owned);
        Ok(Self { method: head.method, template, parameters, query, headers: head.headers, body })
    }
}

impl Asked {
    /// Checks who asks and reads what is asked. No body is `{}`.
    ///
    /// # Errors
    /// The token, the key or the body is not as it must be.
    pub(super) async fn read<T: DeserializeOwned>(
        self,
        api: &Api,
        role: Role,
    ) -> Result<(Step<'_>, T), Problem> {
        let caller = api.admit(&self.headers, self.parameters.get("ledger"), role)?;
        let key = required_key(&self.headers)?;
        let route = self.route();
        let body = bytes(self.body).await?;
        let (typed, value): (T, Value) = parsed(if body.is_empty() { b"{}" } else { &body })?;
        let request = canonical(&route, &value);
        let (parameters, query) = (self.parameters, self.query);
        Ok((Step { api, caller, parameters, query, key, request }, typed))
    }

    /// Checks who asks for an end. Without a key, what is ended is the key: it ends once.
    ///
    /// # Errors
    /// The token or the key is not as it must be.
    pub(super) fn end<'a>(self, api: &'a Api, role: Role, verb: &str) -> Result<Step<'a>, Problem> {
        let caller = api.admit(&self.headers, self.parameters.get("ledger"), role)?;
        let request = canonical(&self.route(), &Value::Null);
        let key = match key(&self.headers)? {
            Some(key) => key,
            None => IdempotencyKey::new(&format!("{verb}:{}", request.digest))
                .map_err(|error| fault(&error))?,
        };
        let (parameters, query) = (self.parameters, self.query);
        Ok(Step { api, caller, parameters, query, key, request })
    }

    /// Method, path and query in the one way they are written: the variable parts but the ledger
    /// in hexadecimal, so that no two paths look alike.
    fn route(&self) -> String {
        let mut route = format!("{} ", self.method);
        for part in self.template.split('/').skip(1) {
            route.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some("ledger") => route.push_str(self.parameters.get("ledger")),
                Some(name) => route.push_str(&hex::encode(self.parameters.get(name))),
                None => route.push_str(part),
            }
        }
        if let Some(query) = &self.query {
            route.push('?');
            route.push_str(query);
        }
        route
    }
}

impl Parameters {
    /// A part of the path; empty where the path has no such part.
    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl<'a> Step<'a> {
    /// A variable part of the path, decoded.
    pub(super) fn part(&self, name: &str) -> &str {
        self.parameters.get(name)
    }

    /// The account of the path.
    pub(super) fn account(&self) -> Result<AccountId, Problem> {
        access::account(self.part("account"))
    }

    /// The id of an earlier command in the path; `unknown` where it can be none.
    pub(super) fn operation(&self, name: &str, unknown: Refusal) -> Result<OperationId, Problem> {
        request::operation(self.part(name)).ok_or_else(|| unknown.into())
    }

    /// An amount of credits, above zero.
    pub(super) fn amount(&self, text: &str) -> Result<Credits, Problem> {
        amount(text, self.caller.served.decimals)
    }

    /// A payment of the ledger, in the origin that is asked for or the first that has it.
    pub(super) fn payment(
        &self,
        id: &str,
        origin: Option<&str>,
    ) -> Result<request::FoundPayment, Problem> {
        request::payment(self.api, &self.caller, id, origin)
    }

    /// The payment of the path, in the origin of the query.
    pub(super) fn payment_of_path(&self) -> Result<request::FoundPayment, Problem> {
        let origin = request::origin_of(self.query.as_deref())?;
        self.payment(self.part("payment"), origin.as_deref())
    }

    /// A provider's customer, in the origin that is named or the only one of the ledger.
    pub(super) fn customer(&self, id: &str, origin: Option<&str>) -> Result<CustomerKey, Problem> {
        let origin = request::origin(self.caller.served, origin)?;
        let id = request::customer(id)?;
        Ok(CustomerKey { origin, id })
    }

    /// Known by these bytes, which are kept as they are, and no longer by the whole request.
    pub(super) fn kept_as(self, request: Canonical) -> Self {
        Self { request, ..self }
    }

    /// Has an order decided and waits until it is durable. The answer tells what is available of
    /// the account that the order names.
    ///
    /// # Errors
    /// It is refused, or the log takes no records now.
    pub(super) async fn submit(self, order: Order) -> Result<Done, Problem> {
        let (done, view, _) = self.carried_out(order).await?;
        let available = view.map(|view| view.books.available()).transpose();
        Ok(Done { available: available.map_err(|error| fault(&error))?, ..done })
    }

    /// As [`Self::submit`], for an order that names another thing than the account concerned.
    pub(super) async fn submit_about(
        self,
        account: &AccountId,
        order: Order,
    ) -> Result<Done, Problem> {
        let ledger = self.caller.ledger.clone();
        let (done, _, api) = self.carried_out(order).await?;
        let view = api.projections.account(&ledger, account).map_err(|error| fault(&error))?;
        let available = view.map(|view| view.books.available()).transpose();
        Ok(Done { available: available.map_err(|error| fault(&error))?, ..done })
    }

    async fn carried_out(self, order: Order) -> Result<(Done, Option<View>, &'a Api), Problem> {
        let Self { api, caller, key, request: Canonical { bytes, digest }, .. } = self;
        let id = OperationId::of(&caller.ledger, &key);
        let command = Command { key, id, actor: caller.actor, request: digest, order };
        let input = Input::Command(Box::new(command));
        let submitted = Submitted { ledger: caller.ledger, input, body: bytes };
        let answer = api.writer.submit(submitted).await.map_err(|reason| {
            Problem::try_later(match reason {
                Unavailable::Full => "too many requests at once",
                Unavailable::Latched | Unavailable::Stopping => {
                    "the log takes no records at the moment"
                }
            })
        })?;
        let done = |record, replayed| Done { record, available: None, replayed };
        match answer {
            Answer::Recorded { record, view } => Ok((done(record, false), view, api)),
            Answer::Replayed { record, view } => Ok((done(record, true), view, api)),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Duplicate { .. } | Answer::KnownConflict { .. } => {
                tracing::error!("a command was answered like a delivery");
                Err(Problem::internal())
            }
        }
    }
}

impl Done {
    /// What was decided.
    pub(super) fn decision(&self) -> &Decision {
        &self.record.decision
    }

    /// The answer to what made something: 201.
    pub(super) fn created(&self, fields: Value) -> Result<Response, Problem> {
        self.answer(StatusCode::CREATED, fields)
    }

    /// The answer to a step: 200.
    pub(super) fn stepped(&self, fields: Value) -> Result<Response, Problem> {
        self.answer(StatusCode::OK, fields)
    }

    /// The fields of an object, with id, sequence and what is available unless it has its own.
    fn answer(&self, status: StatusCode, fields: Value) -> Result<Response, Problem> {
        let (Input::Command(command), Value::Object(mut body)) = (&self.record.input, fields)
        else {
            tracing::error!("a command's key belongs to a delivery, or its answer is no object");
            return Err(Problem::internal());
        };
        let mut usual = vec![
            ("id", json!(command.id.to_string())),
            ("sequence", json!(self.record.sequence.get())),
        ];
        if let Some(available) = self.available {
            usual.push(("available", json!(available.to_string())));
        }
        for (name, value) in usual {
            body.entry(name).or_insert(value);
        }
        let mut response = super::json(status, &body)?;
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}
