//! Time to detect: seconds, mean (metrics.md, Time to restore).

use vigie_model::settings::MetricName;

use super::mttr;
use crate::registry::Metric;
use crate::slice::Moment;

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::Mttd,
    version: 1,
    title: "Time to detect",
    text: "The mean, over the incidents restored in the window, of the time from their start to their detection. \
           Incidents without a detection, or with one before their start, are left out; without any other there is \
           no value.",
    settings: &["min_severity", "incidents_from", "production", "ownership"],
    measure: |slice| mttr::measure(slice, Moment::Detected),
};
