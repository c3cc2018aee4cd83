//! `vigie`, the binary: the command line, the configuration and the life of a server. It computes nothing.
//!
//! To add a command, write a file in `commands/` and add its line to the registry in [`cli`].

mod cli;
mod commands;
mod config;
mod context;
mod demo;
mod failure;
mod hooks;
mod humane;
mod moment;
mod proposal;
mod server;
mod shutdown;
mod telemetry;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::terminal::{Paint, Tone, say};

/// An import is a hundred million small allocations on several threads, which the system's allocator makes dear.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // A worker is one thread and no more, so it comes before the runtime's.
    if let cli::Command::MapWorker(args) = cli.command {
        return ended(args.serve());
    }
    telemetry::start(matches!(cli.command, cli::Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("error: the system gives no threads: {error}"));
            return ExitCode::from(1);
        }
    };
    let context = context::Context::new(cli.config, cli.database);
    let outcome = runtime.block_on(cli.command.run(context));
    // A blocking task that was given up (reading standard input) is not waited for.
    runtime.shutdown_background();
    ended(outcome)
}

fn ended(outcome: failure::Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                say(format_args!("{} {}", Paint::for_stderr().tone(Tone::Bad, "error:"), failure.message));
            }
            ExitCode::from(failure.status)
        }
    }
}
