//! Runs the steps of an example against the binary and writes them down as they went.
//!
//! Where a page shows a command without an address, the binary is given that of the server of this
//! run; a reader's server listens where `tallyhook init` put it, which is where commands look.

use std::{
    fs,
    process::{Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    binary,
    home::{CONFIG, Home, LEDGER, SECRET, SOURCE, TOKEN},
    http::Answer,
    paddle,
    server::Server,
    wait,
};
use ureq::http::Method;

use crate::{
    jq::Program,
    stable::{Stable, unseeded},
};

/// Wider lines of a command go on in the next.
const WIDTH_MAX: usize = 100;

/// Where the secret of the processor lies in the folder.
const SECRET_FILE: &str = "paddle.secret";

/// A server, and the page about what it did.
pub(crate) struct Stage {
    home: Home,
    server: Option<Server>,
    stable: Stable,
    page: String,
}

impl Stage {
    /// An empty folder and an empty page.
    pub(crate) fn new() -> Result<Self> {
        let page = String::new();
        Ok(Self { home: Home::empty()?, server: None, stable: Stable::new()?, page })
    }

    /// A running server with the configuration of `tallyhook init` and one of its policies. The
    /// page begins with its headline, what it is about, and how to follow it.
    pub(crate) fn of(policy: &str, headline: &str, about: &str) -> Result<Self> {
        let mut stage = Self::new()?;
        stage.run("init")?;
        stage.page.clear();
        stage.say(&format!("# {headline}\n\n{}\n\n{}", about.trim(), setting(policy)));
        stage.serve(&format!("policies/{policy}.toml"))?;
        Ok(stage)
    }

    /// Puts policy, token and free ports into the configuration of `tallyhook init`, and starts.
    pub(crate) fn serve(&mut self, policy: &str) -> Result<()> {
        let mut text = fs::read_to_string(self.home.file(CONFIG))?;
        for (old, new) in [
            ("127.0.0.1:8080", "127.0.0.1:0"),
            ("127.0.0.1:8081", "127.0.0.1:0"),
            ("policies/all-sales-final.toml", policy),
            ("env:PADDLE_SECRET", &format!("file:{SECRET_FILE}")),
        ] {
            ensure!(text.matches(old).count() == 1, "{old} is not there once:\n{text}");
            text = text.replacen(old, new, 1);
        }
        let digest = hex::encode(Sha256::digest(TOKEN.as_bytes()));
        text.push_str(&format!(
            "\n[[tokens]]\nname = \"anna\"\nsha256 = \"{digest}\"\n\
             roles = [\"read\", \"spend\", \"operate\"]\nledgers = [\"{LEDGER}\"]\n"
        ));
        self.home.write(CONFIG, &text)?;
        self.home.write(SECRET_FILE, SECRET)?;
        self.server = Some(Server::start(&self.home)?);
        Ok(())
    }

    /// Text of the page, as it is.
    pub(crate) fn say(&mut self, text: &str) {
        self.page.push_str(text.trim());
        self.page.push_str("\n\n");
    }

    /// A command that only a shell carries out, and what it prints.
    pub(crate) fn show(&mut self, command: &str, printed: &str) {
        let printed = self.stable.text(printed);
        let lines: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        let block = format!("$ {command}\n{}", lines.join("\n"));
        // Commands that follow each other stand in one block.
        match self.page.strip_suffix("\n```\n\n") {
            Some(before) => self.page = format!("{before}\n{}\n```\n\n", block.trim_end()),
            None => self.page.push_str(&format!("```console\n{}\n```\n\n", block.trim_end())),
        }
    }

    /// Runs a command of the binary that ends well; what it printed.
    pub(crate) fn run(&mut self, command: &str) -> Result<String> {
        let arguments = words(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = self.output(&arguments)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "{command}: {}: {printed}", output.status);
        let seeded = arguments.first() != Some(&"trigger") || arguments.contains(&"--seed");
        let printed = if seeded { printed } else { unseeded(&printed) };
        let words = arguments.iter().map(|word| quoted(word)).collect();
        self.show(&wrapped("tallyhook", words), &printed);
        Ok(printed)
    }

    /// Opens a refund case; its id.
    pub(crate) fn case(&mut self, application: &str) -> Result<String> {
        let printed = self.run(&format!("case open {application}"))?;
        let id = printed.lines().find_map(|line| line.strip_prefix("case "));
        Ok(id.with_context(|| format!("no case: {printed}"))?.trim().to_owned())
    }

    /// Gives a command over HTTP, under an idempotency key; it is answered with this status. The
    /// answer's id, if it has one.
    pub(crate) fn post(
        &mut self,
        status: u16,
        path: &str,
        key: &str,
        body: &str,
    ) -> Result<String> {
        serde_json::from_str::<Value>(body).with_context(|| format!("no JSON: {body}"))?;
        let answer = self.ask(Method::POST, path, &[("idempotency-key", key)], Some(body))?;
        ensure!(answer.status == status, "{path}: {} {}", answer.status, answer.text());
        let words = vec![
            "-H".to_owned(),
            "\"$AUTH\"".to_owned(),
            "-H".to_owned(),
            quoted(&format!("Idempotency-Key: {key}")),
            format!("$LEDGER/{path}"),
            "-d".to_owned(),
            quoted(body),
        ];
        self.show(&wrapped("curl", words), &answer.text());
        let answer = answer.json()?;
        Ok(answer.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Reads over HTTP, through a program of `jq`.
    pub(crate) fn get(&mut self, path: &str, program: Program) -> Result<()> {
        let answer = self.ask(Method::GET, path, &[], None)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        let printed = program.run(&answer.json()?)?;
        let ask = format!("curl -s -H \"$AUTH\" {}", quoted_path(path));
        self.show(&format!("{ask} |\n    jq -r '{}'", program.text()), &printed);
        Ok(())
    }

    /// Lets a second pass: in the processor's payloads what happens now began half a second ago.
    pub(crate) fn pause(&self) -> Result<()> {
        let later = paddle::now()?.saturating_add(2);
        wait::until("a second to pass", || paddle::now().ok().filter(|now| *now >= later))?;
        Ok(())
    }

    /// Stops the server and verifies its log; the page.
    pub(crate) fn verified(mut self) -> Result<String> {
        self.server.take().context("the server is stopped already")?.stop()?;
        self.run("audit verify")?;
        Ok(format!("{}\n", self.page.trim_end()))
    }

    fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("no server is running")
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer> {
        let path = format!("/v1/ledgers/{LEDGER}/{path}");
        self.server()?.ask(method, TOKEN, &path, headers, body)
    }

    fn output(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = binary::command(arguments)?;
        match arguments.first() {
            Some(&"trigger") => {
                let url = format!("http://{}/webhooks/{SOURCE}", self.server()?.public);
                command.args(["--url", &url]);
            }
            Some(&"account") => {
                command.args(["--url", &format!("http://{}", self.server()?.private)]);
            }
            Some(&"case") => {
                command.args(["--server", &format!("http://{}", self.server()?.private)]);
            }
            Some(_) | None => {}
        }
        command.current_dir(self.home.path()).env("TALLYHOOK_TOKEN", TOKEN).stdin(Stdio::null());
        command.output().with_context(|| format!("run {arguments:?}"))
    }
}

/// How to follow a page.
fn setting(policy: &str) -> String {
    format!(
        "\
All that follows was printed by the program itself: a test plays this page again and compares every byte (`tests/tests/examples`).
The policy is [policies/{policy}.toml](../../policies/{policy}.toml); [the page on policies](../policies.md) says rule by rule what it does.

`tallyhook init` wrote the configuration, in which `policy` is `\"policies/{policy}.toml\"` and `[[tokens]]` has the token of Anna, an operator, with the roles read, spend and operate.
The server runs (`tallyhook serve`), and the shell knows:

```sh
export PADDLE_SECRET=...  TALLYHOOK_TOKEN=...
AUTH=\"Authorization: Bearer $TALLYHOOK_TOKEN\"
LEDGER=http://127.0.0.1:8081/v1/ledgers/main
```

`tallyhook trigger` stands for the processor: it posts signed webhooks in full shape.
With `--seed` they have always the same ids, and times of July and August 2026; without, they happen now.
Times of the server's own clock differ in every run and are shown as `<time 1>`, `<time 2>`."
    )
}

/// The words of a command as a shell reads them; what stands in single quotes is part of one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// An argument as a shell takes it for itself.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=,@%+-".contains(c);
    if argument.chars().all(plain) { argument.to_owned() } else { format!("'{argument}'") }
}

fn quoted_path(path: &str) -> String {
    let url = format!("$LEDGER/{path}");
    if path.contains(['?', '&']) { format!("\"{url}\"") } else { url }
}

/// A command over as many lines as it needs; a flag stays beside its value.
fn wrapped(program: &str, words: Vec<String>) -> String {
    let mut groups: Vec<String> = Vec::new();
    let mut flag = false;
    for word in words {
        match groups.last_mut() {
            Some(last) if flag && !word.starts_with('-') => last.push_str(&format!(" {word}")),
            Some(_) | None => groups.push(word.clone()),
        }
        flag = word.starts_with('-');
    }
    let mut lines = vec![program.to_owned()];
    for group in groups {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(group.len()) < WIDTH_MAX => {
                line.push_str(&format!(" {group}"));
            }
            Some(_) | None => lines.push(format!("    {group}")),
        }
    }
    lines.join(" \\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it() {
        let words = words("case open  --fact 'explanation=charged twice' --key c-1");
        assert_eq!(words, ["case", "open", "--fact", "explanation=charged twice", "--key", "c-1"]);
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let shown = wrapped("tallyhook", words);
        assert_eq!(shown, "tallyhook case open --fact 'explanation=charged twice' --key c-1");
        let long = "x".repeat(60);
        let shown = wrapped("curl", vec!["-d".to_owned(), long.clone(), long.clone()]);
        assert_eq!(shown, format!("curl -d {long} \\\n    {long}"));
    }
}
