//! What is wrong with a file is said at once, with its place and what to write.

use super::problems;

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
