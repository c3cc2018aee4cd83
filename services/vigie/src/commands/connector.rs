//! `vigie connector`: which webhook connectors there are, whether their fixtures hold, and what a delivery becomes.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vigie_ingest::accept::Intake;
use vigie_ingest::connector::fixture::Fixture;
use vigie_ingest::connector::{Connector, Launch, Limits, Origin, Outcome as Mapped, Pool, Registry, Routes};
use vigie_model::event::Context as EventContext;
use vigie_model::format_time;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::settings::Settings;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::humane::some;
use crate::terminal::{Format, Grid, Output, Paint, Tone, plain, print, print_json, say};

/// List, test and try the webhook connectors
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the connectors: what each takes, and whether it was proven with real deliveries of the tool
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Run the fixtures of a connector, or of all of them
    Test {
        /// A connector's folder, or the name of one that is set up or shipped
        #[arg(value_name = "DIR")]
        connector: Option<String>,
    },
    /// Show the events that a delivery becomes
    Try {
        /// A connector's folder, or the name of one that is set up or shipped
        #[arg(value_name = "DIR")]
        connector: String,
        /// A fixture, or the bare body of a delivery; - is standard input
        file: String,
        /// A header of the delivery
        #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
        header: Vec<(String, String)>,
        /// A setting of the connector, as JSON or plain text
        #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
        setting: Vec<(String, String)>,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it like name=value".to_owned()),
    }
}

pub async fn run(context: Context, args: Args) -> Outcome {
    match args.action {
        Action::List { output } => list(&registry(&context)?, output.format),
        Action::Test { connector: Some(name) } => test(&[find(&context, &name)?]).await,
        Action::Test { connector: None } => {
            let registry = registry(&context)?;
            let all: Vec<Arc<Connector>> = registry.iter().cloned().collect();
            let tested = test(&all).await;
            said(&registry)?;
            tested
        }
        Action::Try { connector, file, header, setting } => {
            let connector = find(&context, &connector)?;
            let mut fixture = read(&context, &file)?;
            fixture.headers.extend(header.into_iter().map(|(name, value)| (name.to_lowercase(), value)));
            fixture.settings.extend(setting.into_iter().map(|(name, value)| (name, loose(value))));
            show(&connector, &fixture, &routes(&context)).await
        }
    }
}

