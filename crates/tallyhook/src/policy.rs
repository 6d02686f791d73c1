//! `policy check`, `policy show` and `policy diff`: what can be said of a policy without a server.
//! `test` and `activate` have modules of their own.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::policy::Policy;
use policy_file::{
    Difference, Section,
    faults::{Fault, Faults},
};
use serde_json::{Value, json};

use crate::{
    Done,
    checks::{listed, said},
    exit::{Exit, Failed},
    policy_activate::{ActivateArguments, policy_activate},
    policy_test::{self, TestArguments},
    print,
};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says everything that is wrong with policies.
    ///
    /// Exit codes: 0 all are good; 1 there are faults; 3 a file could not be read.
    Check {
        /// The policies.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Says in words what a policy means.
    ///
    /// Exit codes: 0 shown; 2 the policy is faulty; 3 it could not be read.
    Show {
        /// The policy.
        file: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Says in words what changes from one policy to another.
    ///
    /// Exit codes: 0 nothing; 1 something; 2 a policy is faulty; 3 one could not be read.
    Diff {
        /// The policy as it is.
        #[arg(value_name = "A")]
        old: PathBuf,
        /// The policy as it will be.
        #[arg(value_name = "B")]
        new: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Plays scenarios against a policy: what happens, then what must come of it.
    Test(TestArguments),
    /// Puts a version in force: on a running server, or in a stopped one's data.
    ///
    /// Exit codes: 0 it is in force; 1 refused; 2 wrong usage, or the policy is faulty; 3
    /// something could not be opened or reached.
    Activate(ActivateArguments),
}

/// A file that could be read.
struct Read {
    path: String,
    policy: Result<Policy, Faults>,
}

pub(crate) fn policy(command: &PolicyCommand) -> Done {
    match command {
        PolicyCommand::Check { files, json } => {
            let files = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
            Ok(checked(&files, *json))
        }
        PolicyCommand::Show { file, json } => Ok(match good([read(file)?], *json) {
            Ok([policy]) => shown(&policy, *json),
            Err(exit) => exit,
        }),
        PolicyCommand::Diff { old, new, json } => Ok(match good([read(old)?, read(new)?], *json) {
            Ok([old, new]) => compared(&old, &new, *json),
            Err(exit) => exit,
        }),
        PolicyCommand::Test(arguments) => policy_test::test(arguments),
        PolicyCommand::Activate(arguments) => policy_activate(arguments),
    }
}

fn read(file: &Path) -> Result<Read, Failed> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failed::unopened(error).context(format!("read the policy {path}")))?;
    Ok(Read { path, policy: policy_file::parse(&text) })
}

/// The policies, when all are good; else all that is wrong is said, as `check` says it.
fn good<const N: usize>(files: [Read; N], json: bool) -> Result<[Policy; N], Exit> {
    if files.iter().any(|file| file.policy.is_err()) {
        let faulty: Vec<Read> = files.into_iter().filter(|file| file.policy.is_err()).collect();
        checked(&faulty, json);
        return Err(Exit::Usage);
    }
    let policies: Vec<Policy> = files.into_iter().filter_map(|file| file.policy.ok()).collect();
    policies.try_into().map_err(|_| Exit::Usage)
}

fn checked(files: &[Read], json: bool) -> Exit {
    let (mut faults, mut lines) = (Vec::new(), Vec::new());
    for Read { path, policy } in files {
        match policy {
            Ok(Policy { name, version, .. }) => {
                lines.push(format!("{path} is good: {name} version {version}"));
            }
            Err(found) => {
                let told = |fault: &Fault| format!("{path}: {fault}");
                lines.extend(found.as_slice().iter().map(told));
                faults.extend(listed(path, found));
            }
        }
    }
    said(json, &faults, &lines.join("\n"));
    if faults.is_empty() { Exit::Clean } else { Exit::Findings }
}

fn shown(policy: &Policy, json: bool) -> Exit {
    let sections = policy_file::show(policy);
    print(&if json {
        let sections: Vec<Value> = sections.iter().map(section_json).collect();
        let Policy { name, version, .. } = policy;
        json!({"name": name.as_str(), "version": version, "sections": sections}).to_string()
    } else {
        sections.iter().map(section_text).collect::<Vec<_>>().join("\n\n")
    });
    Exit::Clean
}

