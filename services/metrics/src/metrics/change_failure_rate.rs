//! Change failure rate: failed deliveries / deliveries (metrics.md).

use vigie_model::settings::MetricName;

use super::deployment_frequency::exclude_others;
use crate::answer::{Measurement, NoData};
use crate::frame::deployments::{Class, Counts};
use crate::registry::Metric;
use crate::slice::{BySignal, Slice};

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::ChangeFailureRate,
    version: 1,
    title: "Change failure rate",
    text: "Failed deliveries divided by deliveries, both finished in the window, of the services whose failures \
           would be known; the others' are left out. A delivery counts once, however many incidents it has. It \
           failed when a rule blames it, and the first that matches is its reason: an incident names it; a \
           rollback takes it back; a later delivery reverts one of its changes; the next deployment is unplanned; \
           an incident that names no cause started soon after it. A deployment that did not succeed counts on both \
           sides where it reached users.",
    settings: &[
        "failure_rules",
        "attribution_window",
        "remedy_window",
        "hotfix_branches",
        "count_failed_outcomes",
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

#[allow(clippy::cast_precision_loss)] // a number of rows
fn measure(slice: &Slice) -> Measurement {
    let deployments = slice.deployments();
    let BySignal { watched: counts, unwatched, .. } = deployments;
    let mut found = match no_data(counts, unwatched) {
        Some(reason) => Measurement::none(reason),
        None => {
            let (failed, all) = (counts.of(Class::Failed), counts.judged());
            Measurement {
                value: Some(failed as f64 / all as f64),
                numerator: Some(failed as f64),
                denominator: Some(all as f64),
                counts: Some((failed, all)),
                sample_size: all,
                ..Measurement::default()
            }
        }
    };
    let all = deployments.all();
    found.exclude("no_failure_signal", unwatched.judged());
    exclude_others(&mut found, &all);
    found.exclude("rollback", all.of(Class::Rollback));
    found.exclude("unsuccessful", all.of(Class::Unsuccessful));
    found
}

/// Why nothing can be said of failures. Nothing deployed explains everything else.
pub(super) fn no_data(counts: &Counts, unwatched: &Counts) -> Option<NoData> {
    if counts.judged() > 0 {
        None
    } else if unwatched.judged() > 0 {
        Some(NoData::NoFailureSignal)
    } else {
        Some(NoData::NoDeployments)
    }
}
