//! A process that ends with the test that started it.

use std::process::{Child, Command, ExitStatus};

use anyhow::{Context, Result};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::wait;

/// A process that we started. Killed when dropped, by its id and nothing else.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        command.spawn().map(Self).with_context(|| format!("start {}", program.display()))
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The running child, to take its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// The system refused.
    pub fn kill(&mut self) -> Result<()> {
        // A process that has ended already can't be killed, which is as well.
        let _ = self.0.kill();
        self.0.wait().context("wait for a killed process")?;
        Ok(())
    }

    /// Sends a signal. Until it was waited for, its id belongs to no other process.
    ///
    /// # Errors
    /// The system refused.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.0), signal)
            .with_context(|| format!("send {signal:?} to process {}", self.id()))
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// The system refused, or it does not end.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        if self.0.try_wait()?.is_none() {
            self.signal(Signal::TERM)?;
        }
        self.ended()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// It does not end.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        wait::until("a process to end", || self.0.try_wait().transpose())?
            .context("ask whether a process has ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
