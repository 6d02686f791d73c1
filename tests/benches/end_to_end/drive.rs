//! The load generator: one thread, many connections, requests as bytes.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime,
};

use crate::{figures::Figures, requests::Batch};

/// More than any answer has.
const ANSWER_BYTES_MAX: usize = 4096;

/// Sends a batch over so many keep-alive connections, each with one request at a time.
pub(crate) fn drive(address: SocketAddr, batch: &Batch, connections: usize) -> Result<Figures> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await.context("connect")?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let next = Cell::new(0);
        let latencies = RefCell::new(Vec::with_capacity(batch.len()));
        let started = Instant::now();
        let turns = streams.into_iter().map(|stream| turn(stream, batch, &next, &latencies));
        for done in futures_util::future::join_all(turns).await {
            done?;
        }
        Ok(Figures::new(started.elapsed(), latencies.take()))
    })
}

/// One connection: sends the next request until there is none.
async fn turn(
    mut stream: TcpStream,
    batch: &Batch,
    next: &Cell<usize>,
    latencies: &RefCell<Vec<u32>>,
) -> Result<()> {
    loop {
        let index = next.get();
        let Some(request) = batch.request(index) else { return Ok(()) };
        next.set(index.saturating_add(1));
        let sent = Instant::now();
        answered(&mut stream, request, batch.status).await?;
        let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        latencies.borrow_mut().push(micros);
    }
}

/// Sends one request and reads its answer, which must have this status.
pub(crate) async fn answered(stream: &mut TcpStream, request: &[u8], status: &str) -> Result<()> {
    stream.write_all(request).await?;
    let mut answer = [0; ANSWER_BYTES_MAX];
    let mut length = 0;
    loop {
        let room = answer.get_mut(length..).context("an answer that is too long")?;
        let count = stream.read(room).await?;
        ensure!(count > 0, "the server closed a connection");
        length = length.saturating_add(count);
        if is_whole(answer.get(..length).unwrap_or_default()) {
            break;
        }
    }
    let answer = answer.get(..length).unwrap_or_default();
    let fits = answer.get(9..12) == Some(status.as_bytes());
    ensure!(fits, "expected {status}: {}", String::from_utf8_lossy(answer));
    Ok(())
}

/// All answers of ours are JSON objects in one piece: they end with a brace.
fn is_whole(answer: &[u8]) -> bool {
    answer.last() == Some(&b'}') && answer.windows(4).any(|end| end == b"\r\n\r\n")
}
