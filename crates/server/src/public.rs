//! Webhooks: the only thing that the outside world reaches.
//!
//! Checks stand in the contract's order: source, length, size, encoding, signature. Nothing of a
//! body is parsed before its signature holds, and nothing unsigned costs a disk write.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use domain::{
    decision::{Outcome, Quarantine},
    ids::{LedgerId, Sequence},
    input::Input,
};
use engine::step::{Answer, Request};
use http_body_util::BodyExt;
use ingestion::{
    read::read,
    source::Source,
    verify::{Headers, SignatureFault, verify},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    clock::Clock,
    config::Config,
    limits::{BODIES_KIB_MAX, BODY_WAIT_MAX, WEBHOOK_BODY_BYTES_MAX},
    metrics::Metrics,
    path::Path,
    problem::Problem,
    writer::{Unavailable, Writer},
};

/// All that the public listener needs.
pub(crate) struct Public {
    endpoints: HashMap<String, (LedgerId, Arc<Source>)>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    bodies: Semaphore,
    /// The second of the last log line about a signature: one a second is enough.
    complained: AtomicI64,
}

impl Public {
    pub(crate) fn new(
        config: &Config,
        writer: Writer,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let endpoints = config.ledgers.iter().flat_map(|(ledger, configured)| {
            configured.sources.iter().map(|source| {
                (source.name.as_str().to_owned(), (ledger.clone(), Arc::clone(source)))
            })
        });
        Self {
            endpoints: endpoints.collect(),
            writer,
            clock,
            metrics,
            bodies: Semaphore::new(BODIES_KIB_MAX),
            complained: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/webhooks/{source}", post(receive))
            .fallback(|| async { Problem::not_found() })
            .method_not_allowed_fallback(|| async { Problem::method() })
            .with_state(Arc::new(self))
    }

    /// What can be said of a request from its head alone.
    fn head(
        &self,
        source: &str,
        headers: &HeaderMap,
    ) -> Result<(&(LedgerId, Arc<Source>), usize), Problem> {
        let refused = &self.metrics.refused;
        let Some(endpoint) = self.endpoints.get(source) else {
            refused.source_unknown.add(1);
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "source_unknown",
                "no source has this name",
            ));
        };
        let length = content_length(headers).ok_or_else(|| {
            refused.length_required.add(1);
            Problem::new(
                StatusCode::LENGTH_REQUIRED,
                "length_required",
                "say Content-Length and don't send in chunks",
            )
        })?;
        if length > WEBHOOK_BODY_BYTES_MAX {
            refused.body_too_large.add(1);
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is over 1 MiB",
            ));
        }
        if encoded(headers) {
            refused.encoding_unsupported.add(1);
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "encoding_unsupported",
                "send the body without a content encoding",
            ));
        }
        Ok((endpoint, length))
    }

    /// Sets memory aside for a body.
    fn room(&self, length: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let kib = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        self.bodies.try_acquire_many(kib).map_err(|_| {
            self.metrics.webhooks.try_later.add(1);
            Problem::try_later("too many deliveries at once")
        })
    }

    /// Counts every signature fault and logs one a second. The outside never learns which it was.
    fn unauthentic(&self, fault: SignatureFault, source: &Source) -> Problem {
        self.metrics.signature_fault(fault);
        let second = self.clock.now().seconds();
        if self.complained.swap(second, Ordering::Relaxed) != second {
            tracing::warn!(source = %source.name, %fault, "a delivery was refused");
        }
        Problem::new(StatusCode::UNAUTHORIZED, "signature_invalid", "the signature does not hold")
    }

    fn unavailable(&self, reason: Unavailable) -> Problem {
        self.metrics.webhooks.try_later.add(1);
        Problem::try_later(match reason {
            Unavailable::Full => "too many deliveries at once",
            Unavailable::Latched | Unavailable::Stopping => {
                "the log takes no records at the moment"
            }
        })
    }
}

async fn receive(
    State(public): State<Arc<Public>>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let ((ledger, source), length) = public.head(&source, &headers)?;
    let _room = public.room(length)?;
    let body =
        whole(body, length).await.inspect_err(|_| public.metrics.refused.body_broken.add(1))?;
    let received_at = public.clock.now();
    let delivery = {
        let named: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let verified = verify(source, Headers(&named), &body, received_at)
            .map_err(|fault| public.unauthentic(fault, source))?;
        read(source, &verified, received_at)
    };
    let input = Input::Delivery(Box::new(delivery));
    let request = Request { ledger: ledger.clone(), input, body };
    let answer =
        public.writer.submit(request).await.map_err(|reason| public.unavailable(reason))?;
    answered(&public.metrics, ledger, &answer)
}

/// The length that the head gives; none where the body comes in chunks, whatever else is said.
fn content_length(headers: &HeaderMap) -> Option<usize> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The whole body, copied once. The connection itself holds it to the length that its head gave.
async fn whole(body: Body, length: usize) -> Result<Arc<[u8]>, Problem> {
    let collected = tokio::time::timeout(BODY_WAIT_MAX, collect(body, length)).await;
    match collected {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(Problem::malformed("the body is not as long as its head says")),
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "the body took too long"))
        }
    }
}

