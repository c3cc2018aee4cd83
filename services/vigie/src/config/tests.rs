#![allow(clippy::panic)] // a test that cannot build its input has failed

use std::collections::BTreeMap;

use vigie_model::settings::{BudgetWindow, MetricName, Severity, TargetScope, UptimeSource};
use vigie_model::{HOUR, MINUTE, parse_time};

use super::*;

mod mistakes;

const EXAMPLE: &str = r#"
organization = "Acme"
time_zone = "Europe/Paris"
database = "sqlite://vigie.db"
listen = "127.0.0.1:8080"
auth = "none"
people = "none"

[metrics]
change_unit = "commit"
lead_time_start = "first_commit"
attribution_window = "PT12H"
remedy_window = "2d"
failure_rules = ["explicit", "rollback"]
production = ["Production", "prod"]
hotfix_branches = "fix/*"
working_days = ["mon", "Tuesday"]
holidays = [2026-12-25, "2026-01-01"]
min_severity = "minor"
budget_window = "P28D"
at_risk_margin = 0.2
levels = 2023

[intake]
max_request_bytes = "20 MiB"
max_event_bytes = 2_000_000
keep_deliveries = "P30D"
connectors = "../ingest/connectors"

[[team]]
slug = "payments"
name = "Payments"
parent = "commerce"

[[service]]
slug = "checkout"
name = "Checkout"
team = "payments"
type = "web"
tier = "1"
formerly = ["basket"]
archived_at = 2026-10-01T14:00:00+02:00
repositories = [{ repository = "acme/shop", paths = ["checkout/**", "!checkout/docs/"], formerly = ["acme/old"] }, "acme/lib"]
production = ["prod-eu", "prod-us"]
matches = [{ repository = "acme/shop", app = ["shop-*", "till"] }, { alertname = "Checkout*" }]
deployments_from = "argocd"
failure_signal = true
uptime = { source = "probes", prometheus = 'probe_success{service="checkout"}' }

[[service]]
slug = "search"
uptime = "requests"
matches = { repository = "acme/search" }

[[target]]
metric = "lead_time"
objective = "PT1H"
action = "Reduce bottlenecks"
[[target]]
metric = "uptime"
service = "checkout"
objective = "99.95%"
from = 2026-07-01
[[target]]
metric = "change_failure_rate"
team = "payments"
objective = 0.1

[[pull]]
github = ["acme/shop", "acme/lib"]
token_file = "/run/secrets/github"
every = "15m"
[[pull]]
gitlab = "acme/deep/shop"
url = "https://gitlab.acme.example/"
token_file = "/run/secrets/gitlab"
exclude = "acme/deep/*-archive"
ca_file = "/etc/ssl/acme.pem"
[[pull]]
git = "/srv/git/shop"
tags = "v*"
service = "checkout"
[[pull]]
prometheus = "http://prometheus:9090"
every = "PT1H"
[[pull]]
prometheus = "https://mimir.acme.example/prometheus/"
good = 'http_requests_total{code!~"5.."}'
total = "http_requests_total"
label = "app"
environment_label = "env"
step = "10m"
delay = "2m"
since = 2026-01-01T00:00:00Z
source = "mimir"
username = "vigie"
password_file = "/run/secrets/mimir"
ca_file = "/etc/ssl/acme.pem"
headers = { X-Scope-OrgID = "payments" }
schedule = "30 2 * * *"
[[pull]]
jira = "https://acme.atlassian.net"
username = "vigie@acme.example"
password_file = "/run/secrets/jira"
since = 2026-01-01T00:00:00Z
[[pull]]
jira = "https://jira.acme.example/jira/"
source = "jira-dc"
token_file = "/run/secrets/jira-dc"
ca_file = "/etc/ssl/acme.pem"
[[pull]]
pagerduty = "https://api.eu.pagerduty.com/"
services = ["PSHOP01"]
teams = ["PTEAM01", "PTEAM02"]
since = 2026-01-01T00:00:00Z
source = "pagerduty-eu"
token_file = "/run/secrets/pagerduty"
schedule = "*/10 * * * *"

[[hook]]
connector = "github"
secret_file = "/run/secrets/hook"
[[hook]]
connector = "alertmanager"
source = "alerts-eu"
secret_files = ["/run/secrets/new", "/run/secrets/old"]
settings = { severities = "page", shortest = 60, "as" = "incident" }
[[hook]]
connector = "pingdom"
"#;

