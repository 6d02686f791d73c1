//! What a running server sends.

use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use anyhow::anyhow;
use event_store::backup::manifest::Ends;
use serde_json::Value;
use server::config::Environment;
use ureq::Agent;

use crate::{api::segment, exit::Failed};

/// How much is read at once, and how often at most before it is stored.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS_WAITING_MAX: usize = 16;

/// The longest that a server may take to begin, and for each further part.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Asks for what came after these ends.
pub(super) fn ask(server: &str, token_env: &str, since: &Ends) -> Result<impl Read, Failed> {
    let environment = Environment::of_process();
    let token = environment.get(token_env).ok_or_else(|| {
        Failed::usage(anyhow!(
            "the server runs, so it is asked, and {token_env} is not set; put a bearer token there \
             with the role operate in every ledger"
        ))
    })?;
    let url = format!("{}/v1/backup", server.trim_end_matches('/'));
    let config = Agent::config_builder()
        .timeout_connect(Some(WAIT_MAX))
        .timeout_recv_response(Some(WAIT_MAX))
        .http_status_as_error(false)
        .build();
    let asked = format!("{url}?since={}", segment(&since.to_string()));
    let request = config.new_agent().get(&asked).header("Authorization", format!("Bearer {token}"));
    let mut response = request.call().map_err(|error| {
        Failed::unopened(error).context(format!("reach {url}; is the server running there?"))
    })?;
    let status = response.status().as_u16();
    if status == 200 {
        return Patient::reading(response.into_body().into_reader()).map_err(Failed::unopened);
    }
    let text = response.body_mut().read_to_string().unwrap_or_default();
    Err(refused(&url, status, &text, token_env))
}

fn refused(url: &str, status: u16, text: &str, token_env: &str) -> Failed {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let said = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or("nothing");
    let (code, detail) = (said("code"), said("detail"));
    match status {
        401 | 403 => {
            Failed::usage(anyhow!("{code}: {detail}; the token is the one in {token_env}"))
        }
        409 => Failed::absent(anyhow!("{code}: {detail}")),
        _ => Failed::unopened(anyhow!("{url} answered {status} ({code}): {detail}")),
    }
}

/// Reads ahead on a thread of its own, so that a server that went silent is noticed.
struct Patient {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

impl Patient {
    fn reading(from: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS_WAITING_MAX);
        // It ends with the stream, or when nobody takes its chunks any more.
        thread::Builder::new().name("stream".to_owned()).spawn(move || ahead(from, &sender))?;
        Ok(Self { chunks, current: io::Cursor::default() })
    }
}

/// Hands on what comes; an empty chunk is the end.
fn ahead(mut from: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = from.read(&mut chunk).map(|length| {
            chunk.truncate(length);
            chunk
        });
        let is_over = read.as_ref().map_or(true, Vec::is_empty);
        if sender.send(read).is_err() || is_over {
            return;
        }
    }
}

impl Read for Patient {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.current.read(out)?;
        if read > 0 {
            return Ok(read);
        }
        let chunk = self.chunks.recv_timeout(WAIT_MAX).map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, "the server sent nothing for a minute")
        })?;
        self.current = io::Cursor::new(chunk?);
        self.current.read(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_ahead_is_what_was_sent() {
        let sent: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut read = Vec::new();
        Patient::reading(io::Cursor::new(sent.clone())).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, sent);
    }

    #[test]
    fn a_broken_connection_is_an_error_and_no_end() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let good: &[u8] = b"some";
        let mut read = Vec::new();
        let broken = Patient::reading(good.chain(Breaks)).unwrap().read_to_end(&mut read);
        assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(read, b"some");
    }

    #[test]
    fn refusals_are_told_by_what_can_be_done() {
        let body = r#"{"code":"backup_running","detail":"wait"}"#;
        for (status, shown) in [(403, "the token is the one in T"), (409, "wait"), (500, "500")] {
            let failed = format!("{:?}", refused("http://x", status, body, "T"));
            assert!(failed.contains(shown) && failed.contains("backup_running"), "{failed}");
        }
    }
}
