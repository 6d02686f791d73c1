//! `kill -9` under load: nothing acknowledged is lost, nothing is credited twice.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tallyhook_tests::{
    home::{Home, SOURCE, Setup},
    paddle::Purchase,
    server::{Server, verify},
    wait,
};

const KILLS: u64 = 20;
const CONNECTIONS: u64 = 8;
const CENTS: u64 = 1_000;

/// One client with an account of its own, and what it was told.
struct Client {
    number: u64,
    /// How many of its purchases exist; their numbers follow from that.
    made: u64,
    /// The purchase that was sent and not acknowledged.
    purchase_open: Option<Purchase>,
    /// The debit that was sent and not acknowledged: its idempotency key.
    debit_open: Option<String>,
    /// Event id to the sequence that was acknowledged.
    events: BTreeMap<String, u64>,
    /// Idempotency key to the sequence that was acknowledged.
    debits: BTreeMap<String, u64>,
}

impl Client {
    fn new(number: u64) -> Self {
        let (purchase_open, debit_open) = (None, None);
        let (events, debits) = (BTreeMap::new(), BTreeMap::new());
        Self { number, made: 0, purchase_open, debit_open, events, debits }
    }

    fn account(&self) -> String {
        format!("client-{}", self.number)
    }

    fn purchase(&self, made: u64) -> Purchase {
        let number = self.number * 1_000_000 + made;
        Purchase { number, account: self.account(), cents: CENTS }
    }

    /// Sends until the connection breaks; counts what is acknowledged.
    fn load(&mut self, server: &Server, acknowledged: &AtomicU64) {
        loop {
            if self.finish(server).is_none() {
                return;
            }
            acknowledged.fetch_add(1, Ordering::Relaxed);
            self.made += 1;
            self.purchase_open = Some(self.purchase(self.made));
            if self.made.is_multiple_of(4) {
                self.debit_open = Some(format!("{}-{}", self.account(), self.made));
            }
            let again = self.purchase(self.made / 2 + 1);
            if self.made.is_multiple_of(3)
                && self.events.contains_key(&again.event())
                && self.buy(server, &again).is_none()
            {
                return;
            }
        }
    }

    /// Sends again what is not acknowledged; none when there was no answer.
    fn finish(&mut self, server: &Server) -> Option<()> {
        if let Some(purchase) = self.purchase_open.take() {
            self.purchase_open = Some(purchase.clone());
            self.buy(server, &purchase)?;
            self.purchase_open = None;
        }
        if let Some(key) = self.debit_open.clone() {
            let path = format!("{}/debits", self.account());
            let answer = server.command(&path, &key, &json!({"amount": "1"})).ok()?;
            assert_eq!(answer.status, 201, "{}", answer.text());
            let sequence = answer.json().unwrap()["sequence"].as_u64().unwrap();
            self.debits.insert(key, sequence);
            self.debit_open = None;
        }
        Some(())
    }

    fn buy(&mut self, server: &Server, purchase: &Purchase) -> Option<()> {
        let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).ok()?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let said = answer.json().unwrap();
        let sequence = said["sequence"].as_u64().unwrap();
        match self.events.insert(purchase.event(), sequence) {
            // Acknowledged before, perhaps by an earlier process: known for ever.
            Some(before) => {
                assert_eq!(said["outcome"], "duplicate", "{said}");
                assert_eq!(sequence, before, "{said}");
            }
            // Stored or not when the last process was killed, nobody knew.
            None => assert!(matches!(said["outcome"].as_str(), Some("recorded" | "duplicate"))),
        }
        Some(())
    }
}

/// Loads the server until enough is acknowledged, then kills it.
fn round(home: &Home, clients: &mut [Client], enough: u64) {
    let server = Server::start(home).unwrap();
    let acknowledged = AtomicU64::new(0);
    thread::scope(|scope| {
        let loads: Vec<_> = clients
            .iter_mut()
            .map(|client| scope.spawn(|| client.load(&server, &acknowledged)))
            .collect();
        wait::until("the load to be acknowledged", || {
            let ended = loads.iter().any(thread::ScopedJoinHandle::is_finished);
            (ended || acknowledged.load(Ordering::Relaxed) >= enough).then_some(())
        })
        .unwrap();
        server.crash().unwrap();
    });
    assert!(acknowledged.load(Ordering::Relaxed) >= enough, "a client ended before the kill");
}

/// How often each event and each command stands in the log, by the id it is known by.
fn logged(server: &Server) -> BTreeMap<String, Vec<u64>> {
    let mut logged: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in server.list("records", 500).unwrap() {
        let input = &record["input"];
        let known_by = input["event"].as_str().or(input["idempotency_key"].as_str()).unwrap();
        logged.entry(known_by.to_owned()).or_default().push(record["sequence"].as_u64().unwrap());
    }
    logged
}

#[test]
fn what_was_acknowledged_is_there_exactly_once() {
    let home = Home::new(&Setup::one()).unwrap();
    let mut clients: Vec<Client> = (1..=CONNECTIONS).map(Client::new).collect();
    for kill in 0..KILLS {
        // Early, in the middle of things and late; no two rounds alike.
        round(&home, &mut clients, 1 + kill * 111 % 301);
        if kill % 4 == 3 {
            // And while it opens, when it may not have read its own log yet.
            let opening = Server::start_within(&home, Duration::from_millis(3 + 7 * kill));
            drop(opening.unwrap());
        }
    }
    let server = Server::start(&home).unwrap();
    for client in &mut clients {
        client.finish(&server).unwrap();
    }
    let logged = logged(&server);
    let mut known = 0;
    for client in &clients {
        for (id, sequence) in client.events.iter().chain(&client.debits) {
            assert_eq!(logged.get(id), Some(&vec![*sequence]), "{id}");
            known += 1;
        }
        let purchases = u64::try_from(client.events.len()).unwrap();
        let debits = u64::try_from(client.debits.len()).unwrap();
        let view = server.account(&client.account()).unwrap();
        let expected = (purchases * (CENTS / 100) - debits).to_string();
        assert_eq!(view["available"], Value::from(expected), "{view}");
    }
    let from_configuration =
        logged.keys().filter(|id| !id.starts_with("evt_") && !id.starts_with("client-"));
    assert_eq!(logged.len(), known + from_configuration.count(), "nothing else was recorded");
    assert_eq!(server.list("exceptions", 50).unwrap(), Vec::<Value>::new());
    let records = server.list("records", 500).unwrap().len();
    server.stop().unwrap();
    let report = verify(&home).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["records"], records, "{report}");
    eprintln!("{KILLS} kills, {known} acknowledged, {records} records");
}
