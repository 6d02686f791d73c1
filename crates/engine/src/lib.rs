//! The writer's step: load what the inputs name, decide each, append the group, let it take effect.
//!
//! The same function runs in the server and in the simulator. Never here: a thread, HTTP, a clock.

mod ahead;
pub mod load;
pub mod step;
