//! A real PostgreSQL, started when the first test needs one.
//!
//! Test runners start a process for each test, so one server serves them all: whoever comes first starts it, under
//! a lock, in a folder of this user; a watchdog beside it stops it when nobody has used it for a while. A
//! benchmark takes a server of its own, with the durability of a real one.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

const MISSING: &str = "PostgreSQL is not installed, and this test runs on it. Install it: apt-get install postgresql \
    (Debian, Ubuntu), dnf install postgresql-server (Fedora), brew install postgresql (macOS). No service has to run: \
    the tests start a server of their own.";

/// Not synced to the disk: a test that ends takes its data along.
const CARELESS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300";
/// As a server is set up that people rely on, with room for a bulk load.
const CAREFUL: &str = "-c max_wal_size=4GB -c shared_buffers=256MB";

/// A running server, with the user `vigie` and no password, on this machine only.
#[derive(Debug)]
pub struct PostgresServer {
    port: u16,
    /// Of a server of one's own: its programs, and the folder that goes away with it.
    own: Option<(PathBuf, TempDir)>,
}

impl PostgresServer {
    /// The server that all tests of this user share.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start, with the reason.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        SERVER.get_or_init(|| Self { port: shared_port(), own: None })
    }

    /// A server that nobody else uses and that syncs what it commits, as benchmarks need. It ends with this value.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start, with the reason.
    #[must_use]
    pub fn own() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("vigie-postgres").tempdir().expect("a temporary folder");
        let port = start(&programs, folder.path(), CAREFUL);
        Self { port, own: Some((programs, folder)) }
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://vigie@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some((programs, folder)) = &self.own {
            let data = folder.path().join("data");
            let mut stop = as_server_user(programs.join("pg_ctl"));
            let _ = stop.arg("-D").arg(data).args(["-m", "fast", "stop"]).status();
        }
    }
}

fn shared_port() -> u16 {
    let user = fs::metadata("/proc/self")
        .map_or_else(|_| std::env::var("USER").unwrap_or_default(), |own| own.uid().to_string());
    let folder = std::env::temp_dir().join(format!("vigie-testkit-{user}"));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let lock = File::create(folder.join("lock")).expect("a lock file");
    lock.lock().expect("the lock of the test server");
    let used = folder.join("used");
    File::create(&used).expect("a mark of the latest use");
    let port_file = folder.join("port");
    let running = fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse().ok());
    if let Some(port) = running
        && folder.join("data/postmaster.pid").exists()
        && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return port;
    }
    let programs = programs();
    // What is left of a server that was cut off: nobody answers there, and the lock is ours.
    let data = folder.join("data");
    let _ = fs::remove_dir_all(&data);
    let port = start(&programs, &folder, CARELESS);
    fs::write(&port_file, port.to_string()).expect("a note of the port");
    watch(&programs, &folder, port);
    port
}

/// Makes a cluster in `folder/data` and starts it.
fn start(programs: &Path, folder: &Path, settings: &str) -> u16 {
    if let Some((user, group)) = server_user() {
        chown(folder, Some(user), Some(group)).expect("the folder can be given to the server's user");
    }
    let data = folder.join("data");
    let log = folder.join("log");
    let _ = fs::remove_file(&log);
    let mut init = as_server_user(programs.join("initdb"));
    init.arg("-D").arg(&data).args(["-U", "vigie", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    run(init, "initdb");
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a free port").port();
    let options = format!("-p {port} -k '' -c listen_addresses=127.0.0.1 {settings}");
    let mut start = as_server_user(programs.join("pg_ctl"));
    start.arg("-D").arg(&data).arg("-l").arg(&log).arg("-o").arg(options).args(["-w", "start"]);
    run(start, "pg_ctl start");
    port
}

fn run(mut command: Command, name: &str) {
    // Its output goes to a file: a server that inherited a pipe would keep the runner waiting for its end.
    let output = tempfile::tempfile().expect("a temporary file");
    command.stdout(output.try_clone().expect("a temporary file")).stderr(output.try_clone().expect("a temporary file"));
    let status = command.status().unwrap_or_else(|error| panic!("{name}: {error}"));
    if !status.success() {
        use std::io::{Read, Seek};
        let (mut output, mut said) = (output, String::new());
        let _ = output.rewind().and_then(|()| output.read_to_string(&mut said));
        panic!("{name} failed ({status}):\n{said}");
    }
}

/// Beside the server: stops it, and only it, when it was not used for ten minutes and nobody is connected.
#[expect(clippy::zombie_processes, reason = "it outlives the test that starts it, as the server does")]
fn watch(programs: &Path, folder: &Path, port: u16) {
    const SCRIPT: &str = r#"
        while sleep 30; do
            [ -f "$1/data/postmaster.pid" ] || exit 0
            [ -n "$(find "$1/used" -mmin -10)" ] && continue
            clients=$("$2/psql" -h 127.0.0.1 -p "$3" -U vigie -d postgres -Atc "SELECT count(*) FROM pg_stat_activity \
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()") || clients=0
            [ "$clients" = 0 ] || continue
            "$2/pg_ctl" -D "$1/data" -m immediate stop && rm -rf "$1/data"
            exit 0
        done"#;
    let mut watchdog = as_server_user("sh".into());
    watchdog.args(["-c", SCRIPT, "vigie-testkit"]).arg(folder).arg(programs).arg(port.to_string());
    watchdog.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    watchdog.spawn().expect("the watchdog of the test server");
}

/// PostgreSQL refuses to run as root: then it runs as the user of its package.
fn server_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

fn as_server_user(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    // Not every user may stand where the test was started.
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// The folder of `initdb` and `pg_ctl`, the newest where there are several.
fn programs() -> PathBuf {
    let version = |folder: &PathBuf| -> u32 {
        let name = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    let mut packaged: Vec<_> = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/postgresql"]
        .iter()
        .filter_map(|root| fs::read_dir(root).ok())
        .flat_map(|versions| versions.flatten().map(|entry| entry.path().join("bin")))
        .collect();
    packaged.sort_by_key(version);
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured =
        configured.and_then(|output| String::from_utf8(output.stdout).ok()).map(|text| PathBuf::from(text.trim()));
    let in_path =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let mut folders = packaged.into_iter().rev().chain(configured).chain(in_path);
    folders
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .unwrap_or_else(|| panic!("{MISSING}"))
}
