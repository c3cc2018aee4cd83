//! `vigie catalog`: catalogues that other tools keep, as sections of `vigie.toml`.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::Outcome;
use crate::proposal::{Proposal, Target};

mod backstage;
mod entity;
mod files;
mod location;
mod yaml;

/// Read the catalogue of another tool and propose it as services and teams
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Propose [[team]] and [[service]] lines for vigie.toml from files of Backstage (catalog-info.yaml)
    #[command(after_help = "\
Components are services and groups are teams; what vigie.toml says already is not proposed again. What could not be used
is said on standard error. Nothing is changed: review the lines, and put them into vigie.toml.")]
    Import {
        /// Files, or folders that are searched for catalog-info.yaml
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<PathBuf>,
        /// Components of this spec.type alone; may be given several times [default: all but libraries and documentation]
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let Action::Import { paths, types, target } = args.action;
    target.check()?;
    let config = context.load(&[])?;
    let mut proposal = Proposal { origin: "vigie catalog import".to_owned(), ..Proposal::default() };
    let entities = files::entities(&paths, &mut proposal);
    backstage::propose(entities, &types, &config, &mut proposal);
    proposal.beside(&config, &context.config_file().display().to_string());
    target.write(&proposal)
}
