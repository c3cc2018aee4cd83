//! `vigie demo`: a fresh database with a made-up organisation, served.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_engine::{Configuration, Engine, EngineOptions, Folding};
use vigie_ingest::accept::{Intake, Limits, parse_body};
use vigie_model::event::Context as EventContext;
use vigie_model::{Clock, Event, SetClock};
use vigie_store::{ConnectOptions, Store};

use crate::config::Config;
use crate::context::Context;
use crate::demo::{Demo, Options};
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::server::Door;
use crate::shutdown::Shutdown;
use crate::terminal::{bar, say, spinner};

/// Fill a fresh database with a made-up organisation and serve it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A year of 24 services in 7 teams: fast and slow ones, a bad month, a team that gets better. Every page says that
it is made up. The same seed on the same day gives the same events. Without --database the data live in a
temporary file and go with the program. A vigie.toml is read only where --config names it; variables count.
On another address than loopback, VIGIE_AUTH=none lets everybody look.")]
pub struct Args {
    /// Another seed, another year
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// How many services
    #[arg(long, default_value_t = 24, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=2_000))]
    services: u16,
    /// How many months before the running one
    #[arg(long, default_value_t = 12, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=120))]
    months: u32,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let flags: Vec<_> = args.listen.into_iter().map(|listen| ("listen", listen)).collect();
    let config = context.load_named(&flags)?;
    let place = Place::of(&config)?;
    let shutdown = Shutdown::listen("stopping")?;
    // Whether it can be served is known before a year is made up.
    let door = Door::open(&config)?;
    let options = Options { seed: args.seed, services: usize::from(args.services), months: args.months };
    let store = fresh(&context, &place.url).await?;
    let door = door.guarded(&config, &store, context.now()).await?;
    fill(&context, store.clone(), options, &shutdown).await?;
    if shutdown.is_asked() {
        return Err(Failure::new("stopped before the year was complete; begin with a fresh database"));
    }
    let engine = Engine::open(EngineOptions::new(store).clock(Arc::clone(&context.clock))).await?;
    say(format_args!("To ask from here: vigie scorecard --database {}", place.url));
    let served = door.serve(engine.clone(), &config, true, &shutdown).await;
    engine.shutdown().await;
    served
}

/// Where the data live.
struct Place {
    url: String,
    /// A folder that goes with the program.
    temporary: Option<PathBuf>,
}

impl Place {
    fn of(config: &Config) -> Result<Self, Failure> {
        if config.names_database {
            return Ok(Self { url: config.database.clone(), temporary: None });
        }
        let mut chance = [0_u8; 6];
        getrandom::fill(&mut chance).map_err(|error| Failure::new(format_args!("no randomness: {error}")))?;
        let name: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = std::env::temp_dir().join(format!("vigie-demo-{name}"));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::new(format_args!("{} cannot be made: {error}", folder.display())))?;
        Ok(Self { url: format!("sqlite://{}", folder.join("demo.db").display()), temporary: Some(folder) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(folder) = &self.temporary {
            // What is left behind lies in the system's temporary folder.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A database in which nothing was ever recorded.
async fn fresh(context: &Context, url: &str) -> Result<Store, Failure> {
    let store = Store::open(url, ConnectOptions::default(), context.now()).await?;
    if store.last_seq().await? > 0 {
        return Err(Failure::new(format_args!(
            "{} holds events already, and made-up ones are not to be mixed with them; name a fresh database, or leave \
             --database out",
            store.place()
        )));
    }
    Ok(store)
}

/// Lets the year pass: its clock stands at the end of each day as that day is recorded, so that questions *as of* an
/// earlier instant have an answer.
async fn fill(context: &Context, store: Store, options: Options, shutdown: &Shutdown) -> Outcome {
    let demo = Demo::new(options, context.now());
    let clock = Arc::new(SetClock::new(demo.from()));
    let as_clock: Arc<dyn Clock> = clock.clone();
    let options = EngineOptions::new(store).clock(as_clock).folding(Folding::OnDemand);
    let engine = Engine::open(options).await?;
    engine.configure(&Configuration { settings: Demo::settings(), ..Configuration::default() }).await?;
    let bar = bar(demo.days(), "making a year up");
    let mut count = 0;
    for day in demo {
        if shutdown.is_asked() {
            break;
        }
        clock.set(day.until);
        let events = parsed(&engine, &day.events)?;
        count += engine.submit(events).await?.accepted() as u64;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let busy = spinner("folding");
    let folded = engine.fold_all().await;
    busy.finish_and_clear();
    folded?;
    engine.shutdown().await;
    say(format_args!("{} made up", humane::some(count, "event", "events")));
    Ok(())
}

/// By the same way in as anybody's events.
fn parsed(engine: &Engine, lines: &[String]) -> Result<Vec<Event>, Failure> {
    let intake = Intake {
        context: EventContext::outside("demo"),
        concealer: engine.concealer(),
        limits: Limits { body_bytes: usize::MAX, ..Limits::default() },
    };
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let body = lines.join("\n");
    let parsed = parse_body(body.as_bytes(), None, |_| None, &intake).map_err(Failure::new)?;
    if let Some(rejected) = parsed.rejected.first() {
        return Err(Failure::new(format_args!("the demo made an event that is none: {rejected}")));
    }
    Ok(parsed.events.into_iter().map(|(_, event)| event).collect())
}
