//! Levels: DORA's published survey clusters, by year, as data (`levels.toml`).
//!
//! A level is one metric's; there is no blended score. DORA gave up levels in 2025, and whoever shows one says so.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use vigie_model::settings::{MetricName, parse_objective};

/// The year in which DORA stopped to publish levels.
pub const GIVEN_UP_IN: u16 = 2025;

/// How many rows a level needs; deployment frequency, whose zero is a finding, needs none.
const LEAST_ROWS: u64 = 5;

/// A cluster of DORA's survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The best.
    Elite,
    /// The second.
    High,
    /// The third.
    Medium,
    /// The rest.
    Low,
}

impl Level {
    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elite => "ELITE",
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Above(String),
    AtLeast(String),
    Below(String),
    AtMost(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClusters {
    elite: Written,
    high: Written,
    medium: Written,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    Above(f64),
    AtLeast(f64),
    Below(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Above(bound) => value > bound,
            Self::AtLeast(bound) => value >= bound,
            Self::Below(bound) => value < bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

type Clusters = BTreeMap<(u16, MetricName), [Bound; 3]>;

static CLUSTERS: LazyLock<Clusters> = LazyLock::new(|| read(include_str!("levels.toml")).unwrap_or_default());

fn read(text: &str) -> Result<Clusters, String> {
    let years: BTreeMap<String, BTreeMap<MetricName, WrittenClusters>> =
        toml::from_str(text).map_err(|error| error.to_string())?;
    let mut clusters = Clusters::new();
    for (year, metrics) in years {
        let year: u16 = year.parse().map_err(|_| format!("{year} is no year"))?;
        for (metric, written) in metrics {
            let number = |text: &str| parse_objective(metric, text).map_err(|error| error.to_string());
            let bound = |written: &Written| -> Result<Bound, String> {
                Ok(match written {
                    Written::Above(text) => Bound::Above(number(text)?),
                    Written::AtLeast(text) => Bound::AtLeast(number(text)?),
                    Written::Below(text) => Bound::Below(number(text)?),
                    Written::AtMost(text) => Bound::AtMost(number(text)?),
                })
            };
            let bounds = [bound(&written.elite)?, bound(&written.high)?, bound(&written.medium)?];
            clusters.insert((year, metric), bounds);
        }
    }
    Ok(clusters)
}

/// The years that levels can be taken from.
#[must_use]
pub fn years() -> Vec<u16> {
    let mut years: Vec<u16> = CLUSTERS.keys().map(|(year, _)| *year).collect();
    years.dedup();
    years
}

/// The level of a value, by the clusters of `year`. `None`: that year has none for the metric, or the value rests
/// on fewer than 5 rows.
#[must_use]
pub fn level_of(year: u16, metric: MetricName, value: f64, sample_size: u64) -> Option<Level> {
    let bounds = CLUSTERS.get(&(year, metric))?;
    if sample_size < LEAST_ROWS && metric != MetricName::DeploymentFrequency {
        return None;
    }
    let levels = [Level::Elite, Level::High, Level::Medium];
    let found = levels.into_iter().zip(bounds).find(|(_, bound)| bound.holds(value));
    Some(found.map_or(Level::Low, |(level, _)| level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        assert_eq!(read(include_str!("levels.toml")).map(|all| all.len()), Ok(4));
        assert_eq!(years(), [2023]);
    }

    #[test]
    fn boundaries_are_those_of_the_table() {
        use Level::{Elite, High, Low, Medium};
        use MetricName::{ChangeFailureRate, DeploymentFrequency, FailedDeploymentRecoveryTime, LeadTime};
        let day = 86_400.0;
        for (metric, value, level) in [
            (DeploymentFrequency, 1.01, Elite),
            (DeploymentFrequency, 1.0, High),
            (DeploymentFrequency, 1.0 / 7.0, High),
            (DeploymentFrequency, 0.142, Medium),
            (DeploymentFrequency, 1.0 / 30.0, Medium),
            (DeploymentFrequency, 0.033, Low),
            (DeploymentFrequency, 0.0, Low),
            (LeadTime, day - 1.0, Elite),
            (LeadTime, day, High),
            (LeadTime, 7.0 * day, Medium),
            (LeadTime, 30.0 * day, Low),
            (ChangeFailureRate, 0.05, Elite),
            (ChangeFailureRate, 0.1, High),
            (ChangeFailureRate, 0.15, Medium),
            (ChangeFailureRate, 0.150_001, Low),
            (FailedDeploymentRecoveryTime, 3_599.0, Elite),
            (FailedDeploymentRecoveryTime, 3_600.0, High),
            (FailedDeploymentRecoveryTime, day, Medium),
            (FailedDeploymentRecoveryTime, 7.0 * day, Low),
        ] {
            assert_eq!(level_of(2023, metric, value, 5), Some(level), "{metric} {value}");
        }
    }

    #[test]
    fn a_level_needs_five_rows_and_a_year() {
        assert_eq!(level_of(2023, MetricName::LeadTime, 1.0, 4), None);
        assert!(level_of(2023, MetricName::DeploymentFrequency, 0.0, 0).is_some());
        assert_eq!(level_of(2023, MetricName::Mttr, 1.0, 9), None);
        assert_eq!(level_of(1999, MetricName::LeadTime, 1.0, 9), None);
    }
}
