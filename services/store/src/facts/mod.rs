//! The facts: written by difference, read in bulk. Generic over [`FactRow`]; no column is named here.

mod delta;
mod read;
mod rows;
mod write;

pub use delta::{Delta, ServiceDelta};
pub use read::{ChangedService, FactsReader};
pub use write::FactsBatch;

use vigie_model::facts::FactRow;

use crate::cells::Shape;

pub(crate) const fn shape<R: FactRow>() -> Shape {
    Shape { table: R::TABLE, columns: R::COLUMNS, key: R::KEY }
}

/// Calls a macro with every fact: its row type and the member of [`ServiceDelta`] that holds its difference.
macro_rules! for_each_fact {
    ($call:ident) => {
        $call! {
            service: vigie_model::facts::ServiceFact,
            deployments: vigie_model::facts::DeploymentFact,
            changes: vigie_model::facts::ChangeFact,
            waiting: vigie_model::facts::WaitingFact,
            incidents: vigie_model::facts::IncidentFact,
            availability: vigie_model::facts::AvailabilityFact,
            quality: vigie_model::facts::QualityFact,
        }
    };
}
pub(crate) use for_each_fact;
