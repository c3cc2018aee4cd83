//! Worker processes, and requests to them.
//!
//! A worker is started when it is first needed. One that overruns a limit, dies or answers nonsense is killed by its
//! id and not used again; its request gets an error that says which limit it was, and the others go on.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Connector;
use super::map::OutputLimits;
use super::protocol as p;

mod process;

use process::{Death, Worker};

/// How a worker is started: a command whose `main` ends in [`super::worker::run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
}

impl Launch {
    /// This very program, with these arguments.
    ///
    /// # Errors
    /// The system does not say which program this is.
    pub fn this_program(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> std::io::Result<Self> {
        // The one that runs, even where its file has been replaced by a newer one meanwhile.
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { running } else { std::env::current_exe()? };
        Ok(Self { program, arguments: arguments.into_iter().map(Into::into).collect() })
    }
}

/// What one request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From when a worker takes it up until the answer is there.
    pub deadline: Duration,
    /// Bytes of the input.
    pub input_bytes: usize,
    /// Bytes and values of the output.
    pub output: OutputLimits,
    /// Bytes of memory; a worker is told when it is started.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            // The largest body that is taken in by default, and its headers.
            input_bytes: 11 << 20,
            output: OutputLimits { bytes: 10 << 20, events: 10_000 },
            memory: 512 << 20,
        }
    }
}

/// A limit that a map overran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Time.
    #[error("it took longer than {} s", .0.as_secs_f64())]
    Deadline(Duration),
    /// The size of the delivery.
    #[error("the delivery has {bytes} bytes, more than {most}")]
    Input {
        /// What it has.
        bytes: usize,
        /// What is taken.
        most: usize,
    },
    /// The size of what it put out.
    #[error("it put out more than {0} bytes")]
    OutputBytes(usize),
    /// The number of values that it put out.
    #[error("it put out more than {0} events")]
    Events(usize),
    /// Memory.
    #[error("it needed more than {} MiB of memory", .0 >> 20)]
    Memory(u64),
    /// The stack.
    #[error("it recursed without end")]
    Recursion,
}

/// Why a delivery became nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The map does not compile, failed, or made something that is no event: the file, and what is wrong.
    #[error("{0}")]
    Map(String),
    /// The map was given up on.
    #[error("{place}: {limit}; the map was given up on")]
    Limit {
        /// What the map's file is called.
        place: String,
        /// What it overran.
        limit: Limit,
    },
    /// The map was not run: no worker could be had. It may be tried again.
    #[error("no map could be run: {0}")]
    NoWorker(String),
}

impl Failure {
    /// Whether the delivery itself is not to blame, so that it may be tried again later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::NoWorker(_))
    }

    /// Whether the map took too long.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        matches!(self, Self::Limit { limit: Limit::Deadline(_), .. })
    }
}

/// A few workers, shared by all who have something to map.
#[derive(Debug)]
pub struct Pool {
    launch: Launch,
    limits: Limits,
    turns: Semaphore,
    idle: Mutex<Vec<Worker>>,
}

/// Requests after which a worker makes room for a fresh one, before the system's limit on its computing does.
const REQUESTS: u32 = 2_000;
/// An input after which it does too: much memory that was used is hard to get back.
const LARGE_INPUT: usize = 1 << 20;

impl Pool {
    /// A pool of at most so many workers; none is started yet.
    #[must_use]
    pub fn new(launch: Launch, workers: usize, limits: Limits) -> Self {
        Self { launch, limits, turns: Semaphore::new(workers.max(1)), idle: Mutex::default() }
    }

    /// The limits of a request.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The ids of the worker processes that have nothing to do, for whoever watches processes.
    #[must_use]
    pub fn idle(&self) -> Vec<u32> {
        self.lock().iter().filter_map(Worker::id).collect()
    }

