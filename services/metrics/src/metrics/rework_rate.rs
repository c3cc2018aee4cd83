//! Rework rate: the share of deployments that was not planned (metrics.md); with the rollbacks.

use vigie_model::settings::MetricName;

use super::deployment_frequency::exclude_others;
use crate::answer::{Measurement, NoData};
use crate::frame::deployments::{Class, Counts};
use crate::registry::Metric;
use crate::slice::{BySignal, Slice};

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::ReworkRate,
    version: 1,
    title: "Rework rate",
    text: "Of the successful deployments that are no redeployments, rollbacks included, finished in the window, of \
           the services whose failures would be known: the share that is unplanned. Unplanned is a rollback, a \
           deployment that its source marks so, and one from a hotfix branch.",
    settings: &[
        "hotfix_branches",
        "incident_coverage",
        "failure_signal",
        "deployments_from",
        "incidents_from",
        "categories",
        "production",
        "ownership",
    ],
    measure,
};

fn all(counts: &Counts) -> u64 {
    counts.of(Class::Delivery) + counts.of(Class::Rollback)
}

#[allow(clippy::cast_precision_loss)] // a number of rows
fn measure(slice: &Slice) -> Measurement {
    let deployments = slice.deployments();
    let BySignal { watched: counts, unwatched, .. } = deployments;
    let mut found = if all(counts) > 0 {
        let (unplanned, all) = (counts.of(Class::Unplanned), all(counts));
        Measurement {
            value: Some(unplanned as f64 / all as f64),
            numerator: Some(unplanned as f64),
            denominator: Some(all as f64),
            counts: Some((unplanned, all)),
            ..Measurement::default()
        }
    } else if all(unwatched) > 0 {
        Measurement::none(NoData::NoFailureSignal)
    } else {
        Measurement::none(NoData::NoDeployments)
    };
    found.sample_size = all(counts);
    found.exclude("no_failure_signal", all(unwatched));
    let every = deployments.all();
    exclude_others(&mut found, &every);
    found.exclude("unsuccessful", every.of(Class::Unsuccessful) + every.of(Class::FailedOutcome));
    found
}

/// The rollbacks of the rework rate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rollbacks {
    /// How many.
    pub count: u64,
    /// The median of the seconds from the end of what each rolled back to its own.
    pub median_time: Option<f64>,
}

pub(crate) fn rollbacks(slice: &Slice) -> Rollbacks {
    let counts = &slice.deployments().watched;
    Rollbacks { count: counts.of(Class::Rollback), median_time: slice.rollback_times().median() }
}
