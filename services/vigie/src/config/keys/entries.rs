//! The sections that may stand several times.

use vigie_model::settings::{MetricName, UptimeSource};

use super::{Kind, Table, key, required};

pub(in crate::config) static TEAM: Table = Table {
    title: "[[team]]",
    keys: &[
        required("slug", Kind::Text, "What events call it."),
        key("name", Kind::Text, "What people call it."),
        key("parent", Kind::Text, "The team above it."),
    ],
};

pub(in crate::config) static SERVICE: Table = Table {
    title: "[[service]]",
    keys: &[
        required("slug", Kind::Text, "What events call it."),
        key("name", Kind::Text, "What people call it."),
        key("team", Kind::Text, "The team that runs it."),
        key("repositories", Kind::TablesOr(&REPOSITORY), "Where its code lives."),
        key(
            "matches",
            Kind::Matches,
            "What deliveries of webhooks say where they mean it: patterns by the fields of connectors, all of which fit; in a list, one table of them suffices.",
        ),
        key("production", Kind::Texts, "The environments (regions) that together are its production."),
        key("type", Kind::Text, "What sort of service it is."),
        key("tier", Kind::Text, "How much depends on it."),
        key("formerly", Kind::Texts, "Slugs that it had before; their history is its own."),
        key("archived_at", Kind::Instant, "Since when it is no longer run."),
        key("deployments_from", Kind::Text, "The source whose deployments count, where several report them."),
        key("incidents_from", Kind::Text, "The source whose incidents count, where several report the same outages."),
        key("failure_signal", Kind::Flag, "Whether its failures are known; without it, by what was recorded."),
        key("uptime", Kind::TableOr("source", &UPTIME), "Where its uptime comes from."),
    ],
};

pub(in crate::config) static REPOSITORY: Table = Table {
    title: "a repository",
    keys: &[
        required("repository", Kind::Text, "Its name, like acme/shop."),
        key("paths", Kind::Paths, "The paths in it that are the service's; without it, all."),
        key("formerly", Kind::Texts, "Names that it had before."),
    ],
};

pub(in crate::config) static UPTIME: Table = Table {
    title: "uptime",
    keys: &[
        key("source", Kind::Choice(UptimeSource::NAMES), "Requests, probes or incidents."),
        key("prometheus", Kind::Text, "The query that its uptime is pulled with from Prometheus."),
    ],
};

pub(in crate::config) static TARGET: Table = Table {
    title: "[[target]]",
    keys: &[
        required("metric", Kind::Choice(MetricName::NAMES), "What is measured."),
        required("objective", Kind::Objective, "A ratio (\"99.9%\"), a duration (\"PT1H\") or a rate (\"1/day\")."),
        key("team", Kind::Text, "The team it is set for, and those below it; without a scope: the organisation."),
        key("service", Kind::Text, "The service it is set for."),
        key("action", Kind::Title, "What to do when it is missed."),
        key("from", Kind::Date, "The local day from which on it is in force."),
    ],
};

