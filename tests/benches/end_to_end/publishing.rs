//! Balance events beside webhooks, over a real broker that syncs every batch: whether publishing
//! keeps up, how late events are, and what a broker that is away costs.

use std::{
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use domain::time::Timestamp;
use tallyhook_tests::{
    home::{Home, Setup},
    nats::{Arrived, Broker, Subscriber, gapless},
    server::Server,
};
use tokio::runtime;

use crate::{
    drive::drive,
    figures::{Figures, milliseconds, rate, ratio},
    memory,
    paced::Paced,
    requests::{Batch, Signed, Template},
};

/// At full rate: connections, and events in a round.
const CONNECTIONS: usize = 64;
const EVENTS: usize = 60_000;

/// Rounds at full rate, and rounds whose p99 is compared.
const ROUNDS: usize = 3;
const ROUNDS_COMPARED: usize = 5;

/// Webhooks in a second where the rate is fixed.
const WEBHOOKS: u32 = 2_000;

/// How long all that waits may take to be published.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(5);

/// Measures all of it; each round at a fixed rate takes so many seconds.
pub(crate) fn measure(seconds: u32) -> Result<()> {
    let mut template = Template::new()?;
    let quiet = Home::new(&Setup::one())?;
    let alone = Server::start(&quiet)?;
    warm(&alone, &mut template)?;
    println!("\n{EVENTS} events at {CONNECTIONS} connections:");
    for _ in 0..ROUNDS {
        let figures = drive(alone.public, &template.batch(EVENTS, Signed::Rightly)?, CONNECTIONS)?;
        println!("without a broker: {} events/s", figures.rate());
    }
    alone.stop()?;
    let mut broker = Broker::start()?;
    let home = Home::new(&Setup::with_nats(broker.url()))?;
    let server = Server::start(&home)?;
    let mut published = warm(&server, &mut template)?;
    for _ in 0..ROUNDS {
        published = full_rate(&server, &broker, &mut template, published)?;
    }
    let subscriber = Subscriber::follow(&broker);
    wait_for(&subscriber, published)?;
    for _ in 0..ROUNDS {
        published = lateness(&server, &subscriber, &mut template, (published, seconds))?;
    }
    drop(subscriber);
    away(server, &mut broker, &mut template, (published, seconds))
}

fn warm(server: &Server, template: &mut Template) -> Result<usize> {
    let batch = template.batch(4_000, Signed::Rightly)?;
    drive(server.public, &batch, CONNECTIONS)?;
    Ok(batch.len())
}

/// Drives as fast as the server answers; tells when all of it is in the stream.
fn full_rate(
    server: &Server,
    broker: &Broker,
    template: &mut Template,
    published: usize,
) -> Result<usize> {
    wait_for_stream(broker, published)?;
    let batch = template.batch(EVENTS, Signed::Rightly)?;
    let started = Instant::now();
    let figures = drive(server.public, &batch, CONNECTIONS)?;
    let published = published.saturating_add(batch.len());
    wait_for_stream(broker, published)?;
    let all = rate(batch.len(), started.elapsed());
    println!(
        "with a broker: {} events/s, published {all} events/s, ratio {}",
        figures.rate(),
        ratio(all, figures.rate())
    );
    Ok(published)
}

/// Drives at a fixed rate; tells how long after its record was made each event arrived.
fn lateness(
    server: &Server,
    subscriber: &Subscriber,
    template: &mut Template,
    (published, seconds): (usize, u32),
) -> Result<usize> {
    let batch = paced_batch(template, seconds)?;
    paced(server, &batch)?;
    let all = published.saturating_add(batch.len());
    wait_for(subscriber, all)?;
    let late: Result<Vec<u32>> = subscriber.arrived(published).iter().map(lag).collect();
    let figures = Figures::new(Duration::from_secs(seconds.into()), late?);
    println!("{WEBHOOKS} webhooks/s: events arrive after {} ms (p50 / p99)", figures.latency());
    Ok(all)
}

/// How long after its record was made a message arrived, in microseconds.
fn lag(arrived: &Arrived) -> Result<u32> {
    let made = Timestamp::parse(&arrived.envelope.time).context("no time")?;
    let at = arrived.at.duration_since(UNIX_EPOCH)?.as_micros();
    let micros = i128::try_from(at)?.saturating_sub(i128::from(made.micros()));
    Ok(u32::try_from(micros.max(0)).unwrap_or(u32::MAX))
}

/// Compares what webhooks wait for while the broker is there and while it is away.
fn away(
    server: Server,
    broker: &mut Broker,
    template: &mut Template,
    (mut sent, seconds): (usize, u32),
) -> Result<()> {
    let mut p99s = Vec::new();
    for is_away in [false, true] {
        if is_away {
            broker.kill()?;
        }
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS_COMPARED {
            let batch = paced_batch(template, seconds)?;
            let figures = paced(&server, &batch)?;
            sent = sent.saturating_add(batch.len());
            rounds.push(figures.p99());
        }
        rounds.sort_unstable();
        let told = if is_away { "away" } else { "there" };
        let shown: Vec<String> = rounds.iter().map(|micros| milliseconds(*micros)).collect();
        let resident = memory(server.id(), "VmRSS")? / 1024;
        println!("broker {told}: p99 of {} ms; resident {resident} MB", shown.join(", "));
        p99s.push(rounds.get(ROUNDS_COMPARED / 2).copied().unwrap_or(0));
    }
    if let [there, away] = p99s.as_slice() {
        println!("ratio of the medians, away to there: {}", ratio((*away).into(), (*there).into()));
    }
    broker.restart()?;
    let started = Instant::now();
    wait_for_stream(broker, sent)?;
    let (took, resident) = (started.elapsed(), memory(server.id(), "VmHWM")? / 1024);
    println!("all of it published {} ms later; at most {resident} MB resident", took.as_millis());
    let follower = Subscriber::follow(broker);
    wait_for(&follower, sent)?;
    gapless(&follower.seen())?;
    println!("{sent} messages in the stream: each account's versions gapless, in order, once");
    server.stop()
}

fn paced_batch(template: &mut Template, seconds: u32) -> Result<Batch> {
    template.batch(usize::try_from(WEBHOOKS.saturating_mul(seconds))?, Signed::Rightly)
}

fn paced(server: &Server, batch: &Batch) -> Result<Figures> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = tokio::time::Instant::now();
        let webhooks = Paced { address: server.public, start, rate: WEBHOOKS, status: "200" };
        webhooks.run(|index| batch.request(index)).await
    })
}

fn wait_for_stream(broker: &Broker, messages: usize) -> Result<()> {
    let messages = u64::try_from(messages)?;
    wait("the stream", || broker.messages().is_ok_and(|found| found >= messages))
}

fn wait_for(subscriber: &Subscriber, messages: usize) -> Result<()> {
    wait("the subscriber", || subscriber.count() >= messages)
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let started = Instant::now();
    while !is_so() {
        ensure!(started.elapsed() < PATIENCE, "{what} lacks messages");
        thread::sleep(PAUSE);
    }
    Ok(())
}
