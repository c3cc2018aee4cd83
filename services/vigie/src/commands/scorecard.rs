//! `vigie scorecard`: the numbers of a scope in a window, for a person or a program. It asks and shows.

use vigie_engine::Folding;
use vigie_metrics::{Answer, QualityReport, Scope, ScopeSpec, Snapshot, Stages, Waiting};
use vigie_model::settings::MetricName;
use vigie_model::window::{Window, WindowSpec, Zone};
use vigie_model::{DAY, Time, duration};

use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::moment::Moment;
use crate::terminal::{Format, Output, Paint, print, print_json};

mod json;
mod table;

pub use table::remedy;

/// Show how a service, a team or the whole organisation does: values, targets, levels
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a window: the last 30 days. Months and days are those of the organisation's time zone.
  vigie scorecard --team payments --month 2026-10
  vigie scorecard --service checkout --last P90D --format json
  vigie scorecard --from 2026-10-01 --to 2026-10-15      the 14 days from the 1st to the 14th")]
pub struct Args {
    /// One service
    #[arg(long, value_name = "SLUG", conflicts_with = "team")]
    service: Option<String>,
    /// A team, with the teams below it
    #[arg(long, value_name = "SLUG")]
    team: Option<String>,
    /// The environment [default: production]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// A calendar month, like 2026-10
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["last", "from", "to"])]
    month: Option<String>,
    /// So long until now, like P90D or 12h
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["from", "to"])]
    last: Option<String>,
    /// From this instant on, like 2026-10-01T00:00:00Z, or 2026-10-01 for the beginning of that day
    #[arg(long, value_name = "TIME|DATE", requires = "to", value_parser = |text: &str| Moment::parse(text))]
    from: Option<Moment>,
    /// Until just before this instant, or before that day begins
    #[arg(long, value_name = "TIME|DATE", requires = "from", value_parser = |text: &str| Moment::parse(text))]
    to: Option<Moment>,
    /// With what was recorded by this instant, or before that day began, and as if it were now
    #[arg(long, value_name = "TIME|DATE", value_parser = |text: &str| Moment::parse(text))]
    as_of: Option<Moment>,
    #[command(flatten)]
    output: Output,
}

/// Everything that is shown.
struct Scorecard {
    organization: String,
    asked: Asked,
    window: Window,
    zone: Zone,
    as_of: Option<Time>,
    now: Time,
    metrics: Vec<Shown>,
    stages: Stages,
    waiting: Waiting,
    quality: QualityReport,
    services: usize,
}

/// Whose numbers these are.
struct Asked {
    team: Option<String>,
    service: Option<String>,
    environment: String,
    /// What people call it.
    title: String,
}

/// One metric, with the same in the window before.
struct Shown {
    answer: Answer,
    title: &'static str,
    previous: Answer,
    previous_window: Window,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let last = args.last.as_deref().map(|text| {
        duration::parse_every(text).map_err(|error| Failure::usage(format_args!("--last {text}: {error}")))
    });
    let last = last.transpose()?;
    let config = context.load(&[])?;
    let as_of = args.as_of.map(|moment| moment.of(&config));
    let engine = context.engine(&config, Use::Ask, Folding::OnDemand).await?;
    let snapshot = match as_of {
        Some(instant) => engine.snapshot_as_of(instant).await?,
        None => engine.snapshot(),
    };
    let now = as_of.unwrap_or_else(|| context.now()).min(context.now());
    let window = window(&args, last, snapshot.zone()).resolve(snapshot.zone(), now).map_err(Failure::usage)?;
    let scope_spec = ScopeSpec {
        teams: args.team.iter().cloned().collect(),
        services: args.service.iter().cloned().collect(),
        environment: args.environment,
    };
    let scope = snapshot.scope(&scope_spec).map_err(Failure::new)?;
    let card = ask(&snapshot, &scope, scope_spec, (window, now, as_of));
    match args.output.format {
        Format::Table => print(&table::render(&card, Paint::for_stdout()))?,
        Format::Json => print_json(&json::render(&card))?,
    }
    Ok(())
}

fn window(args: &Args, last: Option<Time>, zone: &Zone) -> WindowSpec {
    match (last, &args.month, args.from, args.to) {
        (Some(last), ..) => WindowSpec::last(last),
        (None, Some(month), ..) => WindowSpec::month(month),
        (None, None, Some(from), Some(to)) => WindowSpec::between(from.on(zone), to.on(zone)),
        _ => WindowSpec::last(30 * DAY),
    }
}

fn ask(
    snapshot: &Snapshot,
    scope: &Scope,
    spec: ScopeSpec,
    (window, now, as_of): (Window, Time, Option<Time>),
) -> Scorecard {
    let previous_window = window.previous(snapshot.zone());
    let all = |window| snapshot.ask_all(MetricName::ALL, scope, window, now);
    let answers = all(window).into_iter().zip(all(previous_window));
    let shown = answers.map(|(answer, previous)| Shown {
        title: snapshot.definition(answer.metric).title,
        answer,
        previous,
        previous_window,
    });
    let (team, service) = (spec.teams.into_iter().next(), spec.services.into_iter().next());
    let title = match (&team, &service) {
        (_, Some(slug)) => snapshot.service(slug).map_or_else(|| slug.clone(), |own| own.name.to_string()),
        (Some(slug), None) => snapshot.team(slug).map_or_else(|| slug.clone(), |own| own.name.to_string()),
        (None, None) => "whole organisation".to_owned(),
    };
    Scorecard {
        organization: snapshot.settings().organization.clone(),
        asked: Asked { team, service, environment: scope.environment().to_owned(), title },
        window,
        zone: *snapshot.zone(),
        as_of,
        now,
        metrics: shown.collect(),
        stages: snapshot.stages(scope, window, now),
        waiting: snapshot.waiting(scope, window, now),
        quality: snapshot.quality(scope, window, now),
        services: scope.len(),
    }
}
