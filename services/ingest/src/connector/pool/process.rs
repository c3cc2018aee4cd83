//! One worker process: started, spoken to, and buried.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::super::protocol as p;
use super::{Known, Launch, Limits};

/// A worker.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    input: ChildStdin,
    pub output: ChildStdout,
    errors: ChildStderr,
    pub known: Known,
    pub requests: u32,
}

/// What a worker died of.
#[derive(Debug)]
pub(super) enum Death {
    Deadline,
    Memory,
    Recursion,
    TooMuch,
    Panic(String),
    Unknown(String),
}

/// How long a process that has closed its output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The signal by which the system ends a process that has computed too long.
const SIGXCPU: i32 = 24;

impl Worker {
    pub(super) fn start(launch: &Launch, limits: &Limits) -> std::io::Result<Self> {
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .arg(limits.memory.to_string())
            .arg(limits.output.bytes.to_string())
            .arg(limits.output.events.to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C is for the program, which lets those that work finish.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(name) = std::env::args_os().next().filter(|_| launch.program.starts_with("/proc")) {
            command.arg0(name);
        }
        let mut child = command.spawn()?;
        let none = || std::io::Error::other("a pipe is missing");
        let input = child.stdin.take().ok_or_else(none)?;
        let output = child.stdout.take().ok_or_else(none)?;
        let errors = child.stderr.take().ok_or_else(none)?;
        Ok(Self { child, input, output, errors, known: Known::new(), requests: 0 })
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn send(&mut self, kind: u8, parts: &[&[u8]]) -> std::io::Result<()> {
        let length = parts.iter().map(|part| part.len()).sum();
        self.input.write_all(&p::head(kind, length)?).await?;
        for part in parts {
            self.input.write_all(part).await?;
        }
        self.input.flush().await
    }

    /// Kills it, and waits until it is gone.
    pub(super) async fn kill(&mut self) {
        // One that is gone already cannot be killed, and that is as well.
        let _ = self.child.kill().await;
    }

    /// Finds out what it died of.
    pub(super) async fn bury(&mut self) -> Death {
        let mut said = Vec::new();
        // Of a process that lives on in spite of its closed output, nothing more is wanted.
        let _ = timeout(LAST_WORDS, (&mut self.errors).take(4_096).read_to_end(&mut said)).await;
        let status = timeout(LAST_WORDS, self.child.wait()).await;
        self.kill().await;
        let said = String::from_utf8_lossy(&said);
        if said.contains("overflowed its stack") {
            return Death::Recursion;
        }
        if said.contains("memory allocation of") {
            return Death::Memory;
        }
        if let Some((_, panic)) = said.split_once("panicked at") {
            let lines = panic.lines().skip(1).map(str::trim).find(|line| !line.is_empty());
            return Death::Panic(vigie_model::json::shorten(lines.unwrap_or_default()));
        }
        match status {
            Ok(Ok(status)) if status.signal() == Some(SIGXCPU) => Death::Deadline,
            Ok(Ok(status)) => Death::Unknown(format!("{status} {}", vigie_model::json::shorten(said.trim()))),
            Ok(Err(error)) => Death::Unknown(error.to_string()),
            Err(_) => Death::Unknown("it does not end".to_owned()),
        }
    }
}