fn section_json(section: &Section) -> Value {
    json!({"title": section.title, "sentences": section.sentences})
}

fn section_text(section: &Section) -> String {
    let sentences = section.sentences.iter().map(|sentence| format!("\n  {sentence}"));
    format!("{}{}", section.title, sentences.collect::<String>())
}

fn compared(old: &Policy, new: &Policy, json: bool) -> Exit {
    let differences = policy_file::diff(old, new);
    print(&if json {
        let each = |one: &Difference| json!({"section": one.section, "sentence": one.sentence});
        let list: Vec<Value> = differences.iter().map(each).collect();
        json!({"same": differences.is_empty(), "differences": list}).to_string()
    } else {
        differences_text(&differences)
    });
    if differences.is_empty() { Exit::Clean } else { Exit::Findings }
}

/// The sentences under the titles of their sections, in which they come together.
pub(crate) fn differences_text(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "both say the same".to_owned();
    }
    let mut sections: Vec<Section> = Vec::new();
    for Difference { section, sentence } in differences {
        match sections.last_mut() {
            Some(last) if last.title == *section => last.sentences.push(sentence.clone()),
            Some(_) | None => {
                sections.push(Section { title: section, sentences: vec![sentence.clone()] });
            }
        }
    }
    sections.iter().map(section_text).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = include_str!("../../../policies/case-by-case.toml");

    /// How a command ends over files with these texts.
    fn ends(texts: &[&str], command: impl Fn(&[PathBuf]) -> PolicyCommand) -> Exit {
        let folder = tempfile::tempdir().unwrap();
        let write = |(index, text): (usize, &&str)| {
            let file = folder.path().join(format!("{index}.toml"));
            std::fs::write(&file, text).unwrap();
            file
        };
        let files: Vec<PathBuf> = texts.iter().enumerate().map(write).collect();
        policy(&command(&files)).unwrap()
    }

    fn check(files: &[PathBuf]) -> PolicyCommand {
        PolicyCommand::Check { files: files.to_vec(), json: true }
    }

    fn show(files: &[PathBuf]) -> PolicyCommand {
        PolicyCommand::Show { file: files[0].clone(), json: false }
    }

    fn diff(files: &[PathBuf]) -> PolicyCommand {
        PolicyCommand::Diff { old: files[0].clone(), new: files[1].clone(), json: false }
    }

    #[test]
    fn each_command_ends_with_its_documented_code() {
        let other = POLICY.replace("within_days = 60", "within_days = 30");
        let faulty = POLICY.replace("within_days = 60", "within_days = 0");
        assert_ne!((other.as_str(), faulty.as_str()), (POLICY, POLICY));
        assert_eq!(ends(&[POLICY, &other], check), Exit::Clean);
        assert_eq!(ends(&[POLICY, &faulty], check), Exit::Findings);
        assert_eq!(ends(&[POLICY], show), Exit::Clean);
        assert_eq!(ends(&[&faulty], show), Exit::Usage);
        assert_eq!(ends(&[POLICY, POLICY], diff), Exit::Clean);
        assert_eq!(ends(&[POLICY, &other], diff), Exit::Findings);
        assert_eq!(ends(&[POLICY, &faulty], diff), Exit::Usage);
        assert_eq!(ends(&[&faulty, POLICY], diff), Exit::Usage);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_fault_of_a_policy() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("none.toml")];
        let failed = [check(&files), show(&files)].map(|command| policy(&command));
        assert!(failed.iter().all(|done| done.is_err()), "{failed:?}");
    }

    #[test]
    fn differences_stand_under_their_sections() {
        let parsed = |text: &str| policy_file::parse(text).unwrap();
        let other = POLICY
            .replace("USD = \"1\"", "USD = \"7.1\"")
            .replace("decimals = 6", "decimals = 3")
            .replace("\"2026-09-07\", ", "");
        let told = differences_text(&policy_file::diff(&parsed(POLICY), &parsed(&other)));
        let expected = "Credits\n  decimals falls from 6 to 3\n  rate of USD rises from 1 to 7.1 credits\n\n\
                        Calendar\n  holiday 2026-09-07 is removed";
        assert_eq!(told, expected);
    }
}
