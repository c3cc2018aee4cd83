//! A git repository, as the command line names it.

use std::path::PathBuf;

use vigie_ingest::pull::git::{Deployments, GitSource};

use crate::terminal::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of a clone, bare or not
    path: PathBuf,
    /// What the repository is called [default: owner/name of the remote origin, else the folder's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// The service that is deployed [default: the last part of the repository's name]
    #[arg(long, value_name = "SLUG")]
    service: Option<String>,
    /// Where it is deployed [default: production]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Tags that are deployments, like 'v*'
    #[arg(long, value_name = "PATTERN", conflicts_with = "every_merge")]
    tags: Option<String>,
    /// Each first-parent commit of the default branch is a deployment (continuous delivery)
    #[arg(long)]
    every_merge: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Args {
    pub(super) fn source(self) -> GitSource {
        let deployments = match (self.tags, self.every_merge) {
            (Some(pattern), _) => Deployments::Tags(vec![pattern]),
            (None, true) => Deployments::EveryMerge,
            (None, false) => Deployments::Versions,
        };
        let Self { path, repository, service, environment, .. } = self;
        GitSource { path, repository, service, environment, deployments }
    }
}
