//! `vigie pull`: sources that are asked for what they know.

use serde_json::json;
use vigie_engine::{Engine, Folding};

use crate::config::{Config, GitDeployments, PullEntry, PullSource};
use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::shutdown::Shutdown;
use crate::terminal::{Format, Output, print, print_json, say, spinner};

mod git;
mod schedule;

pub use schedule::schedule;

/// Ask a source for what it knows: a git repository, or everything that the configuration lists
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a source: every [[pull]] of the configuration, once; vigie serve asks them on their schedule.
A pull goes on where the last one stood, and what is known already is recognised.")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    source: Option<Source>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// The commits of a git repository on disk, and deployments guessed from its tags or merges
    #[command(after_help = "\
Without --tags and --every-merge, each tag that looks like a version is a deployment. A tag counts as finished at
its date (annotated) or its commit's. Deployments found this way are marked as inferred.")]
    Git(git::Args),
}

/// What a pull brought.
struct Pulled {
    repository: String,
    service: String,
    branch: Option<String>,
    commits: u64,
    deployments: u64,
    accepted: u64,
    duplicates: u64,
    seconds: f64,
    warnings: Vec<String>,
    /// It was interrupted; the next one goes on.
    is_cut: bool,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let (flags, format) = (&[][..], output(&args).format);
    let config = context.load(flags)?;
    let wanted = match args.source {
        Some(Source::Git(args)) => vec![args.wanted()],
        None => configured(&config)?,
    };
    let engine = context.engine(&config, Use::Write, Folding::OnDemand).await?;
    let shutdown = Shutdown::listen("stopping: what was read is being recorded; press again to abort")?;
    let mut all = Vec::new();
    let mut failures = 0_u64;
    for wanted in wanted {
        match git::pull(&engine, &wanted, &shutdown, true).await {
            Ok(pulled) => all.push(pulled),
            Err(failure) => {
                failures += 1;
                say(format_args!("error: {}", failure.message));
            }
        }
        if shutdown.is_asked() {
            break;
        }
    }
    fold(&engine, &all, &shutdown).await?;
    engine.shutdown().await;
    match format {
        Format::Json => print_json(&all.iter().map(described).collect())?,
        Format::Table => show(&all)?,
    }
    let unsupported = unsupported(&config);
    if shutdown.is_asked() {
        return Err(Failure::new("the pull was interrupted; the next one goes on where it stood"));
    }
    if failures > 0 || unsupported > 0 { Err(Failure::said()) } else { Ok(()) }
}

fn output(args: &Args) -> Output {
    match &args.source {
        Some(Source::Git(args)) => args.output,
        None => args.output,
    }
}

fn configured(config: &Config) -> Result<Vec<git::Wanted>, Failure> {
    if config.pulls.is_empty() {
        return Err(Failure::new(
            "there is nothing to pull: write a [[pull]] into vigie.toml, or name a source: vigie pull git PATH",
        ));
    }
    Ok(config.pulls.iter().filter_map(wanted).collect())
}

/// What a `[[pull]]` asks of git; `None` where it asks something else.
fn wanted(entry: &PullEntry) -> Option<git::Wanted> {
    let PullSource::Git { path, repository, service, environment, deployments } = &entry.source else { return None };
    Some(git::Wanted {
        path: path.clone(),
        repository: repository.clone(),
        service: service.clone(),
        environment: environment.clone(),
        deployments: deployments.clone(),
    })
}

/// Says what of the configuration this release cannot pull; how many entries.
fn unsupported(config: &Config) -> usize {
    let others = config.pulls.iter().filter(|entry| !matches!(entry.source, PullSource::Git { .. }));
    others
        .map(|entry| say(format_args!("error: {}: this release pulls git repositories only", name(&entry.source))))
        .count()
}

/// What a source is called in messages.
pub fn name(source: &PullSource) -> String {
    match source {
        PullSource::Git { path, .. } => format!("git {}", path.display()),
        PullSource::GitHub(names) => format!("github {}", names.join(" ")),
        PullSource::GitLab(names) => format!("gitlab {}", names.join(" ")),
        PullSource::Prometheus(url) => format!("prometheus {}", crate::config::mask(url)),
    }
}

async fn fold(engine: &Engine, pulled: &[Pulled], shutdown: &Shutdown) -> Outcome {
    if pulled.iter().all(|pulled| pulled.accepted == 0) || shutdown.is_asked() {
        return Ok(());
    }
    let busy = spinner("folding");
    let folded = engine.fold_all().await;
    busy.finish_and_clear();
    Ok(folded?)
}

fn described(pulled: &Pulled) -> serde_json::Value {
    json!({
        "repository": pulled.repository, "service": pulled.service, "branch": pulled.branch,
        "commits": pulled.commits, "deployments": pulled.deployments,
        "accepted": pulled.accepted, "duplicates": pulled.duplicates,
        "warnings": pulled.warnings, "interrupted": pulled.is_cut,
    })
}

fn show(all: &[Pulled]) -> Outcome {
    for pulled in all {
        let branch = pulled.branch.as_ref().map(|branch| format!(", branch {branch}")).unwrap_or_default();
        print(&format!(
            "{} (service {}{branch}): {} and {} read in {:.1} s; {} accepted, {}\n",
            pulled.repository,
            pulled.service,
            humane::some(pulled.commits, "commit", "commits"),
            humane::some(pulled.deployments, "deployment", "deployments"),
            pulled.seconds,
            humane::count(pulled.accepted),
            humane::some(pulled.duplicates, "duplicate", "duplicates"),
        ))?;
        for warning in &pulled.warnings {
            say(format_args!("note: {warning}"));
        }
    }
    if let Some(pulled) = all.iter().find(|pulled| pulled.deployments > 0) {
        say(format_args!("To see what it means: vigie scorecard --service {} --last P365D", pulled.service));
    }
    Ok(())
}

impl From<&GitDeployments> for vigie_ingest::pull::git::Deployments {
    fn from(deployments: &GitDeployments) -> Self {
        match deployments {
            GitDeployments::None => Self::Versions,
            GitDeployments::Tags(pattern) => Self::Tags(vec![pattern.clone()]),
            GitDeployments::EveryMerge => Self::EveryMerge,
        }
    }
}
