//! Uptime: up / observed (metrics.md).

use vigie_model::settings::{MetricName, UptimeSource};

use crate::answer::{Measurement, NoData};
use crate::registry::Metric;
use crate::sample::seconds;
use crate::slice::{ServiceUptime, Slice};

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::Uptime,
    version: 1,
    title: "Uptime",
    text: "The time a service was up divided by the time it was observed, both inside the window with maintenance \
           taken out. It is known from the first of these that has any data for the service: good and total \
           requests; probes, where down wins over up, and time that none covers is left out on both sides; \
           incidents that count as an outage, where overlapping ones count once and an open one lasts until now. \
           For several services: the mean over those with data.",
    settings: &[
        "uptime",
        "outage_severities",
        "incidents_from",
        "incident_coverage",
        "budget_window",
        "time_zone",
        "production",
        "ownership",
    ],
    measure,
};

#[allow(clippy::cast_precision_loss)] // counts far below 2^53
fn measure(slice: &Slice) -> Measurement {
    let uptimes = slice.uptimes();
    let length = slice.window().to - slice.window().from;
    let mut found = Measurement {
        value: uptimes.ratios.value(),
        sample_size: uptimes.ratios.count,
        coverage: uptimes.coverage.value(),
        ..Measurement::default()
    };
    if let Some(only) = uptimes.only {
        let unit = |amount: i64| match only.source {
            UptimeSource::Requests => amount as f64,
            UptimeSource::Probes | UptimeSource::Incidents => seconds(amount),
        };
        found.numerator = Some(unit(only.up));
        found.denominator = Some(unit(only.observed));
        if only.source == UptimeSource::Requests {
            found.counts = Some((only.up.unsigned_abs(), only.observed.unsigned_abs()));
        }
    }
    if found.value.is_none() {
        found.no_data = Some(NoData::NoCoverage);
        found.coverage = (length > 0).then_some(0.0);
    }
    found.exclude("no_coverage", uptimes.unknown);
    found.exclude("archived", uptimes.archived);
    found
}

/// The ratio of each service with data, in the order of their slugs.
pub(crate) fn ratios(slice: &Slice) -> Vec<f64> {
    slice.service_uptimes().iter().map(ServiceUptime::ratio).collect()
}
