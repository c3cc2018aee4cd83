//! What the numbers mean.

use vigie_metrics::Snapshot;
use vigie_model::settings::MetricName;

use crate::graphql::parts::{Definition, Setting, count};

/// The definition of a metric under a snapshot's settings.
#[must_use]
pub fn definition(snapshot: &Snapshot, name: MetricName) -> Definition {
    let definition = vigie_metrics::definition(name, snapshot.settings());
    let settings = definition.settings.into_iter();
    Definition {
        name: name.into(),
        version: count(definition.version),
        title: definition.title.to_owned(),
        text: definition.text.to_owned(),
        settings: settings.map(|(name, value)| Setting { name: name.to_owned(), value }).collect(),
    }
}
