//! The real binary, ended in every way that a machine ends a process: power lost, killed, out of
//! disk, refused by the disk.
//!
//! - `power_loss`: the server runs under a preloaded library ([`shim`], `shim.c`) that writes down
//!   every write, rename and sync. From that [`trace`], [`disk`] rebuilds what a machine may find
//!   after a loss of power at any moment: what was not synced may be there, missing or half there.
//!   [`check`] opens each such state: what was acknowledged before that moment is in the log with
//!   its body, nothing is there twice, and every stored value is sound.
//! - `kills`: `kill -9` under load, at the start and while opening; and the process ended by the
//!   library after every single effect of an opening.
//! - `faults`: every write and every sync in turn fails.
//!
//! Torn and flipped bytes of files are the damage tests'. A short run is part of `cargo test`. The
//! long ones:
//!
//! ```sh
//! TALLYHOOK_POWER_LOSSES=2000 TALLYHOOK_KILLS=500 TALLYHOOK_FAULTS=all \
//!     cargo test -p tallyhook-tests --test crash -- --nocapture --test-threads 1
//! ```
//!
//! `TALLYHOOK_SEED` (default 0) is the first seed. A run is of a real process and never the same
//! twice, so a failure keeps what it found in `target/crash/` and prints the command that looks at
//! it again.

#[cfg(test)]
mod check;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod load;
#[cfg(test)]
mod power_loss;
#[cfg(test)]
mod shim;
#[cfg(test)]
mod trace;
