use super::*;
use crate::duration::parse_duration;
use crate::parse_time;

fn read(json: &str) -> Result<Settings, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn the_empty_settings_are_the_defaults() {
    assert_eq!(read("{}"), Ok(Settings::default()));
    let settings = Settings::default();
    assert_eq!(settings.zone(), Zone::UTC);
    assert_eq!(settings.attribution_window, parse_duration("PT24H").unwrap_or_default());
    assert_eq!(settings.failure_rules.len(), 5);
}

#[test]
fn what_is_written_is_read_back_to_the_bit() {
    let mut settings = Settings {
        organization: "Acme".into(),
        time_zone: "Europe/Paris".into(),
        budget_window: BudgetWindow::Rolling(28 * DAY),
        min_severity: Some(Severity::Minor),
        holidays: NaiveDate::from_ymd_opt(2026, 12, 25).into_iter().collect(),
        ..Settings::default()
    };
    let checkout = ServiceSettings { uptime: Some(UptimeSource::Probes), ..ServiceSettings::default() };
    settings.services.insert("checkout".into(), checkout);
    for objective in [1.0 / 7.0, 0.9995, 2.0 / 3.0, 0.1 + 0.2] {
        settings.targets.push(TargetSetting {
            metric: MetricName::DeploymentFrequency,
            scope: TargetScope::Team("payments".into()),
            objective,
            action: String::new(),
            from: NaiveDate::from_ymd_opt(2026, 7, 1),
        });
    }
    let json = serde_json::to_string(&settings).unwrap_or_default();
    assert!(json.contains(r#""attribution_window":"P1D""#) && json.contains(r#""from":"2026-07-01""#), "{json}");
    assert!(json.contains(r#""working_days":["monday","#) && json.contains(r#""scope":"team:payments""#), "{json}");
    assert_eq!(read(&json), Ok(settings));
}

#[test]
fn unknown_and_impossible_settings_are_errors() {
    let error = |json: &str| read(json).err().unwrap_or_default();
    assert!(error(r#"{"change_units":"auto"}"#).contains("change_units"));
    assert!(error(r#"{"change_unit":"ticket"}"#).contains("pull_request"));
    assert!(error(r#"{"time_zone":"Europe/Pariss"}"#).contains("did you mean Europe/Paris?"));
    assert!(error(r#"{"attribution_window":"P1M"}"#).contains("no fixed length"));
    assert!(error(r#"{"working_days":["someday"]}"#).contains("write it like monday"));
    assert!(error(r#"{"holidays":["25.12."]}"#).contains("write it like 2026-12-25"));
    assert!(error(r#"{"budget_window":"PT0S"}"#).contains("empty"));
    let target = r#"{"targets":[{"metric":"lead_time","scope":"squad:x","objective":1}]}"#;
    assert!(error(target).contains("team:<slug>"));
}

#[test]
fn environments_have_aliases() {
    let settings = Settings::default();
    for alias in ["production", "PROD", "Live", "prd"] {
        assert_eq!(settings.canonical_environment(alias), "production");
    }
    assert_eq!(settings.canonical_environment("Prod-EU"), "prod-eu");
}

#[test]
fn the_digest_moves_with_what_shapes_facts_and_with_nothing_else() {
    let digest = Settings::default().digest();
    assert_eq!(digest.len(), 32);
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.digest()
    };
    for same in [
        with(|settings| settings.organization = "Acme".into()),
        with(|settings| settings.levels = 2019),
        with(|settings| settings.targets = default_targets()),
        with(|settings| settings.failure_rules.reverse()),
        with(|settings| settings.production = vec!["PRD".into(), "live".into(), "prod".into(), "production".into()]),
        with(|settings| {
            settings.services.insert("a".into(), ServiceSettings::default());
        }),
    ] {
        assert_eq!(same, digest);
    }
    for other in [
        with(|settings| settings.attribution_window += 1),
        with(|settings| settings.failure_rules.truncate(4)),
        with(|settings| settings.rollout_end = RolloutEnd::Last),
        with(|settings| {
            let own = ServiceSettings { failure_signal: Some(true), ..ServiceSettings::default() };
            settings.services.insert("a".into(), own);
        }),
    ] {
        assert_ne!(other, digest);
    }
}

#[test]
fn the_nearest_target_in_force_wins() {
    let target = |scope: TargetScope, objective: f64, from: Option<(i32, u32)>| TargetSetting {
        metric: MetricName::Uptime,
        scope,
        objective,
        action: String::new(),
        from: from.and_then(|(year, month)| NaiveDate::from_ymd_opt(year, month, 1)),
    };
    let settings = Settings {
        time_zone: "Europe/Paris".into(),
        targets: vec![
            target(TargetScope::Organization, 0.99, Some((2026, 1))),
            target(TargetScope::Team("commerce".into()), 0.98, None),
            target(TargetScope::Team("payments".into()), 0.97, Some((2026, 7))),
            target(TargetScope::Service("checkout".into()), 0.96, Some((2026, 7))),
            target(TargetScope::Service("checkout".into()), 0.95, Some((2026, 10))),
        ],
        ..Settings::default()
    };
    let at = |text: &str| parse_time(text).unwrap_or_default();
    let ask = |service, teams: &[&str], when: &str| {
        let target = settings.target_for(MetricName::Uptime, service, teams, at(when));
        target.map(|target| (target.objective, target.set_at)).unwrap_or_default()
    };
    let teams = ["payments", "commerce"];
    assert_eq!(ask(Some("checkout"), &teams, "2026-11-01T00:00:00Z"), (0.95, "service:checkout".into()));
    assert_eq!(ask(Some("checkout"), &teams, "2026-08-01T00:00:00Z"), (0.96, "service:checkout".into()));
    // In force from the local midnight, 22:00 Z.
    assert_eq!(ask(Some("checkout"), &teams, "2026-06-30T21:59:59Z"), (0.98, "team:commerce".into()));
    assert_eq!(ask(Some("checkout"), &teams, "2026-06-30T22:00:00Z"), (0.96, "service:checkout".into()));
    assert_eq!(ask(None, &teams, "2026-08-01T00:00:00Z"), (0.97, "team:payments".into()));
    assert_eq!(ask(Some("other"), &[], "2026-08-01T00:00:00Z"), (0.99, "organization".into()));
    assert_eq!(ask(None, &[], "2025-08-01T00:00:00Z"), (0.999, "default".into()));
    let found = settings.target_for(MetricName::Uptime, None, &[], at("2026-08-01T00:00:00Z"));
    let found = found.map(|target| (target.comparison, target.action, target.from));
    let since = at("2025-12-31T23:00:00Z");
    assert_eq!(found, Some((Comparison::Above, "Post-mortem, then fixes".into(), Some(since))));
    assert_eq!(settings.target_for(MetricName::Mttd, None, &[], 0), None);
}

#[test]
fn the_defaults_are_the_published_ones() {
    let defaults: Vec<_> = default_targets()
        .iter()
        .map(|target| (target.metric.as_str(), target.objective, target.action.clone()))
        .collect();
    assert_eq!(
        defaults,
        [
            ("deployment_frequency", 1.0, "Optimise the pipeline".to_owned()),
            ("lead_time", 3_600.0, "Reduce bottlenecks".to_owned()),
            ("change_failure_rate", 0.05, "Strengthen tests".to_owned()),
            ("mttr", 1_800.0, "Improve alerting".to_owned()),
            ("uptime", 0.999, "Post-mortem, then fixes".to_owned()),
        ]
    );
    assert!(!Comparison::Below.met(0.05, 0.05) && Comparison::Below.met(0.049, 0.05));
    assert!(!Comparison::Above.met(0.999, 0.999));
}

#[test]
fn objectives_are_read_in_the_metrics_unit() {
    use MetricName::{ChangeFailureRate, DeploymentFrequency, LeadTime, Uptime};
    for (metric, text, objective) in [
        (Uptime, "99.9%", 0.999),
        (Uptime, "99.95 %", 0.9995),
        (Uptime, "0.999", 0.999),
        (ChangeFailureRate, "5%", 0.05),
        (ChangeFailureRate, "100%", 1.0),
        (LeadTime, "PT1H", 3_600.0),
        (LeadTime, "30m", 1_800.0),
        (DeploymentFrequency, "1/day", 1.0),
        (DeploymentFrequency, "2/week", 2.0 / 7.0),
        (DeploymentFrequency, "1 / 12h", 2.0),
        (DeploymentFrequency, "0.5/hour", 12.0),
    ] {
        assert_eq!(parse_objective(metric, text), Ok(objective), "{metric} {text}");
        assert_eq!(parse_objective(metric, &format_objective(metric, objective)), Ok(objective));
    }
    for (metric, text, message) in [
        (Uptime, "99.9", "write a ratio, like 99.9%"),
        (Uptime, "100%", "can never be met"),
        (Uptime, "PT1H", "write a ratio, like 99.9% or 0.999"),
        (Uptime, "150%", "write a ratio"),
        (Uptime, "NaN", "write a ratio"),
        (Uptime, "1e-3", "write a ratio"),
        (ChangeFailureRate, "0%", "can never be met"),
        (ChangeFailureRate, "-5%", "write a ratio, like 5% or 0.05"),
        (LeadTime, "3600", "seconds are 3600s"),
        (LeadTime, "P1M", "no fixed length"),
        (LeadTime, "PT0S", "can never be met"),
        (DeploymentFrequency, "1", "write a rate, like 1/day"),
        (DeploymentFrequency, "daily", "1/day, 2/week or 1/12h"),
        (DeploymentFrequency, "3/month", "3/30d"),
        (DeploymentFrequency, "3/0d", "1/day"),
    ] {
        let error = parse_objective(metric, text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(message), "{metric} {text}: {error}");
    }
}
