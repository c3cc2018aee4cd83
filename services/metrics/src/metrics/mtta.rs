//! Time to acknowledge: seconds, mean (metrics.md, Time to restore).

use vigie_model::settings::MetricName;

use super::mttr;
use crate::registry::Metric;
use crate::slice::Moment;

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::Mtta,
    version: 1,
    title: "Time to acknowledge",
    text: "The mean, over the incidents restored in the window, of the time from their detection (where that is \
           unknown, their start) to their acknowledgement. Incidents without an acknowledgement, or with one before \
           that, are left out; without any other there is no value.",
    settings: &["min_severity", "incidents_from", "production", "ownership"],
    measure: |slice| mttr::measure(slice, Moment::Acknowledged),
};
