//! Real servers that a test starts: Prometheus, its blackbox exporter, and a target that they look at.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::wait_for;

/// Longer than anything takes, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that ends with the test.
pub struct Peer {
    child: Child,
    pub url: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    fn start(program: &str, arguments: &[String], address: SocketAddr) -> Self {
        let mut command = Command::new(program);
        let child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child
            .unwrap_or_else(|error| panic!("{program}: {error}; install the package of that name to run this test"));
        let peer = Self { child, url: format!("http://{address}") };
        let ready = format!("{}/-/{}", peer.url, if program == "prometheus" { "ready" } else { "healthy" });
        until(&format!("{program} is ready"), || get(&ready).is_some());
        peer
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// A Prometheus over a folder, which it may have had before.
    pub fn prometheus(folder: &Path, config: &str) -> Self {
        let (file, address) = (folder.join("prometheus.yml"), free());
        std::fs::write(&file, config).unwrap();
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            "--storage.tsdb.retention.time=10y".to_owned(),
            format!("--web.listen-address={address}"),
        ];
        Self::start("prometheus", &arguments, address)
    }

    /// A Prometheus that speaks TLS with a certificate of an authority of its own (`ca.pem` in the folder), and lets in
    /// the user `admin` with the password `test`.
    pub fn guarded(folder: &Path) -> Self {
        let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem && \
            openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr && \
            printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > server.ext && \
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem";
        let done = Command::new("sh").args(["-c", script]).current_dir(folder).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "openssl makes no certificates; install the package of that name to run this test");
        let users = "basic_auth_users: {admin: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}\n";
        let web = format!("tls_server_config: {{cert_file: server.pem, key_file: server.key}}\n{users}");
        std::fs::write(folder.join("web.yml"), web).unwrap();
        std::fs::write(folder.join("prometheus.yml"), "scrape_configs: []\n").unwrap();
        let address = free();
        let arguments = [
            format!("--config.file={}", folder.join("prometheus.yml").display()),
            format!("--web.config.file={}", folder.join("web.yml").display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let child = Command::new("prometheus").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("prometheus: {error}; install the package of that name"));
        let peer = Self { child, url: format!("https://{address}") };
        until("it listens", || TcpStream::connect(address).is_ok());
        peer
    }

    pub fn blackbox(folder: &Path) -> Self {
        let (file, address) = (folder.join("blackbox.yml"), free());
        let modules = "modules: {http: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4}}}\n";
        std::fs::write(&file, modules).unwrap();
        let arguments = [format!("--config.file={}", file.display()), format!("--web.listen-address={address}")];
        Self::start("prometheus-blackbox-exporter", &arguments, address)
    }

    /// What a query gives now, as its values.
    pub fn query(&self, query: &str) -> Vec<String> {
        let url = format!("{}/api/v1/query?query={query}", self.url);
        let answer: Value = get(&url).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let all = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|own| own["value"][1].as_str().map(str::to_owned)).collect()
    }
}

/// An address that nobody has.
pub fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What stands before a server and takes its time with every request: the URL to ask instead.
pub fn slow(url: &str) -> String {
    let upstream = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&upstream) else { continue };
            let (mut from_client, mut from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (mut client, mut server) = (client, server);
            std::thread::spawn(move || std::io::copy(&mut from_server, &mut client));
            std::thread::spawn(move || {
                let mut part = [0; 8_192];
                while let Ok(length @ 1..) = from_client.read(&mut part) {
                    std::thread::sleep(Duration::from_millis(150));
                    if server.write_all(&part[..length]).is_err() {
                        return;
                    }
                }
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    url
}

/// The body of an answer that went well.
fn get(url: &str) -> Option<String> {
    wait_for(async {
        let answer = reqwest::Client::builder().no_proxy().build().ok()?.get(url).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    })
}

/// Waits for what nothing tells when it comes to pass.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A web server that answers everything, until it is stopped.
pub struct Target {
    address: SocketAddr,
    is_up: Option<(Arc<AtomicBool>, std::thread::JoinHandle<()>)>,
}

impl Target {
    pub fn start() -> Self {
        let mut target = Self { address: free(), is_up: None };
        target.up();
        target
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// It answers from now on.
    pub fn up(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let runs = Arc::new(AtomicBool::new(true));
        let still = runs.clone();
        let thread = std::thread::spawn(move || {
            while still.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                let _ = stream.set_nonblocking(false);
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        self.is_up = Some((runs, thread));
    }

    /// Nobody answers from now on.
    pub fn down(&mut self) {
        if let Some((runs, thread)) = self.is_up.take() {
            runs.store(false, Ordering::Relaxed);
            thread.join().unwrap();
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.down();
    }
}

/// Blocks of samples in a Prometheus' folder, from a text in the OpenMetrics format.
pub fn history(folder: &Path, text: &Path) {
    let data: PathBuf = folder.join("data");
    let mut command = Command::new("promtool");
    command.args(["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"]).arg(text).arg(data);
    let done = command.stdout(Stdio::null()).status();
    let done =
        done.unwrap_or_else(|error| panic!("promtool: {error}; install the package prometheus to run this test"));
    assert!(done.success(), "promtool makes no blocks");
}
