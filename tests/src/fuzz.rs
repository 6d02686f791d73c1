//! What must hold for any bytes: the fuzzer asks with bytes of its own, the tests with seeds.
//!
//! Each module has one function `check`, which takes any bytes, asserts what must be true of them,
//! and is the whole of a target in `tests/fuzz`; [`TARGETS`] lists them. Most judge what our reader
//! says by a second one, or by writing what was read and reading it again, so that a wrong answer is
//! found and not only a panic. [`mutations`] makes bytes from seeds where there is no fuzzer.

pub mod command;
pub mod config;
pub mod frames;
pub mod mutations;
pub mod paddle;
pub mod policy;
pub mod signature;
pub mod stored;

mod ledger;

use domain::ids::{Origin, SourceName};
use ingestion::{
    pointer::Pointer,
    secret::Secret,
    source::{Provider, Source},
};

/// When deliveries are signed and received, unless an input says otherwise: 2026-07-06.
pub(crate) const SIGNED_AT: i64 = 1_783_328_714;

/// A target: its name, which is that of its folder of seeds, and what it checks.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Takes any bytes; panics where something is false.
    pub check: fn(&[u8]),
}

/// All targets, in the order of the data's path.
pub const TARGETS: [Target; 7] = [
    Target { name: "signature", check: signature::check },
    Target { name: "paddle", check: paddle::check },
    Target { name: "stored", check: stored::check },
    Target { name: "frames", check: frames::check },
    Target { name: "policy", check: policy::check },
    Target { name: "config", check: config::check },
    Target { name: "command", check: command::check },
];

/// A source that believes one secret and names accounts in two places.
pub(crate) fn source(provider: Provider) -> Source {
    let pointer = |text| Pointer::new(text).expect("the pointer is one");
    Source {
        name: SourceName::new("paddle").expect("the name is plain"),
        origin: Origin::new("paddle").expect("the name is plain"),
        provider,
        secrets: vec![Secret::new("pdl_ntfset_fuzz").expect("the secret is not empty")],
        tolerance_seconds: None,
        future_seconds: 60,
        account_from: vec![pointer("/data/custom_data/account_id"), pointer("/data/customer_id")],
    }
}
