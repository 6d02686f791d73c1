//! Real nats-servers with exactly the files of `deploy/nats`.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, anyhow};
use nkeys::KeyPair;
use tallyhook_tests::{
    binary, environment,
    home::{CONFIG, Home, Setup, folder},
    nats::session::{Session, Who},
    process::Process,
    wait,
};
use tempfile::TempDir;

/// A user's seed and public key.
pub(crate) struct User {
    pub(crate) seed: String,
    public: String,
}

/// The users of `accounts.conf`.
pub(crate) struct Users {
    pub(crate) publisher: User,
    pub(crate) subscriber: User,
    pub(crate) ingest: User,
}

/// Servers of one installation, killed when dropped.
pub(crate) struct Servers {
    each: Vec<Started>,
    pub(crate) users: Users,
    pub(crate) ca: Option<PathBuf>,
    _folder: TempDir,
}

/// A server that was started.
struct Started {
    process: Process,
    name: String,
    url: String,
}

impl User {
    fn new() -> Result<Self> {
        let pair = KeyPair::new_user();
        let seed = pair.seed().map_err(|error| anyhow!("{error}"))?;
        Ok(Self { seed, public: pair.public_key() })
    }
}

impl Servers {
    /// One server, by `server.conf` or a file that includes it.
    pub(crate) fn one(more: &[(&str, String)], config: Option<&str>) -> Result<Self> {
        let (folder, users) = (folder()?, Users::new()?);
        let mut variables = users.variables();
        variables.insert("TALLYHOOK_NATS_LISTEN", "127.0.0.1:-1".to_owned());
        variables.extend(more.iter().cloned());
        let file = match config {
            None => deployed("server.conf"),
            Some(text) => {
                let path = folder.path().join("nats.conf");
                fs::write(&path, text)?;
                path
            }
        };
        let each = vec![started(folder.path(), "nats-1", &file, variables)?];
        Ok(Self { each, users, ca: None, _folder: folder })
    }

    /// Three servers, by `cluster.conf`.
    pub(crate) fn three() -> Result<Self> {
        let (folder, users) = (folder()?, Users::new()?);
        let ports = free_ports(6)?;
        let (clients, routes) = ports.split_at(3);
        let each = routes.iter().map(|port| format!("\"nats://route:s3cret@127.0.0.1:{port}\""));
        let all = format!("[{}]", each.collect::<Vec<_>>().join(", "));
        let mut servers = Vec::new();
        for (number, (client, route)) in (1..).zip(clients.iter().zip(routes)) {
            let mut variables = users.variables();
            variables.insert("TALLYHOOK_NATS_LISTEN", format!("127.0.0.1:{client}"));
            variables.insert("TALLYHOOK_NATS_CLUSTER_LISTEN", format!("127.0.0.1:{route}"));
            variables.insert("TALLYHOOK_NATS_CLUSTER_PASSWORD", "s3cret".to_owned());
            variables.insert("TALLYHOOK_NATS_ROUTES", all.clone());
            let file = deployed("cluster.conf");
            servers.push(started(folder.path(), &format!("nats-{number}"), &file, variables)?);
        }
        Ok(Self { each: servers, users, ca: None, _folder: folder })
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.each.iter().map(|server| server.url.clone()).collect()
    }

    /// Kills the server of this name, as a crash would.
    pub(crate) fn kill(&mut self, name: &str) -> Result<()> {
        let server = self.each.iter_mut().find(|server| server.name == name);
        server.with_context(|| format!("there is no server {name}"))?.process.kill()
    }

    /// Connects as a user.
    pub(crate) fn session(&self, user: &User) -> Result<Session> {
        let who = Who { seed: Some(user.seed.clone()), ca: self.ca.clone() };
        Session::open(&self.urls(), &who)
    }

    /// A home whose [nats] is reached as the publisher, with these further lines.
    pub(crate) fn home(&self, more: &str) -> Result<Home> {
        let home = Home::new(&Setup::with_nats(&self.urls().join(",")))?;
        for (name, user) in
            [("publisher.nk", &self.users.publisher), ("subscriber.nk", &self.users.subscriber)]
        {
            home.write(name, &user.seed)?;
        }
        let text = fs::read_to_string(home.file(CONFIG))?;
        home.write(CONFIG, &format!("{text}nkey = \"publisher.nk\"\n{more}\n"))?;
        Ok(home)
    }
}

impl Users {
    fn new() -> Result<Self> {
        Ok(Self { publisher: User::new()?, subscriber: User::new()?, ingest: User::new()? })
    }

    fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("TALLYHOOK_NATS_MONITOR", "127.0.0.1:-1".to_owned()),
            ("TALLYHOOK_NATS_STORE_MAX", "1GB".to_owned()),
            ("TALLYHOOK_NATS_PUBLISHER", self.publisher.public.clone()),
            ("TALLYHOOK_NATS_SUBSCRIBER", self.subscriber.public.clone()),
            ("TALLYHOOK_NATS_INGEST", self.ingest.public.clone()),
        ])
    }
}

/// The path of one of the files.
pub(crate) fn deployed(name: &str) -> PathBuf {
    environment::workspace().join("deploy/nats").join(name)
}

fn started(
    folder: &Path,
    name: &str,
    config: &Path,
    variables: BTreeMap<&str, String>,
) -> Result<Started> {
    let own = folder.join(name);
    fs::create_dir_all(&own)?;
    let installed = || environment::workspace().join(".tools/bin/nats-server");
    let program = environment::variable(environment::NATS_SERVER).unwrap_or_else(installed);
    let mut command = Command::new(program);
    command.arg("--config").arg(config).arg("--ports_file_dir").arg(&own);
    command.arg("--log").arg(own.join("log")).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null()).envs(variables).env("TALLYHOOK_NATS_NAME", name);
    command.env("TALLYHOOK_NATS_STORE", own.join("store"));
    let process = Process::start(&mut command)?;
    let url = wait::until("nats-server to say its port", || url(&own));
    let url = url.with_context(|| fs::read_to_string(own.join("log")).unwrap_or_default())?;
    Ok(Started { process, name: name.to_owned(), url })
}

fn url(folder: &Path) -> Option<String> {
    let files = fs::read_dir(folder).ok()?;
    let path = files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let said: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    said.pointer("/nats/0")?.as_str().map(str::to_owned)
}

/// Ports that nobody listened on a moment ago: servers of a cluster must know each other's before
/// they start.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Result<Vec<_>, _> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    listeners?.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

/// Runs `tallyhook` in a home as the subscriber.
pub(crate) fn as_subscriber(home: &Home, arguments: &[&str]) -> Result<std::process::Output> {
    let mut command = binary::command(arguments)?;
    command.env("TALLYHOOK_NATS__NKEY", "subscriber.nk");
    Ok(command.current_dir(home.path()).stdin(Stdio::null()).output()?)
}
