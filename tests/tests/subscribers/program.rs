//! The programs of `docs/subscribers`, run as `scripts/subscribers` installed them.

use std::{
    fs::{self, File},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tallyhook_tests::{
    environment,
    home::{self, LEDGER},
    process::Process,
    wait,
};
use tempfile::TempDir;

/// A language that has a subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Language {
    Python,
    TypeScript,
}

/// A running subscriber; killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    process: Process,
    folder: TempDir,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    /// What it printed at its end.
    pub(crate) table: String,
    /// What it told while it ran.
    pub(crate) told: String,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::Python, Self::TypeScript];

    /// Its subscriber, ready to be given arguments.
    fn command(self) -> Result<Command> {
        let root = environment::workspace().canonicalize()?;
        let installed = root.join(".tools/subscribers");
        let documented = root.join("docs/subscribers");
        let (program, needed, script) = match self {
            Self::Python => {
                ("python3", installed.join("python"), documented.join("python/follow.py"))
            }
            Self::TypeScript => {
                let needed = installed.join("typescript");
                let script = needed.join("dist/follow.js");
                ("node", needed, script)
            }
        };
        // Files that were copied when all was made: they say what it was made from.
        let sources: &[&str] = match self {
            Self::Python => &["python/requirements.txt"],
            Self::TypeScript => &["typescript/follow.ts", "typescript/package-lock.json"],
        };
        for source in sources {
            let made_from = fs::read(installed.join(source)).ok();
            ensure!(
                made_from == Some(fs::read(documented.join(source))?) && script.is_file(),
                "{self:?}: what is in .tools/subscribers was not made from docs/subscribers/{source}: \
                 run scripts/subscribers (scripts/test does)"
            );
        }
        let mut command = Command::new(program);
        command.arg(script).env("PYTHONPATH", needed).env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg("--schema").arg(root.join("docs/balance-events/balance-event.schema.json"));
        Ok(command)
    }
}

impl Program {
    /// Starts a subscriber that ends with this record.
    pub(crate) fn start(language: Language, broker: &str, until: u64) -> Result<Self> {
        let folder = home::folder()?;
        let mut command = language.command()?;
        command.args(["--url", broker, "--ledger", LEDGER, "--until", &until.to_string()]);
        command.stdin(Stdio::null());
        command.stdout(File::create(folder.path().join("table"))?);
        command.stderr(File::create(folder.path().join("told"))?);
        Ok(Self { process: Process::start(&mut command)?, folder })
    }

    /// What it has told so far.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join("told")).unwrap_or_default()
    }

    /// Waits until it has told something.
    pub(crate) fn told(&self, what: &str) -> Result<()> {
        wait::until(what, || self.text().contains(what).then_some(()))
            .with_context(|| format!("it told:\n{}", self.text()))
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Result<Ended> {
        let status = self.process.ended().with_context(|| format!("it told:\n{}", self.text()))?;
        let table = fs::read_to_string(self.folder.path().join("table"))?;
        Ok(Ended { success: status.success(), table, told: self.text() })
    }
}
