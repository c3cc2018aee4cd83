//! The digest of the settings that facts rest on.

use std::collections::BTreeMap;

use super::Settings;

impl Settings {
    /// A stable hash, 32 hexadecimal digits, of everything that shapes facts: where it changes, all are folded anew.
    ///
    /// In it: `time_zone`, `change_unit`, `lead_time_start`, `attribution_window`, `remedy_window`, `failure_rules`,
    /// `production`, `categories`, `hotfix_branches`, `count_bots`, `ownership`, `count_failed_outcomes`,
    /// `incident_coverage`, `outage_severities`, `rollout_end`, and of each service `deployments_from`, `incidents_from`,
    /// `failure_signal` and `uptime`. The order and repetition of what is a set change nothing.
    ///
    /// Not in it, because they only shape answers or intake: `organization`, `people`, `bots` (judged when an event
    /// is taken in), `frequency_days`, `working_days`, `holidays`, `min_severity`, `budget_window`,
    /// `at_risk_margin`, `levels`, `targets`, and a service's `prometheus` query.
    #[must_use]
    pub fn digest(&self) -> String {
        // Taken apart in full, so that a new setting does not compile until somebody has decided.
        let Self {
            organization: _,
            time_zone,
            people: _,
            change_unit,
            lead_time_start,
            attribution_window,
            remedy_window,
            failure_rules,
            production,
            categories,
            hotfix_branches,
            bots: _,
            count_bots,
            ownership,
            frequency_days: _,
            working_days: _,
            holidays: _,
            count_failed_outcomes,
            incident_coverage,
            min_severity: _,
            outage_severities,
            budget_window: _,
            at_risk_margin: _,
            levels: _,
            rollout_end,
            services,
            targets: _,
        } = self;
        let services: BTreeMap<_, _> = services
            .iter()
            .map(|(slug, own)| (slug, (&own.deployments_from, &own.incidents_from, own.failure_signal, own.uptime)))
            .filter(|(_, own)| *own != (&None, &None, None, None))
            .collect();
        let lower: Vec<String> = production.iter().map(|alias| alias.to_lowercase()).collect();
        let parts = [
            serde_json::json!([time_zone, change_unit, lead_time_start, attribution_window, remedy_window]),
            serde_json::json!([set(failure_rules), set(&lower), set(categories), set(hotfix_branches)]),
            serde_json::json!([count_bots, ownership, count_failed_outcomes, incident_coverage]),
            serde_json::json!([set(outage_severities), rollout_end, services]),
        ];
        let mut hash = blake3::Hasher::new();
        for part in parts {
            hash.update(part.to_string().as_bytes());
        }
        hash.finalize().to_hex().chars().take(32).collect()
    }
}

fn set<T: Ord>(values: &[T]) -> Vec<&T> {
    let mut values: Vec<&T> = values.iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}
