//! Shared parts of the system tests, of the properties and of the end-to-end benchmark.
//!
//! System tests take the real binary ([`binary`]) as a process ([`process`], [`server`]) with a
//! configuration of its own in a folder of its own ([`home`]), spoken to over HTTP ([`http`]) by
//! what Paddle would send ([`paddle`]), beside a real broker with real subscribers ([`nats`]).
//! There is no fixed port, no sleep that stands for an event ([`wait`] asks until a deadline), and
//! no process is killed that was not started here. [`mod@environment`] says where things are.
//!
//! For properties, [`history`] makes what can happen to one account in any order, [`course`] all
//! that can come to a ledger in one order, [`naive`] says what must follow from it by a second
//! computation that shares no rule with `domain`, [`plain`] asks and tells `domain` with all in one
//! state, and [`dice`] decides by a seed. [`merchant`] makes ledgers of any size for audits. [`fuzz`] says what
//! must hold for any bytes, for the fuzzer and for tests of its seeds.

pub mod environment;
pub mod wait;

pub mod binary;
pub mod process;

pub mod home;
pub mod http;
pub mod nats;
pub mod paddle;
pub mod server;

pub mod course;
pub mod dice;
pub mod history;
pub mod merchant;
pub mod naive;
pub mod plain;

pub mod fuzz;
