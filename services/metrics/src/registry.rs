//! The metrics there are. A new one is a file in `metrics/`, its cases beside it, and a line here.

use vigie_model::Settings;
use vigie_model::settings::{MetricName, Unit};

use crate::answer::Measurement;
use crate::metrics;
use crate::slice::Slice;

/// A metric: what it is called, what it means, and the function that computes it.
#[derive(Clone, Copy)]
pub struct Metric {
    /// By which it is asked for.
    pub name: MetricName,
    /// Raised whenever its meaning changes.
    pub version: u32,
    /// What people call it.
    pub title: &'static str,
    /// What it means, in plain words.
    pub text: &'static str,
    /// The settings that shape it, by name, those of single services too.
    pub settings: &'static [&'static str],
    /// Computes it; pure.
    pub measure: fn(&Slice) -> Measurement,
}

/// Every metric, in the order of [`MetricName`].
pub static REGISTRY: [Metric; 9] = [
    metrics::deployment_frequency::METRIC,
    metrics::lead_time::METRIC,
    metrics::change_failure_rate::METRIC,
    metrics::failed_deployment_recovery_time::METRIC,
    metrics::rework_rate::METRIC,
    metrics::mttr::METRIC,
    metrics::mttd::METRIC,
    metrics::mtta::METRIC,
    metrics::uptime::METRIC,
];

/// The metric of a name.
#[must_use]
pub fn metric(name: MetricName) -> &'static Metric {
    // In the order of the names, which a test holds.
    &REGISTRY[name as usize]
}

/// What a metric means, with the settings that shape it as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Which metric.
    pub name: MetricName,
    /// Raised whenever its meaning changes.
    pub version: u32,
    /// What people call it.
    pub title: &'static str,
    /// What it means, in plain words.
    pub text: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Name and value of each setting that shapes it, as the configuration writes them.
    pub settings: Vec<(&'static str, String)>,
}

/// The definition of a metric under these settings.
#[must_use]
pub fn definition(name: MetricName, settings: &Settings) -> Definition {
    let metric = metric(name);
    let values = serde_json::to_value(settings).unwrap_or_default();
    let text = |setting: &str| match values.get(setting).cloned().or_else(|| of_services(&values, setting)) {
        Some(serde_json::Value::String(text)) => text,
        Some(serde_json::Value::Null) | None => "none".to_owned(),
        Some(other) => other.to_string(),
    };
    Definition {
        name,
        version: metric.version,
        title: metric.title,
        text: metric.text,
        unit: name.unit(),
        settings: metric.settings.iter().map(|setting| (*setting, text(setting))).collect(),
    }
}

/// What the settings of single services say of something, by slug; `None` where none says anything.
fn of_services(settings: &serde_json::Value, setting: &str) -> Option<serde_json::Value> {
    let services = settings.get("services")?.as_object()?.iter();
    let own = services.filter_map(|(slug, own)| Some((slug.clone(), own.get(setting)?.clone())));
    let own: serde_json::Map<_, _> = own.collect();
    (!own.is_empty()).then(|| own.into())
}

/// What a reason for leaving rows out means, in words.
#[must_use]
pub fn exclusion_text(reason: &str) -> &'static str {
    match reason {
        "dormant" => "services without a delivery in the window or the 90 days before it",
        "redeployment" => "redeployments, which bring nothing new",
        "same_rollout" => "deployments that joined a rollout counted in another region",
        "other_category" => "deployments of a category that is not counted",
        "other_line" => "changes of a category that is not counted, or brought earlier by another one",
        "rollback" => "rollbacks, which bring nothing new",
        "unsuccessful" => "deployments that failed or were cancelled without reaching users",
        "bot" => "changes by programs",
        "no_failure_signal" => "deployments of services whose failures nobody would notice",
        "not_recovered" => "failed deployments that have not recovered",
        "open" => "incidents that are still open",
        "below_min_severity" => "incidents less severe than the setting asks for",
        "time_unknown" => "incidents that lack the time this metric needs",
        "times_out_of_order" => "incidents whose times are in the wrong order",
        "no_coverage" => "services of which nothing was observed",
        "archived" => "services archived before the window began",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use vigie_model::settings::{ServiceSettings, UptimeSource};

    use super::*;

    #[test]
    fn the_registry_is_in_the_order_of_the_names() {
        for (number, name) in MetricName::ALL.iter().enumerate() {
            assert_eq!(REGISTRY[number].name, *name);
            assert_eq!(metric(*name).name, *name);
        }
    }

    #[test]
    fn every_setting_that_is_named_exists() {
        let settings = serde_json::to_value(Settings::default()).unwrap();
        let own = ServiceSettings {
            deployments_from: Some("argocd".to_owned()),
            incidents_from: Some("pagerduty".to_owned()),
            failure_signal: Some(true),
            uptime: Some(UptimeSource::Probes),
            prometheus: None,
        };
        let own = serde_json::to_value(own).unwrap();
        for metric in &REGISTRY {
            assert!(metric.text.len() > 50 && !metric.text.contains("  "), "{}", metric.title);
            for setting in metric.settings {
                assert!(settings.get(setting).or(own.get(setting)).is_some(), "{}: {setting}", metric.name);
            }
        }
    }

    #[test]
    fn a_definition_shows_what_single_services_set() {
        let mut settings = Settings::default();
        let shown = |settings: &Settings, metric, setting| {
            let shown = definition(metric, settings).settings;
            shown.into_iter().find(|(name, _)| *name == setting).map(|(_, value)| value)
        };
        assert_eq!(shown(&settings, MetricName::Uptime, "uptime").as_deref(), Some("none"));
        let own = ServiceSettings {
            deployments_from: Some("argocd".to_owned()),
            incidents_from: Some("pagerduty".to_owned()),
            failure_signal: Some(false),
            uptime: Some(UptimeSource::Probes),
            prometheus: None,
        };
        settings.services = [("checkout".to_owned(), own), ("cart".to_owned(), ServiceSettings::default())].into();
        let expected = [
            (MetricName::Uptime, "uptime", r#"{"checkout":"probes"}"#),
            (MetricName::ChangeFailureRate, "failure_signal", r#"{"checkout":false}"#),
            (MetricName::ReworkRate, "failure_signal", r#"{"checkout":false}"#),
            (MetricName::FailedDeploymentRecoveryTime, "failure_signal", r#"{"checkout":false}"#),
            (MetricName::DeploymentFrequency, "deployments_from", r#"{"checkout":"argocd"}"#),
            (MetricName::LeadTime, "deployments_from", r#"{"checkout":"argocd"}"#),
            (MetricName::Mttr, "incidents_from", r#"{"checkout":"pagerduty"}"#),
        ];
        for (metric, setting, value) in expected {
            assert_eq!(shown(&settings, metric, setting).as_deref(), Some(value), "{metric}: {setting}");
        }
    }
}
