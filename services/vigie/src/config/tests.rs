#![allow(clippy::panic)] // a test that cannot build its input has failed

use std::collections::BTreeMap;

use vigie_model::settings::{BudgetWindow, MetricName, Severity, TargetScope, UptimeSource};
use vigie_model::{HOUR, MINUTE, parse_time};

use super::*;

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
fn everything_wrong_is_said_at_once_with_its_place() {
    let text = r#"organisation = "Acme"
time_zone = "Europe/Pariss"
listen = "8080"
levels = 2023
[metrics]
attribution_window = "P1M"
failure_rules = ["explict", "rollback"]
levels = "2023"
[[team]]
slug = "é"
parent = "é"
[[target]]
metric = "uptime"
objective = "99.9"
team = "a"
service = "s"
"#;
    assert_eq!(
        problems(text),
        [
            "vigie.toml:1:1: organisation: unknown key in the file; did you mean organization?",
            "vigie.toml:2:13: time_zone = \"Europe/Pariss\": unknown time zone \"Europe/Pariss\"; did you mean Europe/Paris?",
            "vigie.toml:3:10: listen = \"8080\": this is no address with a port; write it like 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
            "vigie.toml:4:1: levels: unknown key in the file; levels belongs under [metrics]",
            "vigie.toml:6:22: metrics.attribution_window = \"P1M\": this has months or years, which have no fixed length; write days or weeks, like P30D, P90D or P52W",
            "vigie.toml:7:18: metrics.failure_rules[1] = \"explict\": unknown; did you mean explicit?",
            "vigie.toml:8:10: metrics.levels = \"2023\": expected 2023 (without quotes), found a text",
            "vigie.toml:11:10: team[1].parent = \"é\": the team é is its own parent; remove it, or name the team above",
            "vigie.toml:14:13: target[1].objective = \"99.9\": this is no objective for uptime; write a ratio, like 99.9%",
            "vigie.toml:15:8: target[1].team = \"a\": a target is a team's or a service's; remove one of the two, or write two targets",
        ]
    );
}

