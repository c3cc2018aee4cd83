//! `vigie pull`: sources that are asked for what they know.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;
use vigie_engine::{Engine, Folding, PullOptions, Pulled};
use vigie_ingest::pull::Pull;

use crate::config::{Config, PullSource};
use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::hooks::LazyMaps;
use crate::humane;
use crate::shutdown::Shutdown;
use crate::terminal::{Format, Output, bar, print, print_json, say, spinner};

mod git;
mod github;
mod gitlab;
mod jira;
mod pagerduty;
mod prometheus;
mod schedule;

pub use schedule::schedule;

/// For how long a command waits for another process that pulls the same: longer than the lease of one that was killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Ask a source for what it knows: a git repository, a Prometheus, or all that the configuration lists
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
    /// Commits, pull requests, deployments and incidents from GitHub
    #[command(
        name = "github",
        after_help = "\
What it gives is what GitHub's webhooks give: the settings and the map of the [[hook]] of the same source hold for both,
and what came both ways counts once. A token needs read access to contents, pull requests, deployments, issues and, where
runs of workflows are deployments, actions."
    )]
    GitHub(Box<github::Args>),
    /// Commits, merge requests, deployments and incidents from GitLab
    #[command(
        name = "gitlab",
        after_help = "\
What it gives is what GitLab's webhooks give: the settings and the map of the [[hook]] of the same source hold for both,
and what came both ways counts once. A token needs the scope read_api and, in the project or group, the role Reporter."
    )]
    GitLab(Box<gitlab::Args>),
    /// Incidents from Jira Cloud or Data Center: issues of the types or with the labels that the [[hook]] names
    #[command(
        name = "jira",
        after_help = "\
What it gives is what Jira's webhooks give: the settings and the map of the [[hook]] of the same source hold for both
(incident_types, incident_labels, projects, the fields), and what came both ways counts once. An account that may browse the
projects is enough."
    )]
    Jira(Box<jira::Args>),
    /// Incidents from PagerDuty: triggered, acknowledged, resolved, reopened, their priority and status updates
    #[command(
        name = "pagerduty",
        after_help = "\
What it gives is what PagerDuty's webhooks give: the settings and the map of the [[hook]] of the same source hold for both,
and what came both ways counts once. A read-only key of the REST API is enough, or a token of an app with incidents.read."
    )]
    PagerDuty(Box<pagerduty::Args>),
    /// The availability of services from Prometheus, or from what speaks its API (Mimir, Thanos, VictoriaMetrics)
    #[command(after_help = "\
Asks for what is up and down (--query), or for good requests among all (--good and --total). A state is read as far apart
as its samples are; time without any is unobserved. Where several series are one service's, it is down while any says so:
join them in the query where that is not meant, like max by (service) (up).")]
    Prometheus(Box<prometheus::Args>),
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let (flags, format) = (&[][..], output(&args).format);
    let config = context.load(flags)?;
    let maps = LazyMaps::new(&config);
    // What lies on this machine comes as fast as an import; the memory of one that asks elsewhere does not grow with what
    // there is.
    let what_for = if matches!(args.source, Some(Source::Git(_))) { Use::Import } else { Use::Write };
    let wanted = match args.source {
        Some(Source::Git(args)) => vec![Arc::new(args.source()) as Arc<dyn Pull>],
        Some(Source::Prometheus(args)) => args.sources(&config)?,
        Some(Source::GitHub(args)) => args.sources(&config, &maps)?,
        Some(Source::GitLab(args)) => args.sources(&config, &maps)?,
        Some(Source::Jira(args)) => args.sources(&config, &maps)?,
        Some(Source::PagerDuty(args)) => args.sources(&config, &maps)?,
        None => configured(&config, &maps)?,
    };
    let engine = match maps.used() {
        Some(mapping) => context.mapping_engine(&config, what_for, Folding::OnDemand, mapping).await?,
        None => context.engine(&config, what_for, Folding::OnDemand).await?,
    };
    let shutdown = Shutdown::listen("stopping: what was read is being recorded; press again to abort")?;
    let mut all = Vec::new();
    let mut failures = 0_u64;
    for source in wanted {
        match pull(&engine, &*source, &shutdown).await {
            Ok(pulled) => all.push(pulled),
            Err(failure) => {
                failures += 1;
                say(format_args!("error: {failure}"));
            }
        }
        if shutdown.is_asked() {
            break;
        }
    }
    // What came of one that failed counts, too.
    let is_new = failures > 0 || all.iter().any(|pulled| pulled.accepted + pulled.deliveries > 0);
    if is_new && !shutdown.is_asked() {
        fold(&engine, all.iter().any(|pulled| pulled.deliveries > 0), &shutdown).await?;
    }
    engine.shutdown().await;
    match format {
        Format::Json => print_json(&all.iter().map(described).collect())?,
        Format::Table => show(&all)?,
    }
    if shutdown.is_asked() {
        return Err(Failure::new("the pull was interrupted; the next one goes on where it stood"));
    }
    if failures > 0 { Err(Failure::said()) } else { Ok(()) }
}

