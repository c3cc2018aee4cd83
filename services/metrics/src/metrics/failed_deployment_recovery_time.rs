//! Failed deployment recovery time: seconds, median (metrics.md).

use vigie_model::settings::MetricName;

use super::change_failure_rate;
use crate::answer::{Measurement, NoData};
use crate::frame::deployments::Class;
use crate::registry::Metric;
use crate::slice::{BySignal, Slice};

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::FailedDeploymentRecoveryTime,
    version: 1,
    title: "Failed deployment recovery time",
    text: "The median, over the failed deployments of the change failure rate that have recovered, of the time from \
           the end of the deployment to its recovery: the latest restoration of the incidents that blame it, or, \
           without incidents, the earliest rollback, revert or unplanned deployment that blames it. What has not \
           recovered is counted as left out.",
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

fn measure(slice: &Slice) -> Measurement {
    let BySignal { watched: counts, unwatched, recoveries } = slice.deployments();
    let mut found = Measurement {
        value: recoveries.median(),
        mean: recoveries.mean(),
        sample_size: recoveries.len() as u64,
        ..Measurement::default()
    };
    if found.value.is_none() {
        let reason = change_failure_rate::no_data(counts, unwatched);
        found.no_data =
            reason.or(Some(if counts.of(Class::Failed) == 0 { NoData::NoFailures } else { NoData::NotRecovered }));
    }
    found.exclude("not_recovered", counts.of(Class::Failed) - counts.of(Class::Recovered));
    found.exclude("no_failure_signal", unwatched.judged());
    found.sample = recoveries.clone();
    found
}