#[test]
fn each_mistake_has_its_remedy() {
    for (text, remedy) in [
        (
            "database = 'mysql://u:secret@h/db'",
            "= 'mysql://u:***@h/db': this is no database URL; write sqlite://vigie.db",
        ),
        ("listen = '::1:8080'", "write it like"),
        ("listen = 'host:99999'", "write it like"),
        ("auth = 'nne'", "did you mean none?"),
        ("token = 'abc'", "a secret is not written here"),
        ("listen = 5", "expected a text in quotes, found a whole number"),
        ("listen = ''", "empty; write something"),
        ("listen = 'a:1'\nlisten = 'b:1'", "vigie.toml:2:1: duplicate key"),
        ("metrics = 5", "expected a table"),
        ("[metrics]\nproduction = []", "the list is empty"),
        ("[metrics]\nat_risk_margin = 3", "write a number from 0 to 1"),
        ("[metrics]\ncount_bots = 'yes'", "expected true or false (without quotes)"),
        ("[metrics]\nholidays = ['25.12.']", "write it like 2026-07-01"),
        ("[metrics]\nworking_days = ['caturday']", "did you mean saturday?"),
        ("[metrics]\nworking_days = []", "at least one day"),
        ("[metrics]\ncategories = ['app']", "write one of application, configuration"),
        ("[metrics]\nbudget_window = 'year'", "month, or a duration like P28D"),
        ("[metrics]\nlisten = 'a:1'", "listen belongs at the beginning of the file"),
        ("[intake]\nmax_event_bytes = '20 MiB'", "raise max_request_bytes"),
        ("[intake]\nmax_event_bytes = 'lots'", "like 1048576"),
        ("[[team]]\nname = 'x'", "vigie.toml:1:1: team[1].slug: missing; what events call it."),
        ("[team]\nslug = 'x'", "write [[team]]"),
        ("[[team]]\nslug = 'a'\n[[team]]\nslug = 'a'", "declared twice"),
        (
            "[[team]]\nslug='a'\nparent='b'\n[[team]]\nslug='b'\nparent='c'\n[[team]]\nslug='c'\nparent='b'",
            "in a circle: b → c → b",
        ),
        ("[[service]]\nslug = 'a'\n[[service]]\nslug = 'a'", "declared twice"),
        ("[[service]]\nslug = 'a'\n[[service]]\nslug = 'b'\nformerly = ['a']", "a history has one owner"),
        ("[[service]]\nslug = 'a'\nrepositories = [{ repository = 'r', paths = ['a//b'] }]", "double slash"),
        ("[[service]]\nslug = 'a'\nrepositories = ['r', 'R']", "this repository is declared twice"),
        ("[[service]]\nslug = 'a'\nuptime = { source = 'probe' }", "did you mean probes?"),
        ("[[service]]\nslug = 'a'\narchived_at = 2026-10-01T12:00:00", "the time has no offset"),
        ("[[target]]\nmetric = 'lead_tme'\nobjective = 'PT1H'", "did you mean lead_time?"),
        ("[[target]]\nmetric = 'lead_time'", "objective: missing"),
        ("[[pull]]\nevery = '5m'", "write one of git, github, gitlab, jira, pagerduty, prometheus"),
        ("[[pull]]\ngit = 'a'\ngithub = 'a/b'", "a pull has one source"),
        ("[[pull]]\ngithub = 'https://github.com/acme'\ntoken_file = 'a'", "write it like acme/shop"),
        ("[[pull]]\ngithub = 'acme'", "write token_file, or app_id and app_key_file"),
        ("[[pull]]\ngithub = 'acme'\napp_id = 7", "write app_id and app_key_file"),
        ("[[pull]]\ngithub = 'acme'\napp_id = 7\ntoken_file = 'a'", "token_file says who asks too"),
        ("[[pull]]\ngithub = 'a/b'\ntoken_file = 'a'\nevery = '5s'", "at least 1m"),
        ("[[pull]]\ngithub = 'a/b'\ntoken_file = 'a'\ntags = 'v*'", "only a git pull has this"),
        ("[[pull]]\ngitlab = 'a/b'\ntoken_file = 'a'\ntoken = 'abc'", "write token_file = "),
        ("[[pull]]\ngitlab = 'a/b'", "write token_file"),
        ("[[pull]]\ngitlab = 'https://gitlab.com/a'\ntoken_file = 'a'", "write it like acme/shop, acme/web/shop-*"),
        ("[[pull]]\ngitlab = 'a/b'\ntoken_file = 'a'\napp_id = 7", "only a github pull has this"),
        ("[[pull]]\njira = 'https://acme.atlassian.net'", "write username and password_file"),
        ("[[pull]]\njira = 'https://acme.atlassian.net'\nusername = 'me'", "write password_file too"),
        ("[[pull]]\njira = 'https://acme.atlassian.net'\npassword_file = 'a'", "write username"),
        ("[[pull]]\njira = 'https://j.example'\ntoken_file = 'a'\nusername = 'me'", "username says who asks too"),
        ("[[pull]]\njira = 'https://j.example'\ntoken_file = 'a'\nservices = 'A'", "only a pagerduty pull has this"),
        ("[[pull]]\npagerduty = 'https://api.pagerduty.com'", "write token_file"),
        ("[[pull]]\npagerduty = 'api.pagerduty.com'\ntoken_file = 'a'", "this is no URL"),
        (
            "[[pull]]\npagerduty = 'https://api.pagerduty.com'\ntoken_file = 'a'\nteams = 'Shop'",
            "write the id, like PSHOP01",
        ),
        ("[[pull]]\npagerduty = 'https://api.pagerduty.com'\ntoken_file = 'a'\ntoken = 'abc'", "write token_file = "),
        ("[[pull]]\ngit = 'a'\ntags = 'v*'\nevery_merge = true", "remove tags or every_merge"),
        ("[[pull]]\nprometheus = 'prometheus:9090'", "write it like https://host:9090"),
        ("[[pull]]\ngit = 'a'\n[[pull]]\ngit = 'a'\nevery_merge = true", "this is pulled twice"),
        ("[[pull]]\ngit = 'a'\nquery = 'up'", "only a prometheus pull has this"),
        ("[[pull]]\ngit = 'a'\nevery = '1h'\nschedule = '0 3 * * *'", "remove one of the two"),
        ("[[hook]]\nsecret_file = '/a'", "vigie.toml:1:1: hook[1].connector: missing"),
        (
            "[[hook]]\nconnector = 'githb'",
            "hook[1].connector = 'githb': there is no connector \"githb\"; did you mean github?",
        ),
        (
            "[[hook]]\nconnector = 'gitlab'\n[[hook]]\nconnector = 'gitlab'",
            "set up twice; keep one, or give each a source of its own",
        ),
        ("[[hook]]\nconnector = 'gitlab'\nsecret = 'abc'", "write secret_file = "),
        ("[[hook]]\nconnector = 'pingdom'\nsecret_file = '/a'", "Pingdom signs nothing"),
        (
            "[[hook]]\nconnector = 'github'\nsettings = { branch = 'main' }",
            "vigie.toml:3:23: hook[1].settings.branch = 'main': the connector has no such setting; did you mean branches?",
        ),
        (
            "[[hook]]\nconnector = 'github'\n[hook.settings]\nenvironment = ['a']",
            "hook[1].settings.environment = ['a']: expected a text, like its default \"production\"",
        ),
        ("[[hook]]\nconnector = 'github'\nsettings = { branches = [{}] }", "a setting is a text, a number"),
        ("[[hook]]\nconnector = 'github'\nsettings = 'main'", "expected a table, found a text"),
        ("[intake]\nconnectors = '/nonexistent'", "there is no such folder; create it, or remove the line"),
        ("[[service]]\nslug = 'a'\nmatches = {}", "it names no field"),
        ("[[service]]\nslug = 'a'\nmatches = 'acme/shop'", "expected a table, found a text"),
        ("[[service]]\nslug = 'a'\nmatches = { app = 5 }", "service[1].matches.app = 5: expected a text"),
        ("[[service]]\nslug = 'a'\nmatches = { app = [] }", "the list is empty; write a pattern, or remove the field"),
        ("database = 'sqlite://a'\ndatabase_file = 'b'", "keep one of them"),
        ("database_file = '/nonexistent/url'", "the file cannot be read"),
    ] {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].contains(remedy), "{text}\n{found:#?}");
        assert!(!found[0].contains("secret@") && !found[0].contains("abc"), "{found:?}");
    }
}

#[test]
fn what_follows_from_a_syntax_error_is_not_said() {
    let found = problems("listen = \ntime_zone = 'X'\n[metrics\nlevels = 3\n");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with("vigie.toml:1:")
            && found[1].contains("time_zone")
            && found[2].starts_with("vigie.toml:3:")
    );
    assert!(!problems("= = =\n[[[\n\u{0}\n").is_empty());
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
