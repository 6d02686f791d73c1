//! The provider's lists, asked of itself: page after page, no faster than it allows.

use std::{path::PathBuf, sync::Arc, thread::sleep, time::Duration};

use anyhow::anyhow;
use clap::Args;
use server::config::Environment;
use ureq::{
    Agent,
    http::{Response, Uri},
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{
    super::file::{Existing, written},
    pagination,
};
use crate::{exit::Failed, progress::Shown};

/// The lists, each by its path.
const LISTS: [&str; 3] = ["events", "transactions", "adjustments"];

/// The pause between two requests: Paddle allows 240 in a minute.
const PAUSE: Duration = Duration::from_millis(300);

/// How often a page is asked for that could not be had.
const ATTEMPTS_MAX: u32 = 6;

/// The longest wait that the provider may ask for before a page is asked for again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// The longest that one page may take.
const PAGE_WAIT_MAX: Duration = Duration::from_secs(60);

/// The most pages of one list: with 200 events on each, more than Paddle keeps of most.
const PAGES_MAX: usize = 20_000;

/// The largest page.
const PAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct FetchArguments {
    /// Asks the provider for its lists itself.
    #[arg(long)]
    fetch: bool,
    /// Where its API is.
    #[arg(long, value_name = "URL", default_value = "https://api.paddle.com")]
    api: String,
    /// The environment variable with the API key; it needs to read events, transactions and
    /// adjustments, and nothing else.
    #[arg(long, value_name = "NAME", default_value = "PADDLE_API_KEY")]
    key_env: String,
    /// Writes the pages into this folder as they came, so that the same can be asked again.
    #[arg(long, value_name = "FOLDER", requires = "fetch")]
    save: Option<PathBuf>,
}

impl FetchArguments {
    /// All pages by their names; none unless they are asked for.
    pub(super) fn fetched(&self) -> Result<Vec<(String, Vec<u8>)>, Failed> {
        if !self.fetch {
            return Ok(Vec::new());
        }
        let base = self.api.trim_end_matches('/');
        guarded(base)?;
        let environment = Environment::of_process();
        let key = environment.get(&self.key_env).ok_or_else(|| {
            Failed::usage(anyhow!("{} is not set; put the provider's API key there", self.key_env))
        })?;
        let agent = agent()?;
        let mut pages = Vec::new();
        for list in LISTS {
            pages.extend(self.list(&agent, base, key, list)?);
        }
        Ok(pages)
    }

    fn list(
        &self,
        agent: &Agent,
        base: &str,
        key: &str,
        list: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, Failed> {
        let mut pages = Vec::new();
        let mut next = Some(format!("{base}/{list}"));
        let mut shown = Shown::new("asking the provider");
        while let Some(url) = next {
            if pages.len() == PAGES_MAX {
                return Err(Failed::unopened(anyhow!("{base}/{list} has over {PAGES_MAX} pages")));
            }
            if !pages.is_empty() {
                sleep(PAUSE);
            }
            let page = page(agent, &url, key)?;
            let more = pagination(&page).filter(|more| more.has_more);
            next = more.and_then(|more| more.next);
            // The key goes nowhere else.
            if next.as_ref().is_some_and(|next| !next.starts_with(&format!("{base}/"))) {
                return Err(Failed::unopened(anyhow!("{url} goes on at another address")));
            }
            let name = format!("{list}-{:05}.json", pages.len());
            if let Some(folder) = &self.save {
                let path = folder.join(&name);
                std::fs::create_dir_all(folder).map_err(|error| {
                    Failed::unopened(error).context(format!("make {}", folder.display()))
                })?;
                written(&path, Existing::Replaced, &page)?;
            }
            // A page whose successor is here is whole.
            pages.push((name, page));
            let done = u64::try_from(pages.len()).unwrap_or(u64::MAX);
            shown.at(done, done.saturating_add(u64::from(next.is_some())));
        }
        Ok(pages)
    }
}

/// A key is told to nobody who could listen.
fn guarded(base: &str) -> Result<(), Failed> {
    let uri: Option<Uri> = base.parse().ok();
    let near = ["127.0.0.1", "localhost", "[::1]"];
    let fit = uri.is_some_and(|uri| match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(|host| near.contains(&host)),
        _ => false,
    });
    if fit {
        return Ok(());
    }
    Err(Failed::usage(anyhow!("--api {base} must be an https URL: the key is sent there")))
}

fn agent() -> Result<Agent, Failed> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<Certificate<'static>> =
        found.certs.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PAGE_WAIT_MAX))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    Ok(config.new_agent())
}

/// One page, asked for again where the provider is busy.
fn page(agent: &Agent, url: &str, key: &str) -> Result<Vec<u8>, Failed> {
    let mut wait = PAUSE;
    for left in (0..ATTEMPTS_MAX).rev() {
        let asked = agent.get(url).header("Authorization", format!("Bearer {key}")).call();
        match asked {
            Ok(mut response) if response.status().as_u16() == 200 => {
                let read = response.body_mut().with_config().limit(PAGE_BYTES_MAX).read_to_vec();
                return read.map_err(|error| {
                    Failed::unopened(error).context(format!("read the answer of {url}"))
                });
            }
            Ok(response) if left > 0 && busy(&response) => {
                sleep(retry_after(&response).unwrap_or(wait));
            }
            Ok(response) => {
                let status = response.status().as_u16();
                return Err(Failed::unopened(anyhow!(
                    "{url} answered {status}; is the key one of this environment, and may it read \
                     events, transactions and adjustments?"
                )));
            }
            Err(error) if left == 0 => {
                return Err(Failed::unopened(error).context(format!("reach {url}")));
            }
            Err(_) => sleep(wait),
        }
        wait = wait.saturating_mul(2);
    }
    Err(Failed::unopened(anyhow!("{url} did not answer")))
}

fn busy(response: &Response<ureq::Body>) -> bool {
    matches!(response.status().as_u16(), 429 | 500..=599)
}

/// How long the provider asks to wait, within what is reasonable.
fn retry_after(response: &Response<ureq::Body>) -> Option<Duration> {
    let seconds = response.headers().get("Retry-After")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_sent_over_tls_or_to_this_machine() {
        for fit in ["https://api.paddle.com", "http://127.0.0.1:8080", "http://localhost:1"] {
            assert!(guarded(fit).is_ok(), "{fit}");
        }
        for unfit in
            ["http://api.paddle.com", "api.paddle.com", "ftp://x", "", "http://127.0.0.1.x"]
        {
            assert!(guarded(unfit).is_err(), "{unfit}");
        }
    }
}