    /// Runs a connector's map on an input ([`super::Envelope::input`]): what it puts out, one JSON value a line.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn map(&self, connector: &Connector, input: &[u8]) -> Result<Vec<u8>, Failure> {
        if input.len() > self.limits.input_bytes {
            let limit = Limit::Input { bytes: input.len(), most: self.limits.input_bytes };
            return Err(overrun(connector, limit));
        }
        let closed = |_| Failure::NoWorker("the program is stopping".to_owned());
        let _turn = self.turns.acquire().await.map_err(closed)?;
        let mut worker = match self.lock().pop() {
            Some(worker) => worker,
            None => self.start()?,
        };
        let was_used = worker.requests > 0;
        match self.ask(&mut worker, connector, input).await {
            Ok(answer) => {
                if worker.requests < REQUESTS && input.len() < LARGE_INPUT {
                    self.lock().push(worker);
                }
                answer
            }
            // One that died by itself between two requests, or from what the earlier ones left, says nothing of this.
            Err(Death::Unknown(_) | Death::Memory) if was_used => {
                let mut fresh = self.start()?;
                let answer = self.ask(&mut fresh, connector, input).await;
                let answer = answer.map_err(|death| self.told(connector, death))?;
                self.lock().push(fresh);
                answer
            }
            Err(death) => Err(self.told(connector, death)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        // A list of workers is whole whoever panicked while holding it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Worker, Failure> {
        Worker::start(&self.launch, &self.limits)
            .map_err(|error| Failure::NoWorker(format!("{} cannot be started: {error}", self.launch.program.display())))
    }

    fn told(&self, connector: &Connector, death: Death) -> Failure {
        match death {
            Death::Deadline => overrun(connector, Limit::Deadline(self.limits.deadline)),
            Death::Memory => overrun(connector, Limit::Memory(self.limits.memory)),
            Death::Recursion => overrun(connector, Limit::Recursion),
            Death::TooMuch => overrun(connector, Limit::OutputBytes(self.limits.output.bytes)),
            Death::Panic(said) => {
                Failure::Map(format!("{}: the interpreter gave up: {said}", connector.place("map.jq")))
            }
            Death::Unknown(status) => Failure::NoWorker(format!("the worker ended by itself: {status}")),
        }
    }

    /// One request; `Err` where the worker is no more.
    async fn ask(
        &self,
        worker: &mut Worker,
        connector: &Connector,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, Failure>, Death> {
        worker.requests += 1;
        match timeout(self.limits.deadline, exchange(worker, connector, input, &self.limits)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Broken::Gone)) => Err(worker.bury().await),
            Ok(Err(Broken::TooMuch)) => {
                worker.kill().await;
                Err(Death::TooMuch)
            }
            Err(_) => {
                worker.kill().await;
                Err(Death::Deadline)
            }
        }
    }
}

fn overrun(connector: &Connector, limit: Limit) -> Failure {
    Failure::Limit { place: connector.place("map.jq"), limit }
}

/// Why an exchange did not end in an answer.
enum Broken {
    Gone,
    TooMuch,
}

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

async fn exchange(
    worker: &mut Worker,
    connector: &Connector,
    input: &[u8],
    limits: &Limits,
) -> Result<Result<Vec<u8>, Failure>, Broken> {
    if !worker.known.contains(&connector.digest) {
        let content = p::program(&connector.digest, &connector.place("map.jq"), &connector.map)?;
        worker.send(p::PROGRAM, &[&content]).await?;
        worker.known.insert(connector.digest);
    }
    worker.send(p::MAP, &[&connector.digest, input]).await?;
    let (kind, content) = receive(&mut worker.output, limits.output.bytes).await?;
    Ok(match kind {
        p::OUTPUTS => Ok(content),
        p::FAILED => Err(Failure::Map(String::from_utf8_lossy(&content).into_owned())),
        p::TOO_MANY_BYTES => Err(overrun(connector, Limit::OutputBytes(limits.output.bytes))),
        p::TOO_MANY_EVENTS => Err(overrun(connector, Limit::Events(limits.output.events))),
        _ => return Err(Broken::Gone),
    })
}

/// The worker keeps to the limit on its output; that it does is not relied on.
async fn receive(output: &mut ChildStdout, most: usize) -> Result<(u8, Vec<u8>), Broken> {
    let mut head = [0; p::HEAD];
    output.read_exact(&mut head).await?;
    let (kind, length) = p::parse_head(head);
    if length > most.max(4_096) {
        return Err(Broken::TooMuch);
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).await?;
    Ok((kind, content))
}

/// The maps that a worker knows, by their digests.
type Known = HashSet<[u8; p::DIGEST]>;
