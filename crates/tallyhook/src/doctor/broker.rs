//! The broker, as far as its client can see.

use server::{checkup, config::Nats};

use super::check::Check;

/// What of the broker can be seen; nothing is changed there.
pub(super) fn looked_at(nats: &Nats) -> Vec<Check> {
    let seen = match checkup::broker(nats) {
        Ok(seen) => seen,
        Err(error) => {
            let remedy = "start the broker or correct [nats]; balance events wait in the log";
            return vec![Check::fail("broker", format!("it can't be used: {error}"), remedy)];
        }
    };
    let version = format!("nats-server {}", seen.version);
    let version = if seen.is_new_enough {
        Check::pass("broker", version)
    } else {
        Check::fail("broker", format!("{version} is too old"), "upgrade it to 2.12.1 or later")
    };
    let mut checks = vec![version];
    if !seen.has_jetstream {
        let remedy = "write `jetstream {}` into its configuration";
        checks.push(Check::fail("broker's stream", "JetStream is off", remedy));
        return checks;
    }
    checks.push(match seen.stream {
        None => Check::pass("broker's stream", "not there yet; the server makes it"),
        Some(stream) => match stream.unfit {
            Some(what) => Check::fail(
                "broker's stream",
                format!("it has {what}"),
                "change it with `nats stream edit TALLYHOOK_BALANCES`, or stop the server and make it \
                 anew with `tallyhook republish --recreate`",
            ),
            None => {
                let (messages, mib) = (stream.messages, stream.bytes >> 20);
                let (replicas, window) = (stream.replicas, stream.duplicate_window.as_secs());
                let found = format!(
                    "file storage, limits, discard old, no limits, nothing that rewrites messages; \
                     replicas {replicas} of {} wanted, duplicate window {window} s, messages \
                     {messages}, {mib} MiB",
                    nats.replicas
                );
                Check::pass("broker's stream", found)
            }
        },
    });
    checks.push(Check::skip(
        "broker's syncs",
        "a client can't see them",
        "look for `sync_interval: always` in the broker's configuration, or `sync_always` at /jsz \
         of its monitoring port: by default it acknowledges before the disk has the message",
    ));
    checks
}
