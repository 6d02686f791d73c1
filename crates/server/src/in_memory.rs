//! The server without sockets, over a log in memory and a clock that is set: for fuzzing, under the
//! feature `in-memory`, which is off by default.

use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use domain::time::Timestamp;
use engine::step::Engine;
use event_store::{
    log::EventLog,
    memory::{MemoryLog, MemoryViews},
    space::Space,
    views::ViewStore,
};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use projectors::projections::Projections;
use tokio::{
    runtime::{self, Runtime},
    sync::watch,
};

use crate::{
    checkpoints::Checkpoints,
    clock::{Clock as _, ManualClock},
    config::Config,
    private::Backups,
    run::{App, Parts, RunFault},
    settle::settle,
};

/// A server that serves whoever holds it.
pub struct InMemory {
    app: App,
    runtime: Runtime,
    log: Arc<MemoryLog>,
    clock: Arc<ManualClock>,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Where webhooks come in.
    Public,
    /// Where the API is.
    Private,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whom it is for.
    pub listener: Listener,
    /// Its method.
    pub method: &'a str,
    /// Its path with the query.
    pub path: &'a str,
    /// Its headers, of which none is added.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Whether it says that the request was carried out before.
    pub replayed: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl InMemory {
    /// Starts at a moment, with no record but those of the configuration.
    ///
    /// # Errors
    /// As for a real server, but for the disk and the network.
    pub fn start(config: Config, now: Timestamp) -> Result<Self, RunFault> {
        let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
        let log = Arc::new(MemoryLog::new());
        let shared: Arc<dyn EventLog> = log.clone();
        let views: Arc<dyn ViewStore> = Arc::new(MemoryViews::new());
        let checkpoints = Checkpoints::none(Arc::clone(&views));
        let projections = Arc::new(Projections::new(views));
        let engine = Engine::open(Arc::clone(&shared), Arc::clone(&projections), |_, _| {})?;
        let clock = Arc::new(ManualClock::new(now));
        let served = settle(&engine, &projections, &config, clock.now())?;
        let space = Arc::new(Space::told(&config.data, |_| Ok(u64::MAX)));
        let app = App::start(Parts {
            config,
            engine,
            served,
            log: shared,
            projections,
            clock: clock.clone(),
            publisher: None,
            space,
            backups: Backups::of(None),
            wake: watch::Sender::new(0),
            checkpoints,
        })?;
        Ok(Self { app, runtime, log, clock })
    }

    /// The answer to a request; none where it is no HTTP.
    #[must_use]
    pub fn ask(&self, ask: &Ask<'_>) -> Option<Reply> {
        let request = Request::builder().method(ask.method).uri(ask.path);
        let headers = ask.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::from(ask.body.to_vec())).ok()?;
        let router: &Router = match ask.listener {
            Listener::Public => &self.app.public,
            Listener::Private => &self.app.private,
        };
        let service = TowerToHyperService::new(router.clone());
        self.runtime.block_on(async {
            let Ok(response) = service.call(request).await;
            let (head, body) = response.into_parts();
            let body = body.collect().await.ok()?.to_bytes().to_vec();
            let replayed = head.headers.contains_key("idempotent-replayed");
            Some(Reply { status: head.status.as_u16(), replayed, body })
        })
    }

    /// The clock, which stands until it is set.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What was recorded.
    #[must_use]
    pub fn log(&self) -> &MemoryLog {
        &self.log
    }

    /// Ends its thread; `false` when that had failed.
    #[must_use]
    pub fn stop(self) -> bool {
        self.app.stop()
    }
}
