//! The closed sets of words, as GraphQL writes them.

use async_graphql::Enum;
use vigie_model::settings;

/// The metrics, in the order in which they are shown.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[graphql(remote = "settings::MetricName")]
pub enum MetricName {
    /// Deliveries per service per day. More is better.
    DeploymentFrequency,
    /// How long a change takes from its first commit to its deployment: the median, in seconds. Less is better.
    LeadTime,
    /// The share of deliveries that failed, 0 to 1. Less is better.
    ChangeFailureRate,
    /// How long users suffered from a failed deployment: the median, in seconds. Less is better.
    FailedDeploymentRecoveryTime,
    /// The share of deployments that were unplanned (rollbacks, hotfixes), 0 to 1. Less is better.
    ReworkRate,
    /// Time to restore: the mean from the start of an incident to its restoration, in seconds, over the incidents
    /// restored in the window. Less is better.
    Mttr,
    /// Time to detect: the mean from the start of an incident to its detection, in seconds. Less is better.
    Mttd,
    /// Time to acknowledge: the mean from the detection of an incident to its acknowledgement, in seconds. Less is
    /// better.
    Mtta,
    /// The share of the observed time in which a service was up, 0 to 1; of several services, the mean. More is better.
    Uptime,
}

impl MetricName {
    /// Every metric, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        settings::MetricName::ALL.iter().map(|name| Self::from(*name))
    }
}

/// What a value is measured in.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "settings::Unit")]
pub enum Unit {
    /// A rate per day of 86,400 seconds.
    PerDay,
    /// Seconds, never rounded.
    Seconds,
    /// A share, 0 to 1. 0.05 is 5 %.
    Ratio,
}

/// On which side of its objective a metric is good. The comparison is strict: a value equal to the objective misses it.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "settings::Comparison")]
pub enum Comparison {
    /// Good is more than the objective.
    Above,
    /// Good is less than the objective.
    Below,
}

/// The steps of a series. They are cut in the organisation's time zone: a day may last 23 or 25 hours.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "vigie_model::window::Granularity")]
pub enum Granularity {
    /// An hour.
    Hour,
    /// From local midnight to local midnight.
    Day,
    /// An ISO week: from Monday, 0 h, to Monday, 0 h.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
}

/// What a metric can be broken down by. Never by person.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[graphql(remote = "vigie_metrics::Dimension")]
pub enum Dimension {
    /// Each service of the scope.
    Service,
    /// Each team of the scope, with the teams below it; a service without a team is in none.
    Team,
    /// Each environment of the scope. Where a service declares regions, each of them is listed beside `production`,
    /// which holds them all: do not add them up.
    Environment,
}

/// Why there is no value. Where several hold, the first that explains the others. No data is not zero.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "vigie_metrics::NoData")]
pub enum NoDataReason {
    /// No service of the scope had a delivery in the window or the 90 days before it, or nothing was deployed in the
    /// window.
    NoDeployments,
    /// No change was deployed in the window.
    NoChanges,
    /// No incident was restored in the window.
    NoIncidents,
    /// Nothing was observed: no source of data for this, or none in the window.
    NoCoverage,
    /// Nobody would know of a failure of these services: no incident and no availability was ever recorded for them.
    NoFailureSignal,
    /// No deployment of the window failed, so nothing had to recover.
    NoFailures,
    /// Deployments failed, and none of them has recovered yet.
    NotRecovered,
}

/// How a value stands to its target.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "vigie_metrics::TargetStatus")]
pub enum TargetStatus {
    /// Better than the objective.
    Met,
    /// Met, but within the margin of the objective (10 % by default); for uptime: less than a quarter of the error
    /// budget is left.
    AtRisk,
    /// Not better than the objective.
    Missed,
    /// There is no value, or no target.
    NoData,
}

/// A level of DORA's published survey clusters, of one metric; there is no blended level. DORA gave up levels in 2025:
/// take them as a rough orientation, and your own targets as the measure. Null below 5 rows, frequency apart.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "vigie_metrics::Level")]
pub enum Level {
    /// The best cluster of the survey.
    Elite,
    /// The second.
    High,
    /// The third.
    Medium,
    /// The last.
    Low,
}

/// How a value stands to the one of the window before.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "vigie_metrics::Trend")]
pub enum Trend {
    /// Better, at the 5 % level.
    Better,
    /// Worse, at the 5 % level.
    Worse,
    /// The difference may be chance, or there is nothing to compare.
    Unclear,
}
