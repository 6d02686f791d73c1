//! `token new`.

use clap::Subcommand;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{Done, exit::Exit, print};

/// The random bytes of a token.
const TOKEN_BYTES: usize = 32;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token and prints it with its SHA-256, which is all that the configuration needs.
    New {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn token(command: &TokenCommand) -> Done {
    let TokenCommand::New { json } = command;
    let token = format!("tallyhook_{}", hex::encode(rand::random::<[u8; TOKEN_BYTES]>()));
    let sha256 = hex::encode(Sha256::digest(token.as_bytes()));
    if *json {
        print(&json!({"token": token, "sha256": sha256}).to_string());
    } else {
        print(&format!("token:  {token}\nsha256: {sha256}"));
        print(
            "\nGive the token to the caller; put the sha256 into [[tokens]]. It is not shown again.",
        );
    }
    Ok(Exit::Clean)
}
