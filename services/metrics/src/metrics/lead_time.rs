//! Lead time for changes: seconds, median (metrics.md); with its stages, and what still waits.

use vigie_model::Time;
use vigie_model::settings::MetricName;

use crate::answer::{Measurement, NoData};
use crate::frame::changes::Stage;
use crate::frame::deployments::Class;
use crate::registry::Metric;
use crate::slice::Slice;

/// See the registry.
pub const METRIC: Metric = Metric {
    name: MetricName::LeadTime,
    version: 1,
    title: "Lead time for changes",
    text: "The median, over the changes first deployed in the window, of the time from the start of a change to the \
           end of the delivery that brought it. A change is a merged pull request, or a commit outside pull \
           requests. A pull request starts at the earliest of its first commit and its opening, a commit when it \
           was written. A start after the deployment is a clock fault: the change counts with 0 and is listed \
           under data quality. Changes by bots are left out.",
    settings: &[
        "change_unit",
        "lead_time_start",
        "count_bots",
        "bots",
        "rollout_end",
        "deployments_from",
        "categories",
        "production",
        "ownership",
    ],
    measure,
};

fn measure(slice: &Slice) -> Measurement {
    let changes = slice.lead_times();
    let mut found = Measurement {
        value: changes.lead_times.median(),
        mean: changes.lead_times.mean(),
        sample_size: changes.lead_times.len() as u64,
        ..Measurement::default()
    };
    if found.value.is_none() {
        let is_deployed = slice.deployments().all().of(Class::Delivery) > 0;
        found.no_data = Some(if is_deployed { NoData::NoChanges } else { NoData::NoDeployments });
    }
    found.exclude("bot", changes.bots);
    found.exclude("other_line", changes.others);
    found.sample = changes.lead_times.clone();
    found
}

/// The median of each stage in seconds, of the changes with a pull request; `None` where it is never known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stages {
    /// First commit to opened.
    pub coding: Option<f64>,
    /// Opened to the first review by someone other than the author.
    pub pickup: Option<f64>,
    /// First review to merged.
    pub review: Option<f64>,
    /// Merged to deployed.
    pub deploy: Option<f64>,
}

/// Merged changes of a scope's services that no deployment has brought yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// When the one was merged that has waited longest.
    pub oldest: Option<Time>,
}

pub(crate) fn stages(slice: &Slice) -> Stages {
    let median = |stage| slice.stage(stage).median();
    Stages {
        coding: median(Stage::Coding),
        pickup: median(Stage::Pickup),
        review: median(Stage::Review),
        deploy: median(Stage::Deploy),
    }
}

pub(crate) fn waiting(slice: &Slice) -> Waiting {
    let merged = slice.waiting();
    merged.fold(Waiting::default(), |found, at| Waiting {
        count: found.count + 1,
        oldest: Some(found.oldest.map_or(at, |oldest| oldest.min(at))),
    })
}