async fn collect(mut body: Body, length: usize) -> Option<Arc<[u8]>> {
    let first = frame(&mut body).await?;
    if first.len() == length {
        return Some(Arc::from(&*first));
    }
    let mut bytes = Vec::with_capacity(length);
    let mut next = Some(first);
    while let Some(part) = next {
        bytes.extend_from_slice(&part);
        if bytes.len() >= length {
            break;
        }
        next = frame(&mut body).await.filter(|part| !part.is_empty());
    }
    if bytes.len() == length { Some(Arc::from(bytes)) } else { None }
}

/// The next bytes; empty at the end, none when the connection broke.
async fn frame(body: &mut Body) -> Option<Bytes> {
    loop {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(part) if part.is_empty() => {}
                Ok(part) => return Some(part),
                Err(_) => {}
            },
            Some(Err(_)) => return None,
            None => return Some(Bytes::new()),
        }
    }
}

/// What became of a delivery.
pub(crate) struct Told {
    pub(crate) outcome: Became,
    /// Of a duplicate: that of the original.
    pub(crate) sequence: Sequence,
    /// Why it is in quarantine.
    pub(crate) reason: Option<&'static str>,
}

/// What may become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    Recorded,
    Duplicate,
    Conflict,
    Ignored,
    Quarantined,
}

impl Became {
    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
        }
    }
}

/// What an answer says of a delivery.
pub(crate) fn told(answer: &Answer) -> Result<Told, Problem> {
    let (outcome, sequence, reason) = match answer {
        Answer::Recorded { record, .. } => match record.decision.outcome {
            Outcome::Recorded | Outcome::Done => (Became::Recorded, record.sequence, None),
            Outcome::Ignored => (Became::Ignored, record.sequence, None),
            Outcome::Conflict { .. } => (Became::Conflict, record.sequence, None),
            Outcome::Quarantined(why) => {
                (Became::Quarantined, record.sequence, Some(quarantine(why)))
            }
        },
        Answer::Duplicate { sequence } => (Became::Duplicate, *sequence, None),
        Answer::KnownConflict { sequence } => (Became::Conflict, *sequence, None),
        Answer::Replayed { .. } | Answer::Refused(_) => {
            tracing::error!("a delivery was answered like a command");
            return Err(Problem::internal());
        }
    };
    Ok(Told { outcome, sequence, reason })
}

/// Names of ledgers, outcomes and reasons need no escapes, so the text is put together by hand.
fn answered(metrics: &Metrics, ledger: &LedgerId, answer: &Answer) -> Result<Response, Problem> {
    let Told { outcome, sequence, reason } = told(answer)?;
    let counters = &metrics.webhooks;
    let counter = match outcome {
        Became::Recorded => &counters.recorded,
        Became::Duplicate => &counters.duplicate,
        Became::Conflict => &counters.conflict,
        Became::Ignored => &counters.ignored,
        Became::Quarantined => &counters.quarantined,
    };
    counter.add(1);
    Ok(said(outcome.name(), ledger, sequence, reason))
}

fn said(outcome: &str, ledger: &LedgerId, sequence: Sequence, reason: Option<&str>) -> Response {
    let text = match reason {
        None => format!(r#"{{"outcome":"{outcome}","ledger":"{ledger}","sequence":{sequence}}}"#),
        Some(reason) => format!(
            r#"{{"outcome":"{outcome}","ledger":"{ledger}","sequence":{sequence},"reason":"{reason}"}}"#
        ),
    };
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], text).into_response()
}

/// The name of a reason in the contract.
pub(crate) const fn quarantine(why: Quarantine) -> &'static str {
    match why {
        Quarantine::Malformed => "malformed",
        Quarantine::UnknownAction => "unknown-action",
        Quarantine::UnknownCurrency => "unknown-currency",
        Quarantine::AmountInvalid => "amount-invalid",
        Quarantine::Stale => "stale",
        Quarantine::Simulated => "simulated",
        Quarantine::Undecided => "undecided",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(named: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        named.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_length_must_be_given_and_be_the_only_framing() {
        let length = header::CONTENT_LENGTH;
        assert_eq!(content_length(&headers(&[(length.clone(), "12")])), Some(12));
        assert_eq!(content_length(&headers(&[])), None);
        assert_eq!(content_length(&headers(&[(length.clone(), "-1")])), None);
        let chunked = headers(&[(length, "12"), (header::TRANSFER_ENCODING, "chunked")]);
        assert_eq!(content_length(&chunked), None);
    }

    #[test]
    fn only_identity_is_no_encoding() {
        assert!(!encoded(&headers(&[])));
        assert!(!encoded(&headers(&[(header::CONTENT_ENCODING, "Identity")])));
        for other in ["gzip", "br", "identity, gzip", ""] {
            assert!(encoded(&headers(&[(header::CONTENT_ENCODING, other)])), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_put_together_from_its_parts() {
        assert_eq!(whole(Body::from("abc"), 3).await.as_deref(), Ok(&b"abc"[..]));
        assert_eq!(whole(Body::empty(), 0).await.as_deref(), Ok(&b""[..]));
        assert!(whole(Body::from("abc"), 4).await.is_err());
        assert!(whole(Body::from("abc"), 2).await.is_err());
    }
}
