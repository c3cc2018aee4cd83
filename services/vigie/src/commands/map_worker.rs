//! `vigie map-worker`: what this program starts itself as, to run the maps of connectors.

use vigie_ingest::connector::map::OutputLimits;
use vigie_ingest::connector::worker::{WorkerLimits, run as serve};

use crate::context::Context;
use crate::failure::Outcome;

/// Run the maps of connectors for another process of this program
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(hide = true)]
pub struct Args {
    /// Bytes of memory
    memory: u64,
    /// Bytes of output
    bytes: usize,
    /// Events
    events: usize,
}

impl Args {
    /// Serves until the other process has gone. It wants no runtime, so `main` calls it before there is one.
    pub fn serve(self) -> Outcome {
        let output = OutputLimits { bytes: self.bytes, events: self.events };
        Ok(serve(WorkerLimits { memory: self.memory, output })?)
    }
}

pub async fn run(_: Context, args: Args) -> Outcome {
    args.serve()
}