/// JSON where it is some: `true`, `5`, `["a", "b"]`; else a text.
fn loose(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn registry(context: &Context) -> Result<Registry, Failure> {
    Registry::load(context.load(&[])?.intake.connectors.as_deref()).map_err(Failure::new)
}

/// A folder needs no configuration, so that one that is wrong hinders nobody from mending a connector.
fn find(context: &Context, name: &str) -> Result<Arc<Connector>, Failure> {
    let path = Path::new(name);
    if path.join("connector.toml").is_file() || name.contains('/') || name.starts_with('.') {
        return Connector::read(path).map(Arc::new).map_err(Failure::new);
    }
    let registry = registry(context)?;
    let connector = registry.get(name).cloned();
    connector.ok_or_else(|| match path.is_dir() {
        true => Failure::new(format_args!("{name}: the folder has no connector.toml")),
        false => Failure::new(registry.unknown(name)),
    })
}

fn routes(context: &Context) -> Routes {
    context.load(&[]).map(|config| config.routes()).unwrap_or_else(|_| {
        say("note: the configuration cannot be read, so no [[service]] was looked up; see vigie config check");
        Routes::default()
    })
}

fn pool() -> Result<Pool, Failure> {
    Ok(Pool::new(Launch::this_program(["map-worker"])?, 2, Limits::default()))
}

fn read(context: &Context, file: &str) -> Result<Fixture, Failure> {
    let text = match file {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        file => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| Failure::new(format_args!("{file}: it cannot be read: {error}")))?;
    let now = format_time(context.now());
    Fixture::parse_loosely(&text, &now).map_err(|error| Failure::new(format_args!("{file}: {error}")))
}

fn source(connector: &Connector) -> String {
    match &connector.origin {
        Origin::Shipped => "shipped".to_owned(),
        Origin::Own(folder) => folder.display().to_string(),
    }
}

/// Connectors that cannot be used.
fn said(registry: &Registry) -> Outcome {
    let mut is_good = true;
    for fault in registry.faults() {
        say(format_args!("{} {fault}", Paint::for_stderr().tone(Tone::Bad, "error:")));
        is_good = false;
    }
    if is_good { Ok(()) } else { Err(Failure::said()) }
}

fn list(registry: &Registry, format: Format) -> Outcome {
    if format == Format::Json {
        let described = |connector: &Arc<Connector>| {
            let manifest = &connector.manifest;
            json!({
                "name": connector.name, "title": manifest.title, "about": manifest.about, "proven": manifest.proven,
                "page": manifest.page, "source": source(connector), "settings": manifest.settings.defaults(),
            })
        };
        print_json(&registry.iter().map(described).collect())?;
        return said(registry);
    }
    let mut grid = Grid::new(&["Name", "Title", "Proven", "Source", "What is taken"]);
    for connector in registry.iter() {
        let manifest = &connector.manifest;
        let proven = if manifest.proven { ("yes", Tone::Good) } else { ("no", Tone::Faint) };
        grid.row([
            plain(&connector.name),
            plain(&manifest.title),
            (proven.0.to_owned(), Some(proven.1)),
            plain(source(connector)),
            plain(&manifest.about),
        ]);
    }
    print(&grid.render(Paint::for_stdout()))?;
    said(registry)
}

async fn test(connectors: &[Arc<Connector>]) -> Outcome {
    let pool = pool()?;
    let (mut passed, mut failed) = (0_u64, 0_u64);
    for connector in connectors {
        let fixtures = connector.fixtures().map_err(|error| {
            Failure::new(format_args!("{}: it cannot be read: {error}", connector.place("fixtures")))
        })?;
        if fixtures.is_empty() {
            say(format_args!("note: {} has no fixtures", connector.name));
        }
        for (name, text) in fixtures {
            match judge(&pool, connector, &text).await {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    print(&format!("{}:\n{error}\n\n", connector.place(&format!("fixtures/{name}"))))?;
                }
            }
        }
    }
    print(&format!("{passed} passed, {failed} failed\n"))?;
    if failed == 0 { Ok(()) } else { Err(Failure::said()) }
}

async fn judge(pool: &Pool, connector: &Connector, text: &str) -> Result<(), String> {
    let fixture = Fixture::parse(text)?;
    let input = fixture.input(connector)?;
    let result = pool.map(connector, &input).await.map_err(|failure| failure.to_string());
    fixture.judge(connector, &result)
}

async fn show(connector: &Connector, fixture: &Fixture, routes: &Routes) -> Outcome {
    let input = fixture.input(connector).map_err(Failure::new)?;
    let outputs = pool()?.map(connector, &input).await.map_err(Failure::new)?;
    print(&String::from_utf8_lossy(&outputs))?;
    let intake = Intake {
        context: EventContext::outside(&connector.name),
        // What is made of it here is shown and thrown away.
        concealer: Concealer::new(PeopleKey([0; 32]), &Settings::default()).into(),
        limits: vigie_ingest::accept::Limits::default(),
    };
    let mapped = Mapped::read(connector, &outputs, &intake, routes).map_err(Failure::new)?;
    match mapped.events.len() {
        0 => say("no event: the delivery is ignored"),
        count => say(some(count as u64, "event", "events")),
    }
    for unmapped in &mapped.unmapped {
        say(format_args!(
            "note: the service {} is a guess; the [[service]] that is meant may say {}",
            unmapped.service,
            unmapped.line()
        ));
    }
    Ok(())
}
