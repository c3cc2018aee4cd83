//! Which webhooks are set up, and what came by them.

use std::collections::BTreeMap;

use vigie_store::{DeliveryFilter, DeliveryState, Store};

use super::Finding;
use crate::config::Config;
use crate::hooks;
use crate::humane;

const WEBHOOKS: &str = "Webhooks";

pub(super) async fn look(config: &Config, store: Option<&Store>, findings: &mut Vec<Finding>) {
    let remedy = "mend it; vigie serve does not start with it";
    match hooks::mapping(config) {
        Ok(mapping) => {
            for hook in &config.hooks {
                let unsigned = mapping.hooks.of(&hook.connector).unwrap_or_default().iter().any(|own| {
                    *own.source == *hook.source
                        && own.secrets.is_empty()
                        && !own.connector.manifest.signatures.is_empty()
                });
                let name = &hook.connector;
                findings.push(if unsigned {
                    Finding::note(
                        WEBHOOKS,
                        format!("{name} can sign its deliveries, and its [[hook]] has no secret"),
                        "give it a secret_file, and the tool the same secret",
                    )
                } else {
                    Finding::good(WEBHOOKS, format!("{name} is taken at /v1/hooks/{name}, as source {}", hook.source))
                });
            }
        }
        Err(failure) => findings.push(Finding::problem(WEBHOOKS, failure.message, remedy)),
    }
    let Some(store) = store else { return };
    if let Err(error) = came(store, findings).await {
        findings.push(Finding::problem(WEBHOOKS, error.to_string(), ""));
    }
}

async fn came(store: &Store, findings: &mut Vec<Finding>) -> Result<(), vigie_store::StoreError> {
    let mut sources: BTreeMap<String, BTreeMap<DeliveryState, u64>> = BTreeMap::new();
    for tally in store.delivery_tallies().await? {
        let count = u64::try_from(tally.count).unwrap_or(0);
        sources.entry(tally.source).or_default().insert(tally.state, count);
    }
    for (source, states) in sources {
        let counts: Vec<String> =
            states.iter().map(|(state, count)| format!("{} {state}", humane::count(*count))).collect();
        let text = format!("deliveries of {source}: {}", counts.join(", "));
        let failed =
            DeliveryFilter { state: Some(DeliveryState::Failed), source: Some(source), ..DeliveryFilter::default() };
        let latest = store.deliveries(&failed, 1).await?;
        findings.push(match latest.first().and_then(|delivery| delivery.error.as_deref()) {
            Some(error) => {
                let remedy = "vigie deliveries --state failed, then vigie replay once that is mended";
                Finding::note(WEBHOOKS, format!("{text}; the latest failure: {error}"), remedy)
            }
            None => Finding::good(WEBHOOKS, text),
        });
    }
    Ok(())
}
