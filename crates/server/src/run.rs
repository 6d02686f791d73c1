//! Opens everything in order, serves until told to stop, and closes everything in order.

use std::{collections::BTreeMap, io, net::SocketAddr, path::PathBuf, sync::Arc, thread};

use axum::Router;
use domain::ids::LedgerId;
use engine::step::Engine;
use event_store::{
    backup::{Source, is_backup},
    log::EventLog,
    sled::{Derived, OpenError, Options, SledStore},
    space::Space,
    views::ViewStore,
};
use projectors::{fold::FoldError, projections::Projections};
use publisher::{
    courier::Courier,
    run::{Publisher, RunError},
    standing::Standing,
};
use tokio::{net::TcpListener, runtime, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{
    checkpoints::{Checkpoints, Notary, NotaryError, NotaryThread},
    clock::{Clock, SystemClock},
    config::Config,
    erase::warn_of_unfinished,
    expiry::{Expiry, ExpiryThread},
    listen,
    metrics::Metrics,
    private::{Api, Backups, Served, Turns},
    public::Public,
    settle::{SettleError, settle},
    upkeep::Upkeep,
    writer::{Writer, WriterThread, with_causes},
};

/// Where the server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Webhooks.
    pub public: SocketAddr,
    /// The API.
    pub private: SocketAddr,
}

/// Why the server can't start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// The log can't be opened.
    #[error("open the log")]
    Open(#[from] OpenError),
    /// The data directory is a backup, which must stay what it says it is.
    #[error(
        "serve {}: it is a backup; put it into another directory by `tallyhook restore` and serve \
         that", dir.display()
    )]
    Backup {
        /// The directory.
        dir: PathBuf,
    },
    /// The state can't follow the log.
    #[error("bring the state up to the log's end")]
    Fold(#[from] FoldError),
    /// The configuration and the log can't be brought together.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// An address can't be listened on.
    #[error("listen on {address}; is another server running?")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no threads, sockets or signals.
    #[error("start threads")]
    System(#[from] io::Error),
    /// Checkpoints can't be signed.
    #[error("sign checkpoints")]
    Notary(#[from] NotaryError),
    /// A recorded fact contradicts what was published.
    #[error("publish balance events")]
    Publish(#[from] RunError),
    /// A thread ended by a fault of ours; its message is above in the log.
    #[error("the {0} thread failed")]
    Thread(&'static str),
}

/// The two listeners' answers and the writer behind them.
pub(crate) struct App {
    pub(crate) public: Router,
    pub(crate) private: Router,
    pub(crate) expiry: Expiry,
    writer: WriterThread,
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    pub(crate) served: BTreeMap<LedgerId, Served>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) projections: Arc<Projections>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) publisher: Option<watch::Receiver<Standing>>,
    pub(crate) space: Arc<Space>,
    pub(crate) backups: Backups,
    pub(crate) wake: watch::Sender<u64>,
    pub(crate) checkpoints: Checkpoints,
}

impl App {
    pub(crate) fn start(parts: Parts) -> io::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let Parts { config, engine, served, log, projections, clock, .. } = parts;
        let Parts { publisher, space, backups, wake, checkpoints, .. } = parts;
        let (writer, thread) =
            Writer::start(engine, Arc::clone(&clock), Arc::clone(&metrics), wake)?;
        let public = Public::new(&config, writer.clone(), Arc::clone(&clock), Arc::clone(&metrics));
        let tokens = config.tokens;
        let expiry = Expiry {
            ledgers: served.keys().cloned().collect(),
            projections: Arc::clone(&projections),
            writer: writer.clone(),
            clock: Arc::clone(&clock),
        };
        let ledgers = served;
        let api = Api {
            tokens,
            ledgers,
            log,
            projections,
            writer,
            metrics,
            clock,
            publisher,
            space,
            backups,
            checkpoints,
            explained: Turns::new(),
        };
        Ok(Self { public: public.router(), private: api.router(), expiry, writer: thread })
    }

    /// Ends the writer; `false` when it had failed.
    #[cfg(feature = "in-memory")]
    pub(crate) fn stop(self) -> bool {
        self.writer.stop()
    }
}

/// Serves until SIGTERM or SIGINT. Calls `announce` once both listeners answer.
///
/// # Errors
/// Nothing was served, or a recorded fact contradicts the state.
pub fn run(config: Config, announce: impl FnOnce(Addresses)) -> Result<(), RunFault> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = CancellationToken::new();
    runtime.spawn(signalled(stop.clone(), stop_signals(&runtime)?));
    serve(&runtime, config, Arc::new(SystemClock), stop, announce)
}

/// Serves by any clock until it is told to stop, as scenarios and tests do. Signals are left to
/// the caller.
///
/// # Errors
/// See [`run`].
pub fn run_until(
    config: Config,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    announce: impl FnOnce(Addresses),
) -> Result<(), RunFault> {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    serve(&runtime, config, clock, stop, announce)
}

