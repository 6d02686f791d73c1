//! A backup of all ledgers, sent while the server goes on.
//!
//! A thread beside the asynchronous workers reads one stored value after the other and waits for
//! the client wherever it is slower, so that a backup takes neither much memory nor a lock.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use event_store::backup::{
    PlanError, Source,
    manifest::{Ends, Manifest},
    stream::SendError,
};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use super::{Api, accounts::query, blocking, fault};
use crate::{
    config::Role,
    limits::{
        BACKUP_CHUNK_BYTES, BACKUP_CHUNKS_WAITING_MAX, BACKUP_CLIENT_WAIT_MAX, BACKUPS_AT_ONCE_MAX,
    },
    problem::Problem,
    writer::with_causes,
};

/// What backups are made of.
pub(crate) struct Backups {
    /// None where the log is not on a disk.
    source: Option<Source>,
    places: Arc<Semaphore>,
}

impl Backups {
    pub(crate) fn of(source: Option<Source>) -> Self {
        Self { source, places: Arc::new(Semaphore::new(BACKUPS_AT_ONCE_MAX)) }
    }
}

/// After which end; without it, from the first records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    since: Option<String>,
}

impl After {
    fn ends(&self) -> Result<Ends, Problem> {
        let text = self.since.as_deref().unwrap_or_default();
        Ends::parse(text).ok_or_else(|| {
            Problem::query(
                "since is where an earlier backup ends: LEDGER:RECORD:HASH:INDEXED, by commas",
            )
        })
    }
}

pub(super) async fn send(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Response, Problem> {
    api.admit_everywhere(&headers, Role::Operate)?;
    let since = query(after)?.ends()?;
    let place = Arc::clone(&api.backups.places).try_acquire_owned().map_err(|_| {
        let detail = "another backup is being sent; wait for its end";
        Problem::new(StatusCode::CONFLICT, "backup_running", detail)
    })?;
    let source = api.backups.source.clone().ok_or_else(Problem::internal)?;
    let now = api.clock.now();
    let planned = blocking(move || {
        let manifest = source.plan(&since, now).map_err(refused)?;
        Ok((source, manifest))
    });
    let (source, manifest) = planned.await?;
    let (sender, chunks) = mpsc::channel(BACKUP_CHUNKS_WAITING_MAX);
    let chunks = Chunks(chunks);
    let runtime = Handle::current();
    let out = Out { sender, runtime, filled: Vec::with_capacity(BACKUP_CHUNK_BYTES) };
    tokio::task::spawn_blocking(move || sent(&source, &manifest, out, place));
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, kind)], Body::new(chunks)).into_response())
}

fn refused(error: PlanError) -> Problem {
    match error {
        PlanError::OtherLog { .. } => {
            Problem::new(StatusCode::CONFLICT, "backup_of_another_log", error.to_string())
        }
        PlanError::Rewritten { .. } => {
            Problem::new(StatusCode::CONFLICT, "log_rewritten", error.to_string())
        }
        PlanError::Read(error) => fault(&error),
    }
}

/// Whatever ends the stream early, its receiver notices: the last frame is missing.
fn sent(source: &Source, manifest: &Manifest, mut out: Out, _place: OwnedSemaphorePermit) {
    match source.send(manifest, &mut out) {
        Ok(()) => tracing::info!(records = manifest.records(), "a backup was sent"),
        Err(SendError::Gone(error)) => tracing::warn!(%error, "a backup broke off"),
        Err(SendError::Read(error)) => {
            let error = with_causes(&error);
            tracing::error!(%error, "a backup ended: the log can't be read");
        }
    }
}

/// Gathers what is written into chunks and hands them to the connection.
struct Out {
    sender: mpsc::Sender<Bytes>,
    runtime: Handle,
    filled: Vec<u8>,
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filled.len() >= BACKUP_CHUNK_BYTES {
            self.flush()?;
        }
        self.filled.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::take(&mut self.filled));
        let sent = self.sender.send_timeout(chunk, BACKUP_CLIENT_WAIT_MAX);
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client took no more");
        self.runtime.block_on(sent).map_err(gone)
    }
}

/// The chunks as the body of an answer.
struct Chunks(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.get_mut().0.poll_recv(context);
        chunk.map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}
