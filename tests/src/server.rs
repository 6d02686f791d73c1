//! The server under test, running.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use ureq::http::Method;

use crate::{
    binary,
    home::{CONFIG, Home, LEDGER, TOKEN},
    http::{Answer, Client},
    paddle::Delivery,
    process::{Process, Signal},
    wait::{self, LONG},
};

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Where webhooks come in.
    pub public: SocketAddr,
    /// Where the API is.
    pub private: SocketAddr,
    client: Client,
}

impl Server {
    /// Starts the server of a home and waits until it says that it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn start(home: &Home) -> Result<Self> {
        Self::start_within(home, LONG)?.context("the server was not ready in time")
    }

    /// Starts the server; when it is not ready in time, kills it and returns none.
    ///
    /// # Errors
    /// It can't be started, or ended by itself.
    pub fn start_within(home: &Home, time: Duration) -> Result<Option<Self>> {
        Self::start_as(home, &mut serve(home)?, time)
    }

    /// Starts the server with such variables in its environment and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn start_with(home: &Home, variables: &[(&str, OsString)]) -> Result<Self> {
        let mut command = serve(home)?;
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::start_as(home, &mut command, LONG)?.context("the server was not ready in time")
    }

    fn start_as(home: &Home, command: &mut Command, time: Duration) -> Result<Option<Self>> {
        let log = File::options().append(true).create(true).open(home.file("log"))?;
        let mut process = Process::start(
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log)),
        )?;
        let stdout = process.child().stdout.take().context("the server has no standard output")?;
        let (sender, lines) = mpsc::channel();
        // Reads to the end, so that the server never writes into a broken pipe.
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| {
                let _ = sender.send(line);
            });
        });
        match lines.recv_timeout(time) {
            Ok(line) => {
                let (public, private) = addresses(&line)?;
                Ok(Some(Self { process, public, private, client: Client::default() }))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let log = fs::read_to_string(home.file("log")).unwrap_or_default();
                anyhow::bail!("the server ended before it was ready:\n{log}")
            }
        }
    }

    /// Ends the server at once, as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// The system refused.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// Ends the server at once while others still use it.
    ///
    /// # Errors
    /// The system refused.
    pub fn crash(&self) -> Result<()> {
        self.process.signal(Signal::KILL)
    }

    /// Asks the server to end and waits until it has.
    ///
    /// # Errors
    /// It does not end, or not well.
    pub fn stop(mut self) -> Result<()> {
        let status = self.process.terminate()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Posts a delivery to a source.
    ///
    /// # Errors
    /// There was no answer.
    pub fn deliver(&self, source: &str, delivery: &Delivery) -> Result<Answer> {
        let headers =
            [("content-type", "application/json"), ("paddle-signature", &delivery.header)];
        let url = format!("http://{}/webhooks/{source}", self.public);
        self.client.send(Method::POST, &url, &headers, Some(&delivery.body))
    }

    /// Reads a path of the private API, such as `/readyz`.
    ///
    /// # Errors
    /// There was no answer.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, TOKEN, path, &[], None)
    }

    /// Sends anything to the private API, as the holder of this token.
    ///
    /// # Errors
    /// There was no answer.
    pub fn ask(
        &self,
        method: Method,
        token: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer> {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", &*bearer), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        let url = format!("http://{}{path}", self.private);
        self.client.send(method, &url, &all, body.map(str::as_bytes))
    }

    /// Sends a command to an account of [`LEDGER`], under an idempotency key.
    ///
    /// # Errors
    /// There was no answer.
    pub fn command(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let path = format!("/v1/ledgers/{LEDGER}/accounts/{path}");
        self.ask(Method::POST, TOKEN, &path, &[("idempotency-key", key)], Some(&body.to_string()))
    }

    /// An account of [`LEDGER`].
    ///
    /// # Errors
    /// There is none, or no answer.
    pub fn account(&self, account: &str) -> Result<Value> {
        let answer = self.get(&format!("/v1/ledgers/{LEDGER}/accounts/{account}"))?;
        ensure!(answer.status == 200, "account {account}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// All items of a list of [`LEDGER`], such as `records`, page by page.
    ///
    /// # Errors
    /// A page is no page.
    pub fn list(&self, path: &str, limit: usize) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/ledgers/{LEDGER}/{path}?limit={limit}{cursor}");
            let answer = self.get(&path)?;
            ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
            let mut page = answer.json()?;
            let page_items = page.get_mut("items").and_then(Value::as_array_mut);
            let page_items = page_items.with_context(|| format!("{path}: no items"))?;
            ensure!(page_items.len() <= limit, "{path}: {} items", page_items.len());
            items.append(page_items);
            match page.get("next") {
                Some(Value::String(next)) => cursor = format!("&cursor={next}"),
                Some(Value::Null) => return Ok(items),
                other => anyhow::bail!("{path}: next is {other:?}"),
            }
        }
    }

    /// Waits until all that is recorded is published.
    ///
    /// # Errors
    /// It does not come to that.
    pub fn ready(&self) -> Result<()> {
        wait::until("/readyz to answer 200", || {
            self.get("/readyz").ok().filter(|answer| answer.status == 200).map(drop)
        })
    }
}

/// Runs the binary to its end, in the folder of a home.
///
/// # Errors
/// It can't be started.
pub fn run(home: &Home, arguments: &[&str]) -> Result<Output> {
    let mut command = binary::command(arguments)?;
    command.current_dir(home.path()).stdin(Stdio::null());
    command.output().with_context(|| format!("run {arguments:?}"))
}

/// Runs a server that is not expected to start.
///
/// # Errors
/// It does not end by itself.
pub fn refused(home: &Home) -> Result<(ExitStatus, String)> {
    let path = home.file("refused");
    let mut process = Process::start(
        serve(home)?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&path)?),
    )?;
    let status = process.ended()?;
    Ok((status, fs::read_to_string(path)?))
}

/// `audit verify --json` of a home whose server is stopped.
///
/// # Errors
/// It prints no JSON, or does not exit as it says.
pub fn verify(home: &Home) -> Result<Value> {
    let output = run(home, &["audit", "verify", "--data", "data", "--json"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(text.trim()).with_context(|| {
        let faults = String::from_utf8_lossy(&output.stderr);
        format!("audit verify ended with {}: {text}{faults}", output.status)
    })?;
    let ok = report.get("ok").and_then(Value::as_bool).context("a report without ok")?;
    ensure!(output.status.code() == Some(i32::from(!ok)), "{} for {report}", output.status);
    Ok(report)
}

fn serve(home: &Home) -> Result<Command> {
    let mut command = binary::command(&["serve", "--config", CONFIG])?;
    command.current_dir(home.path());
    Ok(command)
}

fn addresses(line: &str) -> Result<(SocketAddr, SocketAddr)> {
    let said: Value =
        serde_json::from_str(line).with_context(|| format!("the first line is no JSON: {line}"))?;
    let address = |name: &str| -> Result<SocketAddr> {
        let text = said.get(name).and_then(Value::as_str);
        Ok(text.with_context(|| format!("the first line lacks {name}: {line}"))?.parse()?)
    };
    Ok((address("public")?, address("private")?))
}