fn read(text: &str) -> Config {
    parse("vigie.toml", text, [], &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> Vec<String> {
    let problems = parse("vigie.toml", text, [], &[]).err().map(|problems| problems.0).unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(read(""), Config::default());
    assert_eq!(load(None, [], &[]), Ok(Config::default()), "an absent default file is no error");
    let missing = load(Some(Path::new("/nonexistent/vigie.toml")), [], &[]).err().map(|error| error.to_string());
    assert!(missing.unwrap_or_default().starts_with("/nonexistent/vigie.toml: cannot be read"));
}

#[test]
fn everything_is_read() {
    let config = read(EXAMPLE);
    let settings = &config.settings;
    assert_eq!((settings.organization.as_str(), settings.time_zone.as_str()), ("Acme", "Europe/Paris"));
    assert_eq!((config.auth, settings.people), (Auth::None, People::None));
    assert_eq!((settings.attribution_window, settings.remedy_window), (12 * HOUR, 2 * DAY));
    assert_eq!(settings.production, ["production", "prod"]);
    assert_eq!(settings.hotfix_branches, ["fix/*"]);
    assert_eq!(settings.working_days.len(), 2);
    assert_eq!(settings.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-01-01", "2026-12-25"]);
    assert_eq!((settings.min_severity, settings.levels), (Some(Severity::Minor), 2023));
    assert_eq!(settings.budget_window, BudgetWindow::Rolling(28 * DAY));
    assert_eq!((config.intake.max_request_bytes, config.intake.max_event_bytes), (20 << 20, 2_000_000));

    let checkout = &config.services[0];
    assert_eq!(checkout.archived_at, parse_time("2026-10-01T12:00:00Z").ok());
    assert_eq!(checkout.repositories[0].paths, ["checkout/**", "!checkout/docs/"]);
    assert_eq!(checkout.repositories[1].repository, "acme/lib");
    let own = settings.service("checkout").cloned().unwrap_or_default();
    assert_eq!((own.uptime, own.failure_signal), (Some(UptimeSource::Probes), Some(true)));
    assert_eq!(settings.service("search").and_then(|own| own.uptime), Some(UptimeSource::Requests));

    let targets: Vec<_> =
        settings.targets.iter().map(|target| (target.metric, target.scope.clone(), target.objective)).collect();
    assert_eq!(
        targets,
        [
            (MetricName::LeadTime, TargetScope::Organization, 3_600.0),
            (MetricName::Uptime, TargetScope::Service("checkout".into()), 0.9995),
            (MetricName::ChangeFailureRate, TargetScope::Team("payments".into()), 0.1),
        ]
    );
    assert_eq!(config.pulls.len(), 8);
    let PullSource::GitHub(github) = &config.pulls[0].source else { panic!("{:?}", config.pulls[0]) };
    assert_eq!(github.repositories, ["acme/shop", "acme/lib"]);
    assert_eq!((&config.pulls[0].when, &config.pulls[3].when), (&When::Every(15 * MINUTE), &When::Every(HOUR)));
    assert_eq!(config.pulls[4].when, When::Cron("30 2 * * *".to_owned()));
    let PullSource::Jira(jira) = &config.pulls[6].source else { panic!("{:?}", config.pulls[6]) };
    assert_eq!((jira.url.as_str(), jira.source.as_str()), ("https://jira.acme.example/jira", "jira-dc"));
    let PullSource::PagerDuty(pagerduty) = &config.pulls[7].source else { panic!("{:?}", config.pulls[7]) };
    assert_eq!((pagerduty.url.as_str(), pagerduty.teams.len()), ("https://api.eu.pagerduty.com", 2));
    let fields = |pairs: &[(&str, &[&str])]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        pairs.iter().map(|(name, patterns)| ((*name).to_owned(), texts(patterns))).collect::<BTreeMap<_, Vec<String>>>()
    };
    let alternatives = [
        fields(&[("app", &["shop-*", "till"]), ("repository", &["acme/shop"])]),
        fields(&[("alertname", &["Checkout*"])]),
    ];
    assert_eq!(config.services[0].matches, alternatives);
    assert_eq!(config.services[1].matches, [fields(&[("repository", &["acme/search"])])]);
    let delivery = [("alertname".to_owned(), "checkoutdown".to_owned())];
    assert_eq!(config.routes().service_of(&delivery), Some("checkout"));
    let hooks: Vec<_> = config
        .hooks
        .iter()
        .map(|hook| (hook.connector.as_str(), hook.source.as_str(), hook.secret_files.len(), hook.settings.len()))
        .collect();
    assert_eq!(hooks, [("github", "github", 1, 0), ("alertmanager", "alerts-eu", 2, 3), ("pingdom", "pingdom", 0, 0)]);
    assert_eq!(config.pulls[1].url.as_deref(), Some("https://gitlab.acme.example"));
}

#[test]
fn the_effective_configuration_reads_as_itself() {
    for config in [Config::default(), read(EXAMPLE)] {
        let again = read(&config.effective());
        // The text names everything, where the data are too.
        let config = Config { names_database: true, ..config };
        assert_eq!(again, config, "{}", config.effective());
        assert_eq!(again.settings.digest(), config.settings.digest());
    }
}

#[test]
fn variables_win_over_the_file_and_flags_over_variables() {
    let text = "listen = 'file:1'\ntime_zone = 'UTC'\n[metrics]\ncount_bots = false\nlevels = 2023";
    let set = variables(&[
        ("VIGIE_LISTEN", "variable:2"),
        ("VIGIE_TIME_ZONE", "Europe/Paris"),
        ("VIGIE_COUNT_BOTS", "true"),
        ("VIGIE_LEVELS", "2023"),
        ("VIGIE_FAILURE_RULES", "explicit, window"),
        ("VIGIE_MAX_REQUEST_BYTES", "30MiB"),
        ("VIGIE_ORGANIZATION", ""),
        ("VIGIE_CONFIG", "elsewhere.toml"),
        ("HOME", "/root"),
    ]);
    let config = parse("vigie.toml", text, set.clone(), &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.listen.as_str(), config.settings.time_zone.as_str()), ("variable:2", "Europe/Paris"));
    assert_eq!((config.settings.count_bots, config.settings.levels), (true, 2023));
    assert_eq!(config.settings.failure_rules.len(), 2);
    assert_eq!(config.intake.max_request_bytes, 30 << 20);
    let flags = [("listen", "flag:3".to_owned())];
    assert_eq!(parse("vigie.toml", text, set, &flags).map(|config| config.listen), Ok("flag:3".to_owned()));

    let wrong = |name: &str, value: &str| {
        let problems = parse("vigie.toml", "", variables(&[(name, value)]), &[]).err();
        problems.map(|problems| problems.to_string()).unwrap_or_default()
    };
    assert!(wrong("VIGIE_LISTEN", "foo").starts_with("VIGIE_LISTEN = \"foo\": this is no address"));
    assert!(wrong("VIGIE_DATABASE", "mysql://a:b@c").starts_with("VIGIE_DATABASE = \"mysql://a:***@c\": "));
    assert_eq!(wrong("VIGIE_DATABSE", "x"), "VIGIE_DATABSE: unknown variable; did you mean VIGIE_DATABASE?");
    assert_eq!(wrong("VIGIE_TEST_POSTGRES", "x"), "");
}

#[test]
fn the_database_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://vigie:pass@word@db/vigie\n").unwrap_or_else(|error| panic!("{error}"));
    let config = read(&format!("database_file = '{}'", file.display()));
    assert_eq!(config.database, "postgres://vigie:pass@word@db/vigie");
    assert!(!config.effective().contains("word"));
    let set = variables(&[("VIGIE_DATABASE", "sqlite://other.db")]);
    let text = format!("database_file = '{}'", file.display());
    let config = parse("vigie.toml", &text, set, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.database.as_str(), config.database_file), ("sqlite://other.db", None));
}

