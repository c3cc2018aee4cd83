//! What an organisation may decide about its numbers: every *setting* of the definitions, with its default.
//!
//! Settings are recorded as events when they change (as JSON, by serde), so that what was asked *as of* an instant
//! is answered with the settings of then. Durations are ISO 8601 in that JSON, dates `YYYY-MM-DD`.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::window::Zone;
use crate::{DAY, Time};

mod codec;
mod digest;
mod names;
mod objective;
mod target;
#[cfg(test)]
mod tests;

pub use codec::weekday_name;
pub use names::{
    ChangeUnit, Comparison, FrequencyDays, IncidentCoverage, LeadTimeStart, MetricName, Ownership, People, RolloutEnd,
    Rule, Severity, Unit, UptimeSource,
};
pub use objective::{ObjectiveError, format_objective, parse_objective};
pub use target::{Target, TargetScope, TargetSetting, default_targets};

/// Every setting. Absent members of the JSON have their defaults; unknown ones are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The organisation's name, for titles.
    pub organization: String,
    /// The IANA zone of calendar windows; checked when read.
    #[serde(deserialize_with = "codec::zone_name")]
    pub time_zone: String,
    /// What is kept of the people in events.
    pub people: People,
    /// What counts as one change.
    pub change_unit: ChangeUnit,
    /// Where a change's lead time starts.
    pub lead_time_start: LeadTimeStart,
    /// For how long after it a deployment can be blamed for an incident that names none, in microseconds.
    #[serde(with = "codec::duration")]
    pub attribution_window: Time,
    /// For how long after it a rollback, a revert or an unplanned deployment blames a deployment, in microseconds.
    #[serde(with = "codec::duration")]
    pub remedy_window: Time,
    /// The rules of the change failure rate that count.
    pub failure_rules: Vec<Rule>,
    /// The environment names, in lower case, that mean `production`.
    pub production: Vec<String>,
    /// The categories of deployments that the metrics count.
    pub categories: Vec<String>,
    /// Globs of branches whose deployments are unplanned.
    pub hotfix_branches: Vec<String>,
    /// Globs of authors that are bots, whatever their case.
    pub bots: Vec<String>,
    /// Whether changes by bots count.
    pub count_bots: bool,
    /// For which team the rows of a service count that changed its team.
    pub ownership: Ownership,
    /// The days that deployment frequency divides by.
    pub frequency_days: FrequencyDays,
    /// The working days of a week.
    #[serde(with = "codec::weekdays")]
    pub working_days: Vec<Weekday>,
    /// The local dates on which nobody works.
    #[serde(with = "codec::dates")]
    pub holidays: Vec<NaiveDate>,
    /// Whether every deployment with outcome `failed` counts as a failed delivery.
    pub count_failed_outcomes: bool,
    /// Whether a service without an incident of its own is taken as watched.
    pub incident_coverage: IncidentCoverage,
    /// The least severity that time to restore counts; none: all, the unknown ones too.
    pub min_severity: Option<Severity>,
    /// The severities that are an outage for uptime from incidents.
    pub outage_severities: Vec<Severity>,
    /// The window of the error budget.
    pub budget_window: BudgetWindow,
    /// How near to its objective a metric is at risk, as a share of the objective.
    pub at_risk_margin: f64,
    /// The year of the survey that levels are taken from.
    pub levels: u16,
    /// When a change that is rolled out region by region is deployed.
    pub rollout_end: RolloutEnd,
    /// Settings of single services, by slug.
    pub services: BTreeMap<String, ServiceSettings>,
    /// The targets that the site sets; see [`default_targets`] for the others.
    pub targets: Vec<TargetSetting>,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Self {
            organization: String::new(),
            time_zone: Zone::UTC.name().to_owned(),
            people: People::Pseudonym,
            change_unit: ChangeUnit::Auto,
            lead_time_start: LeadTimeStart::FirstCommit,
            attribution_window: DAY,
            remedy_window: 7 * DAY,
            failure_rules: Rule::ALL.to_vec(),
            production: texts(&["production", "prod", "live", "prd"]),
            categories: texts(&["application"]),
            hotfix_branches: texts(&["hotfix/*", "hotfix-*", "revert-*"]),
            bots: texts(&["*[bot]", "dependabot*", "renovate*"]),
            count_bots: false,
            ownership: Ownership::Now,
            frequency_days: FrequencyDays::Calendar,
            working_days: vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
            holidays: Vec::new(),
            count_failed_outcomes: false,
            incident_coverage: IncidentCoverage::Mapped,
            min_severity: None,
            outage_severities: vec![Severity::Critical, Severity::Major],
            budget_window: BudgetWindow::Month,
            at_risk_margin: 0.1,
            levels: 2023,
            rollout_end: RolloutEnd::First,
            services: BTreeMap::new(),
            targets: Vec::new(),
        }
    }
}

impl Settings {
    /// The organisation's zone; UTC where the name was set by code and is unknown.
    #[must_use]
    pub fn zone(&self) -> Zone {
        Zone::parse(&self.time_zone).unwrap_or(Zone::UTC)
    }

    /// The environment's name as it is compared: in lower case, with `production` for its aliases.
    #[must_use]
    pub fn canonical_environment(&self, environment: &str) -> String {
        let name = environment.to_lowercase();
        if self.production.iter().any(|alias| alias.to_lowercase() == name) { "production".to_owned() } else { name }
    }

    /// The settings of a service, if it has any.
    #[must_use]
    pub fn service(&self, slug: &str) -> Option<&ServiceSettings> {
        self.services.get(slug)
    }

    /// Whether a rule of the change failure rate counts.
    #[must_use]
    pub fn rule_counts(&self, rule: Rule) -> bool {
        self.failure_rules.contains(&rule)
    }
}

/// Settings of one service that are no fields of its catalogue entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// The source whose deployments count, where several report them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployments_from: Option<String>,
    /// The source whose incidents count, where several report the same outages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incidents_from: Option<String>,
    /// Whether its failures are known; none: by what was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_signal: Option<bool>,
    /// Where its uptime comes from; none: the first source with data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<UptimeSource>,
    /// The Prometheus query that its uptime is pulled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<String>,
}

/// The window of the error budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BudgetWindow {
    /// The calendar month.
    Month,
    /// The last so many microseconds.
    Rolling(Time),
}