pub(in crate::config) static PULL: Table = Table {
    title: "[[pull]]",
    keys: &[
        key("git", Kind::Text, "The path of a git repository."),
        key("github", Kind::Texts, "Repositories on GitHub: acme/shop, acme/shop-* or, for all of an owner's, acme."),
        key(
            "exclude",
            Kind::Texts,
            "github, gitlab: repositories and projects that are left out, like acme/*-archive.",
        ),
        key("app_id", Kind::Whole(1, i64::MAX), "github: the number of the GitHub App that asks, in place of a token."),
        key("app_key_file", Kind::Text, "github: a file that holds the app's private key, in PEM."),
        key(
            "installation",
            Kind::Whole(1, i64::MAX),
            "github: the number of the app's installation; without it, that for the owner of the first repository.",
        ),
        key(
            "clones",
            Kind::Text,
            "github and gitlab: the folder of the clones that say which paths commits touch; without it, beside the database.",
        ),
        key(
            "gitlab",
            Kind::Texts,
            "Projects on GitLab: acme/web/shop, acme/web/shop-* or, for all of a group's and its subgroups', acme.",
        ),
        key(
            "jira",
            Kind::Text,
            "The URL of a Jira: what stands before /browse in the address of an issue. What is an incident, and of which projects, is said by the settings of the [[hook]] of the same source.",
        ),
        key(
            "pagerduty",
            Kind::Text,
            "The URL of PagerDuty's API: https://api.pagerduty.com, or https://api.eu.pagerduty.com.",
        ),
        key("services", Kind::Texts, "pagerduty: the ids of the services whose incidents are read; without it, all."),
        key("teams", Kind::Texts, "pagerduty: the ids of the teams whose incidents are read; without it, all."),
        key("prometheus", Kind::Text, "The URL of a Prometheus server."),
        key(
            "url",
            Kind::Text,
            "github: the API's URL of a server of one's own, like https://HOST/api/v3. gitlab: the URL of the host.",
        ),
        key("token_file", Kind::Text, "A file that holds the token."),
        key("every", Kind::Length, "How often it is asked, like 15m."),
        key(
            "schedule",
            Kind::Text,
            "When it is asked, in place of every: a cron expression (minute, hour, day, month, weekday) in the time zone of the organisation.",
        ),
        key("repository", Kind::Text, "git: the name of the repository in events; without it, its folder's."),
        key(
            "service",
            Kind::Text,
            "git: the service that tags or merges deploy; without it, the repository's. prometheus: the service that all answers are about; without it, their labels say.",
        ),
        key("environment", Kind::Text, "git, prometheus: where it is deployed, or runs; without it, production."),
        key("tags", Kind::Text, "git: tags that are deployments, like v*."),
        key("every_merge", Kind::Flag, "git: whether every first-parent commit of the default branch is a deployment."),
        key(
            "query",
            Kind::Text,
            "prometheus: what is 1 while a service is up and 0 while it is down, like probe_success; of several series of one service, one that is 0 is enough. Without it and without good and total: the queries of uptime.prometheus of the services.",
        ),
        key(
            "good",
            Kind::Text,
            "prometheus: the counter of requests that were answered well, like http_requests_total{code!~\"5..\"}.",
        ),
        key(
            "total",
            Kind::Text,
            "prometheus: the counter of all requests, like http_requests_total. Both are summed by label, over each step.",
        ),
        key(
            "label",
            Kind::Text,
            "prometheus: the label that names the service, where no matches of a [[service]] fit the labels; without it, service.",
        ),
        key("environment_label", Kind::Text, "prometheus: the label that names the environment."),
        key(
            "step",
            Kind::Length,
            "prometheus: how far apart the answers are; without it, as far as the samples of query are, and 5m for good and total.",
        ),
        key(
            "delay",
            Kind::Length,
            "prometheus: how long after it a sample is sure to be there; without it a step, and at most 1m.",
        ),
        key(
            "since",
            Kind::Instant,
            "prometheus: from when on it is read; without it, for 90 days before the first time. pagerduty, jira: the same; without it, from the first incident on.",
        ),
        key(
            "source",
            Kind::Text,
            "prometheus: the source of its events; without it, prometheus. Each of several pulls needs its own. github, gitlab, pagerduty, jira: the source of its events, that of the [[hook]] whose settings hold for it too; without it, what the tool is called.",
        ),
        key(
            "username",
            Kind::Text,
            "prometheus, jira: the user for basic authentication; on Jira Cloud the account's e-mail address.",
        ),
        key(
            "password_file",
            Kind::Text,
            "prometheus, jira: a file that holds the user's password; on Jira Cloud an API token.",
        ),
        key(
            "ca_file",
            Kind::Text,
            "gitlab, pagerduty, jira, prometheus: a file with certificates (PEM) that are trusted beside the public ones; of clones (gitlab) git trusts them alone.",
        ),
        key(
            "headers",
            Kind::Settings,
            "prometheus: headers that every request carries, like { X-Scope-OrgID = \"payments\" } for a tenant.",
        ),
    ],
};

pub(in crate::config) static HOOK: Table = Table {
    title: "[[hook]]",
    keys: &[
        required("connector", Kind::Text, "The connector's name."),
        key("source", Kind::Text, "The source of its events; without it, the connector's name."),
        key("secret_file", Kind::Text, "A file that holds the secret that deliveries are signed with."),
        key("secret_files", Kind::Texts, "Several such files: while one secret is replaced by another, both are good."),
        key("settings", Kind::Settings, "What the connector lets a site set; its page lists them."),
    ],
};
