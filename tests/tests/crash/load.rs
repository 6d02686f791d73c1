//! What is sent to a server, over many connections at once so that groups form, and what it
//! acknowledged.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    thread,
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    dice::Dice,
    home::{LEDGER, SOURCE, TOKEN},
    paddle::{Delivery, Purchase},
    server::Server,
    wait::LONG,
};

use crate::shim;

/// Cents of a purchase; a credit is a US dollar.
const CENTS: u64 = 1_000;
pub(crate) const PURCHASED: i64 = 10;

/// One request that changes balances, as it goes over the wire.
pub(crate) struct Item {
    /// The event's id, or the idempotency key.
    pub(crate) known_by: String,
    pub(crate) account: String,
    /// What it adds to the account.
    pub(crate) credits: i64,
    /// The SHA-256 of the body of a delivery.
    pub(crate) body: Option<[u8; 32]>,
    request: Vec<u8>,
}

/// That a server said that an item is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) known_by: String,
    pub(crate) sequence: u64,
    /// How long the trace was at that moment.
    pub(crate) at: u64,
}

/// What became of a load.
#[derive(Default)]
pub(crate) struct Posted {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Statuses other than success, with what was said.
    pub(crate) refused: Vec<(u16, String)>,
    /// Why a connection broke.
    pub(crate) broke: Option<String>,
}

impl Item {
    /// A purchase with so many random bytes in its body.
    pub(crate) fn purchase(number: u64, account: &str, filler: usize, dice: &mut Dice) -> Self {
        let purchase = Purchase { number, account: account.to_owned(), cents: CENTS };
        let mut body = purchase.body().unwrap();
        if filler > 0 {
            let bytes: Vec<u8> = (0..filler / 16).flat_map(|_| dice.roll().to_ne_bytes()).collect();
            body["data"]["custom_data"]["filler"] = Value::from(hex::encode(bytes));
        }
        let Delivery { header, body } = Delivery::of(&body).unwrap();
        let mut request = format!(
            "POST /webhooks/{SOURCE} HTTP/1.1\r\nhost: tests\r\ncontent-type: application/json\r\n\
             paddle-signature: {header}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // Safe: JSON is UTF-8.
        request.push_str(std::str::from_utf8(&body).unwrap());
        Self {
            known_by: purchase.event(),
            account: account.to_owned(),
            credits: PURCHASED,
            body: Some(Sha256::digest(&body).into()),
            request: request.into_bytes(),
        }
    }

    /// A debit of one credit.
    pub(crate) fn debit(number: u64, account: &str) -> Self {
        let known_by = format!("debit-{number}");
        let body = json!({"amount": "1"}).to_string();
        let request = format!(
            "POST /v1/ledgers/{LEDGER}/accounts/{account}/debits HTTP/1.1\r\nhost: tests\r\n\
             authorization: Bearer {TOKEN}\r\nidempotency-key: {known_by}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (account, request) = (account.to_owned(), request.into_bytes());
        Self { known_by, account, credits: -1, body: None, request }
    }
}

/// Sends items over so many connections for each of some threads, in rounds: each connection has
/// one request under way. Ends when all are answered or a connection breaks.
pub(crate) fn post(
    server: &Server,
    items: &[Arc<Item>],
    (threads, connections): (usize, usize),
    trace: &Path,
) -> Posted {
    let share = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(move || post_rounds(server, items, connections, trace)))
            .collect();
        let mut posted = Posted::default();
        for part in parts {
            let part = part.join().unwrap();
            posted.acknowledged.extend(part.acknowledged);
            posted.refused.extend(part.refused);
            posted.broke = posted.broke.or(part.broke);
        }
        posted
    })
}

fn post_rounds(server: &Server, items: &[Arc<Item>], connections: usize, trace: &Path) -> Posted {
    let mut posted = Posted::default();
    let mut lines: Vec<Line> = (0..connections).map(|_| Line::default()).collect();
    for round in items.chunks(connections) {
        for (item, line) in round.iter().zip(&mut lines) {
            let sent = line.send(server, item);
            posted.broke = posted.broke.or(sent.err().map(|error| error.to_string()));
        }
        for (item, line) in round.iter().zip(&mut lines) {
            match line.receive(item) {
                Ok((200 | 201, said)) => {
                    let said: Value = serde_json::from_str(&said).unwrap();
                    posted.acknowledged.push(Acknowledged {
                        known_by: item.known_by.clone(),
                        sequence: said["sequence"].as_u64().unwrap(),
                        at: shim::length(trace),
                    });
                }
                Ok(refused) => posted.refused.push(refused),
                Err(error) => posted.broke = Some(error.to_string()),
            }
        }
        if posted.broke.is_some() {
            break;
        }
    }
    posted
}

/// The connections of one client: to webhooks and to the API.
#[derive(Default)]
struct Line {
    streams: BTreeMap<SocketAddr, BufReader<TcpStream>>,
    waits_for: Option<SocketAddr>,
}

impl Line {
    fn send(&mut self, server: &Server, item: &Item) -> io::Result<()> {
        let address = if item.body.is_some() { server.public } else { server.private };
        self.waits_for = None;
        let stream = match self.streams.entry(address) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(LONG))?;
                place.insert(BufReader::new(stream))
            }
        };
        stream.get_mut().write_all(&item.request)?;
        self.waits_for = Some(address);
        Ok(())
    }

    fn receive(&mut self, item: &Item) -> io::Result<(u16, String)> {
        let waits_for = self.waits_for.and_then(|address| self.streams.get_mut(&address));
        let stream = waits_for.ok_or_else(|| io::Error::other("nothing was sent"))?;
        let mut head = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let status = head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status: u16 = status.unwrap_or_else(|| panic!("{}: {head:?}", item.known_by));
        Ok((status, String::from_utf8(body).unwrap()))
    }
}
