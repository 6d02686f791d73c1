//! `serve`.

use std::{io::IsTerminal as _, path::Path};

use serde_json::json;
use server::{
    config::{Config, Environment},
    run::{RunFault, run},
};
use tracing_subscriber::EnvFilter;

use crate::{
    Done,
    exit::{Exit, Failed},
    print,
};

/// Says how much is logged.
const LOG: &str = "TALLYHOOK_LOG";

pub(crate) fn serve(path: &Path) -> Done {
    let environment = Environment::of_process();
    let filter = environment.get(LOG).unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failed::usage(error).context(format!("read {LOG}; write error, warn, info or debug"))
    })?;
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(colours).init();
    let config = Config::load(path, &environment).map_err(Failed::usage)?;
    let announce = |addresses: server::run::Addresses| {
        let line = json!({
            "public": addresses.public.to_string(),
            "private": addresses.private.to_string(),
        });
        print(&line.to_string());
    };
    run(config, announce).map(|()| Exit::Clean).map_err(|fault| match fault {
        RunFault::Settle(_) => Failed::usage(fault),
        RunFault::Open(_)
        | RunFault::Backup { .. }
        | RunFault::Fold(_)
        | RunFault::Listen { .. }
        | RunFault::System(_)
        | RunFault::Notary(_)
        | RunFault::Publish(_)
        | RunFault::Thread(_) => Failed::unopened(fault),
    })
}
