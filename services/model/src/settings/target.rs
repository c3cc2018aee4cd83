//! Targets: what a site wants, from when, and what to do when it is missed.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Comparison, MetricName, Settings, codec};
use crate::Time;
use crate::window::{Zone, day_start};

/// For whom a target is set. Written as `organization`, `team:<slug>` or `service:<slug>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetScope {
    /// Everybody.
    Organization,
    /// A team and those below it.
    Team(String),
    /// One service.
    Service(String),
}

impl std::fmt::Display for TargetScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Organization => f.write_str("organization"),
            Self::Team(slug) => write!(f, "team:{slug}"),
            Self::Service(slug) => write!(f, "service:{slug}"),
        }
    }
}

impl Serialize for TargetScope {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetScope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        match text.split_once(':') {
            None if text == "organization" => Ok(Self::Organization),
            Some(("team", slug)) => Ok(Self::Team(slug.to_owned())),
            Some(("service", slug)) => Ok(Self::Service(slug.to_owned())),
            _ => Err(serde::de::Error::custom(format_args!(
                "{text:?} is no scope; write organization, team:<slug> or service:<slug>"
            ))),
        }
    }
}

/// A target as it is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSetting {
    /// What is measured.
    pub metric: MetricName,
    /// For whom.
    pub scope: TargetScope,
    /// In the metric's unit: a ratio, seconds, or a rate a day.
    #[serde(with = "codec::exact")]
    pub objective: f64,
    /// What to do when it is missed.
    #[serde(default)]
    pub action: String,
    /// In force from the beginning of this local day on; none: always.
    #[serde(default, with = "codec::date", skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
}

impl TargetSetting {
    /// When it comes into force; none: always.
    #[must_use]
    pub fn in_force_from(&self, zone: &Zone) -> Option<Time> {
        self.from.map(|date| day_start(zone, date.year(), date.month(), date.day()))
    }
}

/// A target as it applies to a scope at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// In the metric's unit.
    pub objective: f64,
    /// On which side of the objective the metric is good.
    pub comparison: Comparison,
    /// What to do when it is missed.
    pub action: String,
    /// Where it was set: `organization`, `team:x`, `service:y`, or `default`.
    pub set_at: String,
    /// Since when it is in force; none: always.
    pub from: Option<Time>,
}

/// What stands where a site sets nothing.
fn default_target(metric: MetricName) -> Option<(f64, &'static str)> {
    match metric {
        MetricName::Uptime => Some((0.999, "Post-mortem, then fixes")),
        MetricName::Mttr => Some((1_800.0, "Improve alerting")),
        MetricName::DeploymentFrequency => Some((1.0, "Optimise the pipeline")),
        MetricName::LeadTime => Some((3_600.0, "Reduce bottlenecks")),
        MetricName::ChangeFailureRate => Some((0.05, "Strengthen tests")),
        _ => None,
    }
}

/// The action that the definitions give for a missed target of the metric, or nothing.
#[must_use]
pub(super) fn default_action(metric: MetricName) -> &'static str {
    default_target(metric).map_or("", |(_, action)| action)
}

/// The targets that stand for the organisation where it sets none.
#[must_use]
pub fn default_targets() -> Vec<TargetSetting> {
    MetricName::ALL
        .iter()
        .filter_map(|&metric| {
            let (objective, action) = default_target(metric)?;
            let scope = TargetScope::Organization;
            Some(TargetSetting { metric, scope, objective, action: action.to_owned(), from: None })
        })
        .collect()
}

impl Settings {
    /// The target in force at `at`: of the service, else of the nearest team (`teams_up` begins with the nearest),
    /// else of the organisation, else the default. Within a scope the latest that came into force by `at` wins, of
    /// several from one day the one listed last.
    ///
    /// A target without an action has that of the default. For a window, whose end lies outside it, ask at its last
    /// instant, so that a target from 1 July does not judge June.
    #[must_use]
    pub fn target_for(&self, metric: MetricName, service: Option<&str>, teams_up: &[&str], at: Time) -> Option<Target> {
        // Most sites set few targets, and most lookups find none: the zone is read only where a date asks for it.
        let mut best: Option<(usize, Option<Time>, &TargetSetting)> = None;
        for target in self.targets.iter().filter(|target| target.metric == metric) {
            let distance = match &target.scope {
                TargetScope::Service(slug) if service == Some(slug.as_str()) => 0,
                TargetScope::Team(slug) => match teams_up.iter().position(|team| team == slug) {
                    Some(above) => 1 + above,
                    None => continue,
                },
                TargetScope::Organization => usize::MAX,
                TargetScope::Service(_) => continue,
            };
            let from = target.from.and_then(|_| target.in_force_from(&self.zone()));
            if from.is_some_and(|from| from > at) {
                continue;
            }
            if best.is_none_or(|(near, since, _)| distance < near || (distance == near && from >= since)) {
                best = Some((distance, from, target));
            }
        }
        if let Some((_, from, target)) = best {
            let action = if target.action.is_empty() { default_action(metric) } else { &target.action };
            return Some(Target {
                objective: target.objective,
                comparison: metric.comparison(),
                action: action.to_owned(),
                set_at: target.scope.to_string(),
                from,
            });
        }
        default_target(metric).map(|(objective, action)| Target {
            objective,
            comparison: metric.comparison(),
            action: action.to_owned(),
            set_at: "default".to_owned(),
            from: None,
        })
    }
}
