//! Puts a message into the stream that no publisher of ours would send.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use anyhow::{Context, Result, ensure};
use balance_events::subject::subject;
use serde_json::Value;
use tallyhook_tests::nats::Broker;

/// Publishes a message where its account's messages are, in the plain text protocol of NATS.
pub(crate) fn publish(broker: &Broker, message: &Value) -> Result<()> {
    let text = |pointer| message.pointer(pointer).and_then(Value::as_str).context("a text");
    let subject = subject(text("/data/ledger")?, text("/data/account")?);
    let payload = message.to_string();
    let address = broker.url().rsplit('/').next().context("an address")?;
    let mut connection = TcpStream::connect(address)?;
    let length = payload.len();
    write!(
        connection,
        "CONNECT {{\"verbose\":false}}\r\nPUB {subject} {length}\r\n{payload}\r\nPING\r\n"
    )?;
    for line in BufReader::new(connection).lines() {
        let line = line?;
        ensure!(!line.starts_with("-ERR"), "{line}");
        if line == "PONG" {
            return Ok(());
        }
    }
    anyhow::bail!("the broker has hung up")
}
