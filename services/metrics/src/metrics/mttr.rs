//! Time to restore: seconds, mean (metrics.md).

use vigie_model::settings::MetricName;

use crate::answer::{Measurement, NoData};
use crate::registry::Metric;
use crate::sample::seconds_of_sum;
use crate::slice::{Moment, Slice};

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::Mttr,
    version: 1,
    title: "Time to restore",
    text: "The mean, over the incidents restored in the window, of the time from their start to their restoration \
           (mitigated, else resolved). Each incident counts once, however many services of the scope it has. Open \
           incidents that started before the window's end are counted as left out, and while one is open for \
           longer than the target, the target is missed.",
    settings: &["min_severity", "incidents_from", "production", "ownership"],
    measure: |slice| measure(slice, Moment::Restored),
};

/// The mean of the time to a moment of the incidents that were restored in the slice.
#[allow(clippy::cast_precision_loss)] // a number of rows
pub(super) fn measure(slice: &Slice, moment: Moment) -> Measurement {
    let restored = slice.restored();
    let reached = restored.reached(moment);
    let open = slice.open_incidents();
    let lengths = &reached.lengths;
    let (sum, mean) = (lengths.sum(), lengths.mean());
    let mut found = Measurement {
        value: mean,
        mean,
        numerator: Some(seconds_of_sum(sum)),
        denominator: Some(lengths.len() as f64),
        sample_size: lengths.len() as u64,
        open_for: open.longest,
        ..Measurement::default()
    };
    if lengths.is_empty() {
        found.no_data = Some(if restored.count == 0 { NoData::NoIncidents } else { NoData::NoCoverage });
    }
    found.exclude("open", open.count);
    found.exclude("below_min_severity", restored.minor);
    found.exclude("time_unknown", reached.unknown);
    found.exclude("times_out_of_order", reached.out_of_order);
    found.sample = lengths.clone();
    found
}