fn serve(
    runtime: &runtime::Runtime,
    config: Config,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    announce: impl FnOnce(Addresses),
) -> Result<(), RunFault> {
    if is_backup(&config.data) {
        return Err(RunFault::Backup { dir: config.data });
    }
    let options = Options { derived: Derived::Rebuilt, ..Options::STANDARD };
    let store = SledStore::open(&config.data, options)?;
    for damaged in store.damaged() {
        tracing::warn!("{damaged}; no record is harmed, and it is made again from the records");
    }
    let (log, projections) = (store.log(), Arc::new(Projections::new(store.views())));
    let engine = Engine::open(Arc::clone(&log), Arc::clone(&projections), |ledger, sequence| {
        tracing::info!(%ledger, %sequence, "reading the log");
    })?;
    warn_of_unfinished(&*log);
    let served = settle(&engine, &projections, &config, clock.now())?;
    let (public, private) = (config.public, config.private);
    let listeners = runtime.block_on(async {
        Ok::<_, RunFault>((listen_on(public).await?, listen_on(private).await?))
    })?;
    let addresses =
        Addresses { public: listeners.0.local_addr()?, private: listeners.1.local_addr()? };

    let (wake, woken) = watch::channel(0);
    let views = store.views();
    let ledgers = served.keys().cloned();
    let (mut notary, checkpoints) =
        Notary::open(&config.checkpoints, &config.data, ledgers, Arc::clone(&log), &views)?;
    let courier = config
        .nats
        .as_ref()
        .map(|nats| Courier::new(nats.publishing(), notary.believed(), notary.offered()));
    if let Some(courier) = &courier {
        notary.holds_to(courier.seen());
    }
    let publishing =
        Publishing::start(&config, Arc::clone(&log), views, (woken, courier), stop.clone())?;
    let publisher = publishing.as_ref().map(|publishing| publishing.standing.clone());
    let (space, backups) = (store.space(), Backups::of(Some(Source::of(&store))));
    let upkeep = Upkeep::start(Arc::clone(&projections), store)?;
    let app = App::start(Parts {
        config,
        engine,
        served,
        log,
        projections,
        clock,
        publisher,
        space,
        backups,
        wake,
        checkpoints,
    })?;
    let expiry = app.expiry.start()?;
    let notary = notary.start()?;

    announce(addresses);
    tracing::info!(public = %addresses.public, private = %addresses.private, "serving");
    runtime.block_on(async {
        let public = tokio::spawn(listen::serve(listeners.0, app.public, stop.clone()));
        let private = tokio::spawn(listen::serve(listeners.1, app.private, stop.clone()));
        let _ = tokio::join!(public, private);
    });
    stop.cancel();
    tracing::info!("stopping");
    close(Threads { expiry, writer: app.writer, notary, publishing, upkeep })
}

/// All that runs until the server stops.
struct Threads {
    expiry: ExpiryThread,
    writer: WriterThread,
    notary: NotaryThread,
    publishing: Option<Publishing>,
    upkeep: Upkeep,
}

/// Everything is awaited, whatever of it failed.
fn close(threads: Threads) -> Result<(), RunFault> {
    let Threads { expiry, writer, notary, publishing, upkeep } = threads;
    let ended = expiry.stop();
    let decided = writer.stop();
    // The last checkpoint covers the last record, and is published before the publisher ends.
    let signed = notary.stop();
    let published = publishing.map_or(Ok(()), Publishing::join);
    let stored = upkeep.stop();
    let all = [(decided, "writer"), (ended, "expiry"), (signed, "notary"), (stored, "upkeep")];
    match all.into_iter().find(|(is_well, _)| !is_well) {
        Some((_, name)) => Err(RunFault::Thread(name)),
        None => published,
    }
}

async fn listen_on(address: SocketAddr) -> Result<TcpListener, RunFault> {
    TcpListener::bind(address).await.map_err(|source| RunFault::Listen { address, source })
}

/// The signals that ask for an orderly stop.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

fn stop_signals(runtime: &runtime::Runtime) -> io::Result<StopSignals> {
    use tokio::signal::unix::{SignalKind, signal};

    let _entered = runtime.enter();
    Ok(StopSignals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    })
}

async fn signalled(stop: CancellationToken, mut signals: StopSignals) {
    tokio::select! {
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
        () = stop.cancelled() => {}
    }
    stop.cancel();
}

/// The publisher on a thread and a runtime of its own, because it reads the log in place.
struct Publishing {
    standing: watch::Receiver<Standing>,
    thread: thread::JoinHandle<Result<(), RunFault>>,
}

impl Publishing {
    fn start(
        config: &Config,
        log: Arc<dyn EventLog>,
        views: Arc<dyn ViewStore>,
        (woken, courier): (watch::Receiver<u64>, Option<Courier>),
        stop: CancellationToken,
    ) -> io::Result<Option<Self>> {
        let Some(nats) = &config.nats else { return Ok(None) };
        let publisher = Publisher::new(nats.publishing(), log, views);
        let standing = publisher.standing();
        let run = move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let carried = async {
                if let Some(courier) = courier {
                    courier.run().await;
                }
            };
            let published = async {
                let result = publisher.run(woken, stop.clone()).await;
                // A contradiction stops the process: late is better than wrong.
                stop.cancel();
                result
            };
            let (result, ()) = runtime.block_on(async { tokio::join!(published, carried) });
            if let Err(error) = &result {
                tracing::error!(
                    error = with_causes(error),
                    "the server stops: what is recorded contradicts itself"
                );
            }
            Ok(result?)
        };
        let thread = thread::Builder::new().name("publisher".to_owned()).spawn(run)?;
        Ok(Some(Self { standing, thread }))
    }

    fn join(self) -> Result<(), RunFault> {
        self.thread.join().unwrap_or(Err(RunFault::Thread("publisher")))
    }
}
