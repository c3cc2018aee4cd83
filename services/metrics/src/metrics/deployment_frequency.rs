//! Deployment frequency: deliveries per service per day (metrics.md).

use vigie_model::settings::MetricName;

use crate::answer::{Measurement, NoData};
use crate::frame::deployments::{Class, Counts};
use crate::registry::Metric;
use crate::slice::Slice;

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::DeploymentFrequency,
    version: 1,
    title: "Deployment frequency",
    text: "Deliveries finished in the window, divided by the days in the window times the services in scope. A \
           delivery is a successful deployment that is neither a rollback nor a redeployment. In scope are the \
           services with a delivery finished before the window's end and no earlier than 90 days before its start; \
           the dormant rest is counted as left out. A service in scope without deliveries in the window counts as \
           0; with no service in scope there is no value.",
    settings: &[
        "frequency_days",
        "working_days",
        "holidays",
        "time_zone",
        "deployments_from",
        "categories",
        "production",
        "ownership",
    ],
    measure,
};

#[allow(clippy::cast_precision_loss)] // a number of rows
fn measure(slice: &Slice) -> Measurement {
    let counts = slice.deployments().all();
    let activity = slice.activity();
    let deliveries = counts.of(Class::Delivery);
    let mut found = Measurement {
        numerator: Some(deliveries as f64),
        denominator: Some(activity.days),
        sample_size: deliveries,
        ..Measurement::default()
    };
    if activity.active == 0 {
        found.no_data = Some(NoData::NoDeployments);
    } else if activity.days > 0.0 {
        found.value = Some(deliveries as f64 / activity.days);
    } else {
        // A weekend, where only working days count: what was deployed has no day to be divided by.
        found.no_data = Some(NoData::NoCoverage);
    }
    found.exclude("dormant", activity.dormant);
    exclude_others(&mut found, &counts);
    found.exclude("rollback", counts.of(Class::Rollback));
    found.exclude("unsuccessful", counts.of(Class::Unsuccessful) + counts.of(Class::FailedOutcome));
    found
}

/// What no metric of deliveries counts.
pub(super) fn exclude_others(found: &mut Measurement, counts: &Counts) {
    found.exclude("redeployment", counts.of(Class::Redeployment));
    found.exclude("same_rollout", counts.of(Class::Joined));
    found.exclude("other_category", counts.of(Class::OtherCategory));
}