#[test]
fn passwords_are_masked() {
    for (text, masked) in [
        ("postgres://vigie:pa/s@s@db:5432/vigie?x=1", "postgres://vigie:***@db:5432/vigie?x=1"),
        ("postgres://db/vigie?user=u&password=secret&x=1", "postgres://db/vigie?user=u&password=***&x=1"),
        ("postgres://vigie@db:5432/vigie", "postgres://vigie@db:5432/vigie"),
        ("sqlite://vigie.db", "sqlite://vigie.db"),
        ("plain", "plain"),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn the_schema_in_the_repository_is_the_programs() {
    let path = Path::new("../../schema/config.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, json_schema()).unwrap_or_else(|error| panic!("{error}"));
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(checked_in == json_schema(), "schema/config.schema.json is old; run the tests with UPDATE_SCHEMAS=1");
}

#[test]
fn the_years_of_levels_are_those_on_file() {
    let years = vigie_metrics::level_years();
    let bounds = (years.first().copied().map(i64::from), years.last().copied().map(i64::from));
    assert_eq!(bounds, (Some(super::keys::LEVEL_YEARS.0), Some(super::keys::LEVEL_YEARS.1)));
    assert_eq!(problems("[metrics]\nlevels = 2021"), ["vigie.toml:2:10: metrics.levels = 2021: write 2023"]);
}