/// Pulls a source with a bar, where somebody looks.
async fn pull(engine: &Engine, source: &dyn Pull, shutdown: &Shutdown) -> Result<Pulled, vigie_engine::PullFailure> {
    let name = source.name();
    let (busy, progress) = (spinner(&format!("looking at {name}")), OnceLock::<ProgressBar>::new());
    let told = |step: vigie_engine::PullStep| {
        let bar = progress.get_or_init(|| {
            busy.finish_and_clear();
            bar(step.total, &format!("pulling {name}"))
        });
        bar.set_length(step.total);
        bar.set_position(step.done);
    };
    let options = PullOptions { patience: PATIENCE, schedule: None, told: &told };
    let pulled = engine.pull(source, options, shutdown.asked()).await;
    busy.finish_and_clear();
    progress.get().map(ProgressBar::finish_and_clear);
    pulled
}

fn output(args: &Args) -> Output {
    match &args.source {
        Some(Source::Git(args)) => args.output,
        Some(Source::Prometheus(args)) => args.output,
        Some(Source::GitHub(args)) => args.output,
        Some(Source::GitLab(args)) => args.output,
        Some(Source::Jira(args)) => args.output,
        Some(Source::PagerDuty(args)) => args.output,
        None => args.output,
    }
}

/// The file with a token that a flag names, else a variable. clap would want a source for the variable too, which may stand
/// there for other runs.
fn told(flag: Option<PathBuf>, variable: &str) -> Option<PathBuf> {
    flag.or_else(|| std::env::var_os(variable).filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// The pulls of the configuration.
fn configured(config: &Config, maps: &LazyMaps<'_>) -> Result<Vec<Arc<dyn Pull>>, Failure> {
    if config.pulls.is_empty() {
        return Err(Failure::new(
            "there is nothing to pull: write a [[pull]] into vigie.toml, or name a source: vigie pull git PATH",
        ));
    }
    config.pulls.iter().map(|entry| wanted(config, &entry.source, maps)).collect()
}

/// What a `[[pull]]` asks.
pub fn wanted(config: &Config, source: &PullSource, maps: &LazyMaps<'_>) -> Result<Arc<dyn Pull>, Failure> {
    Ok(match source {
        PullSource::Git(source) => Arc::new(source.clone()),
        PullSource::Prometheus(entry) => Arc::new(entry.pull(config)),
        PullSource::GitHub(entry) => Arc::new(entry.pull(maps.get()?, &config.database)),
        PullSource::GitLab(entry) => Arc::new(entry.pull(maps.get()?, &config.database)),
        PullSource::Jira(entry) => Arc::new(entry.pull(maps.get()?)),
        PullSource::PagerDuty(entry) => Arc::new(entry.pull(maps.get()?)),
    })
}

/// What a source is called in messages.
pub fn name(source: &PullSource) -> String {
    match source {
        PullSource::Git(source) => format!("git {}", source.path.display()),
        PullSource::GitHub(own) => format!("github {}", own.repositories.join(" ")),
        PullSource::GitLab(own) => format!("gitlab {}", own.projects.join(" ")),
        PullSource::Jira(own) => format!("jira {}", own.url),
        PullSource::PagerDuty(own) => format!("pagerduty {}", own.url),
        PullSource::Prometheus(own) => format!("prometheus {}", own.http.url),
    }
}

/// `has_deliveries`: some came, too.
async fn fold(engine: &Engine, has_deliveries: bool, shutdown: &Shutdown) -> Outcome {
    let mut mapped = Ok(());
    if has_deliveries {
        let busy = spinner("mapping");
        // Somebody else's may wait too. What is not mapped now is by the next one that does.
        mapped = tokio::select! {
            mapped = engine.map_all() => mapped,
            () = shutdown.asked() => Ok(()),
        };
        busy.finish_and_clear();
    }
    if !shutdown.is_asked() {
        let busy = spinner("folding");
        let folded = engine.fold_all().await;
        busy.finish_and_clear();
        folded?;
    }
    Ok(mapped?)
}

fn described(pulled: &Pulled) -> serde_json::Value {
    let mut all = pulled.summary.details.clone();
    let rest = [
        ("accepted", json!(pulled.accepted)),
        ("duplicates", json!(pulled.duplicates)),
        ("deliveries", json!(pulled.deliveries)),
        ("warnings", json!(pulled.notes)),
        ("interrupted", json!(pulled.is_cut)),
    ];
    all.extend(rest.map(|(name, value)| (name.to_owned(), value)));
    all.into()
}

fn show(all: &[Pulled]) -> Outcome {
    for pulled in all {
        let read: Vec<String> =
            pulled.summary.read.iter().map(|(number, one, many)| humane::some(*number, one, many)).collect();
        print(&format!(
            "{}: {} read in {:.1} s; {} accepted, {}\n",
            pulled.summary.title,
            if read.is_empty() { "nothing".to_owned() } else { read.join(" and ") },
            pulled.took.as_secs_f64(),
            humane::count(pulled.accepted),
            humane::some(pulled.duplicates, "duplicate", "duplicates"),
        ))?;
        for note in &pulled.notes {
            say(format_args!("note: {note}"));
        }
    }
    if let Some(service) = all.iter().find_map(|pulled| pulled.summary.service.as_ref()) {
        say(format_args!("To see what it means: vigie scorecard --service {service} --last P365D"));
    }
    Ok(())
}
