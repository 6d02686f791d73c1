//! A small HTTP client: every answer is a value, whatever its status.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{HeaderMap, Method, Request, Response, header::CONTENT_TYPE},
};

use crate::wait::LONG;

/// Shorter than servers keep idle connections, so that none is closed under a request.
const IDLE_MAX: Duration = Duration::from_secs(3);

/// Keeps connections open between requests.
#[derive(Clone, Debug)]
pub struct Client(Agent);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Default for Client {
    fn default() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_idle_age(IDLE_MAX)
            .timeout_global(Some(LONG));
        Self(config.build().into())
    }
}

impl Client {
    /// Sends a request; no body means none at all.
    ///
    /// # Errors
    /// There was no whole answer.
    pub fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method.clone()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => self.0.run(request.body(body)?),
            None => self.0.run(request.body(())?),
        };
        let answer = answer.with_context(|| format!("{method} {url}"))?;
        Answer::read(answer).with_context(|| format!("read the answer to {method} {url}"))
    }
}

impl Answer {
    fn read(answer: Response<Body>) -> Result<Self> {
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(u64::MAX).read_to_vec()?;
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none, or not said to be.
    pub fn json(&self) -> Result<Value> {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        anyhow::ensure!(
            matches!(kind, "application/json" | "application/problem+json"),
            "an answer {} of type {kind:?}: {}",
            self.status,
            self.text()
        );
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }
}

/// Sends bytes as they are and returns the status of the answer: for requests that no client makes.
///
/// # Errors
/// There was no answer.
pub fn raw(address: SocketAddr, request: &[u8]) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).context("connect")?;
    stream.set_read_timeout(Some(LONG))?;
    stream.write_all(request).context("send a raw request")?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).context("read a raw answer")?;
        answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, length)| length.trim().parse::<usize>().ok());
            if count == 0 || length.is_some_and(|length| body.len() >= length) {
                let status = head.split(' ').nth(1).context("a status line without status")?;
                return Ok((status.parse()?, text.into_owned()));
            }
        }
        anyhow::ensure!(count > 0, "the connection ended within the answer: {text}");
    }
}
