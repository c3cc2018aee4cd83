//! The worker: a process of its own that runs maps, because a map can loop, recurse and eat memory, and only a process
//! can be given up on.
//!
//! It reads requests on standard input and writes answers on standard output. It opens nothing, can open nothing, and
//! has no more memory than it is told. When it cannot go on it dies, and says on standard error what of.

use std::collections::HashMap;
use std::io;
use std::thread;

use rlimit::Resource;

use super::map::{MapError, OutputLimits, Program};
use super::protocol as p;

/// The stack of the thread that runs maps: enough for every map that means to end.
const STACK: usize = 64 << 20;
/// Seconds of computing after which the system ends a worker that nobody has ended: one whose program has gone.
const COMPUTING_SECONDS: u64 = 60;

/// What the program that starts a worker says on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// The memory for maps, in bytes.
    pub memory: u64,
    /// How much a map may put out.
    pub output: OutputLimits,
}

/// Serves requests until the other side has gone.
///
/// # Errors
/// The limits cannot be set, or the other side does not speak as it should.
pub fn run(limits: WorkerLimits) -> io::Result<()> {
    let worker = thread::Builder::new().name("map".to_owned()).stack_size(STACK).spawn(move || {
        // The thread's own memory is there by now and does not count.
        restrict(limits.memory)?;
        serve(limits.output)
    })?;
    worker.join().unwrap_or_else(|_| Err(io::Error::other("the map made the interpreter panic")))
}

fn restrict(memory: u64) -> io::Result<()> {
    // What the program itself takes is no map's: text, libraries, stacks.
    if let Some(own) = own_memory() {
        Resource::AS.set(own + memory, own + memory)?;
    }
    Resource::CORE.set(0, 0)?;
    Resource::FSIZE.set(0, 0)?;
    Resource::CPU.set(COMPUTING_SECONDS, COMPUTING_SECONDS)?;
    // The three that are open, and no other.
    Resource::NOFILE.set(3, 3)
}

/// The address space in use, where the system says it.
fn own_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn serve(limits: OutputLimits) -> io::Result<()> {
    let mut programs: HashMap<[u8; p::DIGEST], Result<Program, MapError>> = HashMap::new();
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let broken = || io::Error::other("a request cannot be understood");
    while let Some((kind, content)) = p::read_frame(&mut input)? {
        if kind == p::PROGRAM {
            let (digest, place, map) = p::parse_program(&content).ok_or_else(broken)?;
            programs.insert(digest, Program::compile(&place, &map));
            continue;
        }
        let (digest, request) = content.split_first_chunk::<{ p::DIGEST }>().ok_or_else(broken)?;
        let result = match programs.get(digest).ok_or_else(broken)? {
            Ok(program) => program.run(request, limits),
            Err(error) => Err(error.clone()),
        };
        drop(content);
        match result {
            Ok(outputs) => p::write_frame(&mut output, p::OUTPUTS, &outputs)?,
            Err(MapError::Failed(text)) => p::write_frame(&mut output, p::FAILED, text.as_bytes())?,
            Err(MapError::TooManyBytes) => p::write_frame(&mut output, p::TOO_MANY_BYTES, &[])?,
            Err(MapError::TooManyEvents) => p::write_frame(&mut output, p::TOO_MANY_EVENTS, &[])?,
        }
    }
    Ok(())
}
