//! The command line: what is said to every command, and the registry of commands.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::Outcome;

/// Deployment and incident metrics of an organisation: from the events of its tools to numbers that can be traced.
#[derive(Debug, clap::Parser)]
#[command(name = "vigie", version, propagate_version = false, max_term_width = 100, infer_subcommands = false)]
#[command(after_help = "\
Settings come from vigie.toml, then VIGIE_* variables, then flags.
Exit status: 0 done, 1 something was rejected or failed, 2 wrong usage.
To see something at once: vigie demo")]
pub struct Cli {
    /// The configuration [default: vigie.toml, where it is there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "For every command")]
    pub config: Option<PathBuf>,
    /// The database: sqlite://FILE or postgres://HOST/NAME [default: sqlite://vigie.db]
    // A URL with a password belongs into VIGIE_DATABASE or a file: a flag can be read by everybody on the machine.
    #[arg(long, global = true, value_name = "URL", help_heading = "For every command")]
    pub database: Option<String>,
    #[command(subcommand)]
    pub command: Command,
}

macro_rules! commands {
    ($( $command:ident $module:ident; )+) => {
        /// What to do.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command { $( #[allow(missing_docs)] $command(crate::commands::$module::Args), )+ }

        impl Command {
            /// Does it.
            pub async fn run(self, context: Context) -> Outcome {
                match self { $( Self::$command(args) => crate::commands::$module::run(context, args).await, )+ }
            }
        }
    };
}

// A command is a file in `commands/` with `Args` and `run`, and a line here and in `commands.rs`.
commands! {
    Serve serve;
    Demo demo;
    Import import;
    Export export;
    Pull pull;
    Scorecard scorecard;
    Discover discover;
    Catalog catalog;
    Connector connector;
    Deliveries deliveries;
    Replay replay;
    Token token;
    Database database;
    Config config;
    Doctor doctor;
    MapWorker map_worker;
}
