//! `vigie deliveries`: what tools sent to webhooks, and what became of it.

use serde_json::{Value, json};
use vigie_ingest::connector::RawDelivery;
use vigie_model::window::Zone;
use vigie_model::{Time, format_time};
use vigie_store::{Delivery, DeliveryFilter, DeliveryState, Store};

use crate::config::Config;
use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::moment::Moment;
use crate::terminal::{Format, Grid, Output, Paint, Tone, plain, print, print_json, say};

/// List what tools sent to webhooks, and what became of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The latest come first. With an ID: that delivery as it came, as JSON that
vigie connector try CONNECTOR FILE takes.")]
pub struct Args {
    /// Show this delivery as it came
    #[arg(conflicts_with_all = ["state", "connector", "source", "since", "limit", "format"])]
    id: Option<i64>,
    #[command(flatten)]
    which: Which,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

/// Which deliveries are meant.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Only those that have come so far: pending, mapped, ignored, failed
    #[arg(long, value_parser = ["pending", "mapped", "ignored", "failed"])]
    state: Option<String>,
    /// Only those of this connector
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// Only those of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those that came at or after this instant, like 2026-10-01T00:00:00Z, or 2026-10-01 for the beginning of that day
    #[arg(long, value_name = "TIME|DATE", value_parser = |text: &str| Moment::parse(text))]
    since: Option<Moment>,
}

impl Which {
    /// The filter.
    pub fn filter(self, config: &Config) -> DeliveryFilter {
        DeliveryFilter {
            state: self.state.as_deref().and_then(DeliveryState::parse),
            connector: self.connector,
            source: self.source,
            since: self.since.map(|moment| moment.of(config)),
            ..DeliveryFilter::default()
        }
    }
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    let filter = args.which.filter(&config);
    let store = context.store(&config, Use::Ask).await?.store;
    if let Some(id) = args.id {
        return show(&store, id).await;
    }
    let deliveries = store.deliveries(&filter, i64::from(args.limit)).await?;
    if args.output.format == Format::Json {
        return Ok(print_json(&deliveries.iter().map(described).collect())?);
    }
    if deliveries.is_empty() {
        say(match filter == DeliveryFilter::default() {
            true => "nothing came yet; each connector's page says how a tool is set up (vigie connector list)",
            false => "nothing of the kind",
        });
        return Ok(());
    }
    let zone = Zone::parse(&config.settings.time_zone).map_err(Failure::new)?;
    print(&table(&deliveries, &zone))?;
    let total = store.count_deliveries(&filter).await?;
    if total > deliveries.len() as u64 {
        say(format_args!("the latest of {}; more with --limit", humane::some(total, "delivery", "deliveries")));
    }
    Ok(())
}

fn described(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.seq, "connector": delivery.connector, "source": delivery.source, "tool_id": delivery.tool_id,
        "type": delivery.kind, "received_at": format_time(delivery.received_at), "state": delivery.state.as_str(),
        "mapped_at": delivery.mapped_at.map(format_time), "events": delivery.events, "error": delivery.error,
        "bytes": delivery.bytes,
    })
}

fn table(deliveries: &[Delivery], zone: &Zone) -> String {
    let mut grid = Grid::new(&[">ID", "Received", "Connector", "Type", "State", ">Events", "Error"]);
    for delivery in deliveries {
        let connector = match delivery.source == delivery.connector {
            true => delivery.connector.clone(),
            false => format!("{} ({})", delivery.connector, delivery.source),
        };
        grid.row([
            plain(delivery.seq.to_string()),
            plain(humane::instant(delivery.received_at, zone)),
            plain(connector),
            plain(delivery.kind.clone().unwrap_or_default()),
            (delivery.state.as_str().to_owned(), tone(delivery.state)),
            plain(humane::count(u64::try_from(delivery.events).unwrap_or(0))),
            plain(delivery.error.as_deref().unwrap_or_default().lines().next().unwrap_or_default()),
        ]);
    }
    grid.render(Paint::for_stdout())
}

/// How a state looks.
pub fn tone(state: DeliveryState) -> Option<Tone> {
    match state {
        DeliveryState::Pending => Some(Tone::Warning),
        DeliveryState::Mapped => Some(Tone::Good),
        DeliveryState::Ignored => Some(Tone::Faint),
        DeliveryState::Failed => Some(Tone::Bad),
    }
}

async fn show(store: &Store, id: i64) -> Outcome {
    let found = store.delivery(id).await?;
    let (received_at, content) =
        found.ok_or_else(|| Failure::new(format_args!("there is no delivery {id}; vigie deliveries lists them")))?;
    let raw = RawDelivery::unpack(&content).map_err(Failure::new)?;
    Ok(print_json(&fixture(&raw, received_at))?)
}

/// As a fixture, so that it can be tried and become one.
fn fixture(raw: &RawDelivery, received_at: Time) -> Value {
    let headers: serde_json::Map<String, Value> =
        raw.headers().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut shown = json!({"headers": headers, "received_at": format_time(received_at)});
    match serde_json::from_slice::<Value>(&raw.body) {
        Ok(body) => shown["body"] = body,
        Err(_) => shown["form"] = String::from_utf8_lossy(&raw.body).into(),
    }
    shown
}
