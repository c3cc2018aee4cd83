//! `vigie replay`: deliveries are mapped again.

use vigie_engine::{Engine, Folding, Requeue};
use vigie_store::{DeliveryFilter, DeliveryState};

use super::deliveries::Which;
use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::hooks;
use crate::humane::some;
use crate::terminal::{say, spinner};

/// Map deliveries again: after a connector, its settings or the catalogue were mended
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without an ID and a filter: all of them. Nothing is counted twice, and what a delivery says no more is taken back.
A running vigie serve does the mapping, by the configuration that it was started with: restart it first.
Ends with status 1 where a delivery failed.")]
pub struct Args {
    /// Deliveries, by the IDs that vigie deliveries shows or those of the tool
    #[arg(conflicts_with_all = ["state", "connector", "source", "since"])]
    id: Vec<String>,
    #[command(flatten)]
    which: Which,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let filter = args.which.filter()?;
    let config = context.load(&[])?;
    let mapping = hooks::mapping(&config)?;
    let engine = context.mapping_engine(&config, Use::Write, Folding::OnDemand, mapping).await?;
    let mut count = 0;
    if args.id.is_empty() {
        count = engine.replay(&Requeue::Matching(filter.clone())).await?;
    }
    for id in &args.id {
        let found = engine.replay(&Requeue::One(id.clone())).await?;
        if found == 0 {
            return Err(Failure::new(format_args!("there is no delivery {id}; vigie deliveries lists them")));
        }
        count += found;
    }
    let busy = spinner("mapping");
    let mapped = async {
        engine.map_all().await?;
        engine.fold_all().await
    };
    let mapped = mapped.await;
    busy.finish_and_clear();
    mapped?;
    say(format_args!("mapped {} again", some(count, "delivery", "deliveries")));
    let failed = failed(&engine, &args.id, filter).await?;
    engine.shutdown().await;
    match failed {
        0 => Ok(()),
        many => Err(Failure::new(format_args!(
            "{} failed; vigie deliveries --state failed says why",
            some(many, "delivery", "deliveries")
        ))),
    }
}

/// How many of them failed.
async fn failed(engine: &Engine, ids: &[String], filter: DeliveryFilter) -> Result<u64, Failure> {
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..filter };
    if ids.is_empty() {
        return Ok(engine.store().count_deliveries(&failed).await?);
    }
    let all = engine.store().deliveries(&failed, i64::MAX).await?;
    let is_meant = |id: &&String| {
        all.iter().any(|delivery| delivery.seq.to_string() == **id || delivery.tool_id.as_deref() == Some(id.as_str()))
    };
    Ok(ids.iter().filter(is_meant).count() as u64)
}
