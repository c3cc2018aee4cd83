//! `vigie replay`: deliveries are mapped again.

use vigie_engine::{Engine, Folding, Requeue};
use vigie_model::Time;
use vigie_store::{DeliveryFilter, DeliveryState};

use super::deliveries::Which;
use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::hooks;
use crate::humane::{self, some};
use crate::terminal::{say, spinner};

/// Map deliveries again: after a connector, its settings or the catalogue were mended
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without an ID and a filter: all of them. Nothing is counted twice, and what a delivery says no more is taken back.
A running vigie serve does the mapping, by the configuration that it was started with: restart it first.
Ends with status 1 where a delivery failed.")]
pub struct Args {
    /// Deliveries, by the IDs that vigie deliveries shows
    #[arg(conflicts_with_all = ["state", "connector", "source", "since"])]
    id: Vec<i64>,
    /// A delivery by the ID that the tool gave it
    #[arg(long, value_name = "ID", conflicts_with_all = ["state", "connector", "source", "since"])]
    tool_id: Vec<String>,
    #[command(flatten)]
    which: Which,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    let filter = args.which.filter(&config);
    let mapping = hooks::mapping(&config)?;
    let engine = context.mapping_engine(&config, Use::Write, Folding::OnDemand, mapping).await?;
    let began = context.now();
    let which = match args.id.is_empty() && args.tool_id.is_empty() {
        true => Requeue::Matching(filter.clone()),
        false => Requeue::These(places(&engine, args.id, args.tool_id).await?),
    };
    let count = engine.replay(&which).await?;
    let busy = spinner("mapping");
    let mapped = async {
        engine.map_all().await?;
        engine.fold_all().await
    };
    let mapped = mapped.await;
    busy.finish_and_clear();
    mapped?;
    let became = became(&engine, &which, began).await?;
    engine.shutdown().await;
    let told = became.iter().map(|(state, count)| format!("{} {state}", humane::count(*count)));
    say(format_args!("{}: {}", some(count, "delivery", "deliveries"), told.collect::<Vec<_>>().join(", ")));
    match became.iter().find(|(state, _)| *state == DeliveryState::Failed) {
        Some((_, failed)) if *failed > 0 => {
            let failed = some(*failed, "delivery", "deliveries");
            Err(Failure::new(format_args!("{failed} failed; vigie deliveries --state failed says why")))
        }
        _ => Ok(()),
    }
}

/// The places of deliveries: all of them are there, or none is mapped again.
async fn places(engine: &Engine, ids: Vec<i64>, tool_ids: Vec<String>) -> Result<Vec<i64>, Failure> {
    let missing = |id: &dyn std::fmt::Display| {
        Failure::new(format_args!("there is no delivery {id}; vigie deliveries lists them"))
    };
    let mut places = Vec::new();
    for id in ids {
        if engine.store().delivery(id).await?.is_none() {
            return Err(missing(&id));
        }
        places.push(id);
    }
    for id in tool_ids {
        let found = engine.store().deliveries_called(&id).await?;
        if found.is_empty() {
            return Err(missing(&id));
        }
        places.extend(found);
    }
    Ok(places)
}

/// What became of them: how many of each state.
async fn became(engine: &Engine, which: &Requeue, began: Time) -> Result<Vec<(DeliveryState, u64)>, Failure> {
    let mut counts = Vec::new();
    for state in [DeliveryState::Mapped, DeliveryState::Ignored, DeliveryState::Failed] {
        let filter = DeliveryFilter { state: Some(state), mapped_since: Some(began), ..DeliveryFilter::default() };
        let count = match which {
            Requeue::Matching(asked) => {
                let filter = DeliveryFilter { state: filter.state, mapped_since: filter.mapped_since, ..asked.clone() };
                engine.store().count_deliveries(&filter).await?
            }
            Requeue::These(places) => {
                let all = engine.store().deliveries(&filter, i64::MAX).await?;
                all.iter().filter(|delivery| places.contains(&delivery.seq)).count() as u64
            }
        };
        counts.push((state, count));
    }
    Ok(counts)
}
