//! The real binary, run in a folder of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A folder of its own for one test, and commands that run in it.
pub struct Bench {
    folder: tempfile::TempDir,
}

/// What a command gave.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output of a command that must have gone well.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(self.status, 0, "stdout: {}\nstderr: {}", self.out, self.err);
        self.out
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.good()).unwrap()
    }
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command, with nothing of the surroundings that it would read.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1").env_remove("RUST_LOG");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_")) {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// With text on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may end before it is written to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts a server or a demo, and waits until it says where it listens.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let url = loop {
            let Some(line) = lines.next() else {
                let status = child.wait().unwrap();
                panic!("it ended with {status} before it listened: {said}");
            };
            let line = line.unwrap();
            said.push_str(&line);
            said.push('\n');
            if let Some(at) = line.find(" at http://") {
                break line[at + 4..].trim_end_matches('/').to_owned();
            }
        };
        // What follows is read on, so that nothing blocks.
        let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        Running { child, url, said, rest: Some(rest) }
    }

    /// A made-up organisation in a database of its own: its events as an export.
    pub fn demo(&self, services: &str, months: &str) -> PathBuf {
        let arguments = [
            "demo",
            "--services",
            services,
            "--months",
            months,
            "--database",
            "sqlite://made-up.db",
            "--listen",
            "127.0.0.1:0",
        ];
        self.start(&arguments).stop();
        self.run(&["export", "--database", "sqlite://made-up.db", "--format", "ndjson", "made-up"]).good();
        self.path("made-up/events.ndjson")
    }
}

/// A server that runs.
pub struct Running {
    child: Child,
    pub url: String,
    /// What it said until it listened.
    pub said: String,
    rest: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Asks it to stop and waits; its exit status, and what it said after it listened.
    pub fn stop(self) -> (i32, String) {
        self.signal("TERM");
        self.wait()
    }

    pub fn wait(mut self) -> (i32, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        (status.code().unwrap_or(-1), self.rest.take().unwrap().join().unwrap())
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Runs something asynchronous to its end.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Posts a body; the status and the answer.
pub async fn post(client: &reqwest::Client, url: &str, body: String) -> reqwest::Result<(u16, String)> {
    let answer = client.post(url).header("content-type", "application/json").body(body).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// Without what differs from folder to folder.
pub fn without_folder(text: &str, folder: &Path) -> String {
    text.replace(&folder.display().to_string(), "FOLDER")
}
