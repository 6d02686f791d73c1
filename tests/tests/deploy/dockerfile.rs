//! The Dockerfile.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::place::exists;

/// What is wrong with a Dockerfile: unknown instructions, what it copies and is not there or is
/// kept out by `ignored`, and a user with rights.
pub(crate) fn dockerfile_faults(dockerfile: &str, ignored: &str, rust: &str) -> Vec<String> {
    const KNOWN: [&str; 12] = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "ENTRYPOINT",
        "CMD",
    ];
    let mut faults = Vec::new();
    let mut user = "root";
    let admitted: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let instructions = instructions(dockerfile);
    for (name, rest) in &instructions {
        match name.as_str() {
            "FROM" => {
                user = "root";
                let image = rest.split(' ').next().unwrap_or_default();
                let debian = image.starts_with("debian:");
                if !debian && !image.starts_with(&format!("rust:{rust}-")) {
                    faults
                        .push(format!("{image} is neither Debian nor the workspace's Rust {rust}"));
                }
            }
            "USER" => user = rest,
            "COPY" if !rest.contains("--from=") => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                for source in words.split_last().map_or(&[][..], |(_, sources)| sources) {
                    let kept = admitted.iter().any(|path| Path::new(source).starts_with(path));
                    if !exists(source) || !kept {
                        faults.push(format!("COPY {source}: it is not there, or ignored"));
                    }
                }
            }
            other if !KNOWN.contains(&other) => faults.push(format!("no instruction: {other}")),
            _ => {}
        }
    }
    if ["root", "0", ""].contains(&user) {
        faults.push("it runs as root".to_owned());
    }
    faults
}

/// The environment that a Dockerfile sets.
pub(crate) fn image_environment(dockerfile: &str) -> BTreeMap<String, String> {
    let all = instructions(dockerfile);
    let set = all.iter().filter(|(name, _)| name == "ENV");
    let pairs = set.flat_map(|(_, rest)| rest.split_whitespace());
    pairs.filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
}

/// The arguments of an instruction in its JSON form.
pub(crate) fn exec(instructions: &[(String, String)], name: &str) -> Result<Vec<String>> {
    let last = instructions.iter().rev().find(|(of, _)| of == name);
    let (_, rest) = last.with_context(|| format!("no {name}"))?;
    let list = rest.find('[').and_then(|start| rest.get(start..)).context("no list")?;
    serde_json::from_str(list).with_context(|| format!("{name} is not in its JSON form"))
}

/// The instructions of a Dockerfile, whole lines of comments left out, continued lines joined.
pub(crate) fn instructions(dockerfile: &str) -> Vec<(String, String)> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().split_once(' '));
    lines.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
}

/// Answers one request with this status, and runs the command of a healthcheck against it.
pub(crate) fn is_healthy(command: &[String], port: &str, status: &str) -> Result<bool> {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let own = listener.local_addr()?.port().to_string();
    let status = status.to_owned();
    let answering = std::thread::spawn(move || -> std::io::Result<Vec<u8>> {
        let (mut connection, _) = listener.accept()?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte)?;
            request.extend(byte);
        }
        write!(connection, "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n")?;
        Ok(request)
    });
    let (program, arguments) = command.split_first().context("no command")?;
    let arguments = arguments.iter().map(|argument| argument.replace(port, &own));
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).status()?;
    let Ok(request) = answering.join() else { bail!("the listener failed") };
    ensure!(request?.starts_with(b"GET /livez HTTP/1.1\r\n"), "it does not ask for /livez");
    Ok(ended.success())
}
