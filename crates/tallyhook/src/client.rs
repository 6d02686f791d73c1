//! A small HTTP client for our own server.

use std::time::Duration;

use anyhow::anyhow;
use ureq::Agent;

use crate::exit::Failed;

/// How often a request is sent that could not be answered.
const ATTEMPTS_MAX: u32 = 6;

/// The wait before the second attempt; each further one doubles it.
const WAIT_MIN: Duration = Duration::from_millis(200);

/// The longest that one request may take.
const REQUEST_WAIT_MAX: Duration = Duration::from_secs(30);

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether a command was carried out before, under the same key.
    pub(crate) replayed: bool,
}

/// Sends requests, again where the server can't answer for now.
pub(crate) struct Client {
    agent: Agent,
}

impl Client {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(REQUEST_WAIT_MAX))
            .http_status_as_error(false)
            .build();
        Self { agent: config.new_agent() }
    }

    /// Asks for a page with a bearer token.
    pub(crate) fn get(&self, url: &str, token: &str) -> Result<Answered, Failed> {
        let ask = || {
            let response =
                self.agent.get(url).header("Authorization", format!("Bearer {token}")).call()?;
            answered(response)
        };
        again(url, ask)
    }

    /// Posts a command with a bearer token. However often it is sent, its key has it carried out
    /// once.
    pub(crate) fn command(
        &self,
        url: &str,
        token: &str,
        key: &str,
        body: &str,
    ) -> Result<Answered, Failed> {
        let send = || {
            let request = self.agent.post(url).header("Content-Type", "application/json");
            let request = request.header("Authorization", format!("Bearer {token}"));
            answered(request.header("Idempotency-Key", key).send(body)?)
        };
        again(url, send)
    }

    /// Posts a signed body. `sign` is asked anew for each attempt, because a signature ages.
    pub(crate) fn post(
        &self,
        url: &str,
        body: &[u8],
        sign: impl Fn() -> (&'static str, String),
    ) -> Result<Answered, Failed> {
        let send = || {
            let (name, value) = sign();
            let request = self.agent.post(url).header("Content-Type", "application/json");
            answered(request.header(name, value).send(body)?)
        };
        again(url, send)
    }
}

fn answered(mut response: ureq::http::Response<ureq::Body>) -> Result<Answered, ureq::Error> {
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("Idempotent-Replayed");
    Ok(Answered { status, body: response.body_mut().read_to_string()?, replayed })
}

/// Tries again, a bounded number of times, when nothing answers or the answer is 503.
fn again(
    url: &str,
    attempt: impl Fn() -> Result<Answered, ureq::Error>,
) -> Result<Answered, Failed> {
    let mut wait = WAIT_MIN;
    for left in (0..ATTEMPTS_MAX).rev() {
        match attempt() {
            Ok(answered) if answered.status != 503 => return Ok(answered),
            Ok(answered) if left == 0 => return Ok(answered),
            Err(error) if left == 0 => {
                let tried = format!("reach {url}; is the server running there?");
                return Err(Failed::unopened(error).context(tried));
            }
            Ok(_) | Err(_) => std::thread::sleep(wait),
        }
        wait = wait.saturating_mul(2);
    }
    Err(Failed::unopened(anyhow!("{url} did not answer")))
}
