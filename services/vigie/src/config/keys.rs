//! The table of the configuration: every key with its kind and meaning. Reading, the messages about unknown keys,
//! the variables, the effective settings and the JSON schema all go by it; to add a key, add it here and take it
//! up where its section is read.

use vigie_model::settings::{
    ChangeUnit, FrequencyDays, IncidentCoverage, LeadTimeStart, Ownership, People, RolloutEnd, Rule, Severity,
};

mod entries;

pub(super) use entries::{HOOK, PULL, REPOSITORY, SERVICE, TARGET, TEAM, UPTIME};

/// What a key holds.
#[derive(Clone, Copy)]
#[cfg_attr(not(test), allow(dead_code))] // the words and ranges are for the JSON schema
pub(super) enum Kind {
    /// A text that is not empty.
    Text,
    /// Any text.
    Title,
    /// Texts; a single one stands for a list of one.
    Texts,
    /// Path patterns, likewise.
    Paths,
    /// `true` or `false`.
    Flag,
    /// A whole number in this range.
    Whole(i64, i64),
    /// A number of bytes, as such or like `10 MiB`.
    Bytes,
    /// A number from 0 to 1.
    Share,
    /// An IANA time zone.
    Zone,
    /// A duration.
    Length,
    /// `month` or a duration.
    Budget,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words.
    Choices(&'static [&'static str]),
    /// Weekdays.
    Weekdays,
    /// A date.
    Date,
    /// Dates.
    Dates,
    /// An instant.
    Instant,
    /// What a target asks for.
    Objective,
    /// A table whose keys are somebody else's: a connector's settings.
    Settings,
    /// A table of name patterns by field, or a list of such tables.
    Matches,
    /// A table.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// A list of tables, where a text stands for a table with its required key only.
    TablesOr(&'static Table),
    /// A table, where a word stands for a table with this key only.
    TableOr(&'static str, &'static Table),
}

/// One key.
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub about: &'static str,
}

/// The keys of a section.
pub(super) struct Table {
    /// As it is written in messages; the root has none.
    pub title: &'static str,
    pub keys: &'static [Key],
}

impl Table {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Kind {
    /// The section behind a key.
    pub(super) fn table(self) -> Option<&'static Table> {
        match self {
            Self::Table(table) | Self::Tables(table) | Self::TablesOr(table) | Self::TableOr(_, table) => Some(table),
            _ => None,
        }
    }
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: false, about }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: true, about }
}

/// The years of surveys whose clusters are on file; a test compares them with the file.
pub(super) const LEVEL_YEARS: (i64, i64) = (2023, 2023);

/// The categories of deployments.
pub(super) const CATEGORIES: &[&str] = &["application", "configuration", "infrastructure", "data", "flag"];

pub(super) static ROOT: Table = Table {
    title: "the file",
    keys: &[
        key("organization", Kind::Title, "The organisation's name, for titles."),
        key("time_zone", Kind::Zone, "The IANA time zone in which days, weeks and months begin."),
        key(
            "database",
            Kind::Text,
            "Where the data is: sqlite://FILE (created when absent) or postgres://HOST/NAME. A password comes from the variable VIGIE_DATABASE or from database_file.",
        ),
        key("database_file", Kind::Text, "A file that holds the database's URL, for one with a password."),
        key("listen", Kind::Text, "The address and port that the server listens on."),
        key(
            "auth",
            Kind::Choice(&["token", "none"]),
            "Whether requests need a token. Without it: not on loopback, and on any other address yes.",
        ),
        key(
            "people",
            Kind::Choice(People::NAMES),
            "What is kept of the people in events: a keyed pseudonym, nothing, or the names.",
        ),
        key("metrics", Kind::Table(&METRICS), "What the numbers mean here, where it differs from the definitions."),
        key("intake", Kind::Table(&INTAKE), "What is taken in, and for how long raw deliveries are kept."),
        key("team", Kind::Tables(&TEAM), "A team, a node of the tree of teams."),
        key("service", Kind::Tables(&SERVICE), "A service: what is deployed."),
        key("target", Kind::Tables(&TARGET), "What a metric should reach, and what to do when it does not."),
        key("pull", Kind::Tables(&PULL), "A source that is asked for events on a schedule."),
        key("hook", Kind::Tables(&HOOK), "A webhook connector: its secret, and what it is told."),
    ],
};

pub(super) static METRICS: Table = Table {
    title: "[metrics]",
    keys: &[
        key("change_unit", Kind::Choice(ChangeUnit::NAMES), "What counts as one change."),
        key("lead_time_start", Kind::Choice(LeadTimeStart::NAMES), "Where a change's lead time starts."),
        key(
            "attribution_window",
            Kind::Length,
            "For how long after it a deployment can be blamed for an incident that names none.",
        ),
        key(
            "remedy_window",
            Kind::Length,
            "For how long after it a rollback, a revert or an unplanned deployment blames a deployment.",
        ),
        key("failure_rules", Kind::Choices(Rule::NAMES), "The rules of the change failure rate that count."),
        key("production", Kind::Texts, "The environment names that mean production."),
        key("categories", Kind::Choices(CATEGORIES), "The categories of deployments that the metrics count."),
        key("hotfix_branches", Kind::Texts, "Branches whose deployments are unplanned; * matches anything."),
        key(
            "bots",
            Kind::Texts,
            "Authors that are bots, whatever their case; * matches anything, brackets are literal.",
        ),
        key("count_bots", Kind::Flag, "Whether changes by bots count."),
        key(
            "ownership",
            Kind::Choice(Ownership::NAMES),
            "Whether a service's rows count for its present team, or each for the team at its time.",
        ),
        key(
            "frequency_days",
            Kind::Choice(FrequencyDays::NAMES),
            "Whether deployment frequency divides by calendar days or by working days.",
        ),
        key("working_days", Kind::Weekdays, "The working days of a week."),
        key("holidays", Kind::Dates, "Local dates on which nobody works."),
        key("count_failed_outcomes", Kind::Flag, "Whether every deployment that failed counts as a failed delivery."),
        key(
            "incident_coverage",
            Kind::Choice(IncidentCoverage::NAMES),
            "Which services the incident source covers: those that an incident ever named, or all.",
        ),
        key("min_severity", Kind::Choice(Severity::NAMES), "The least severity that time to restore counts."),
        key("outage_severities", Kind::Choices(Severity::NAMES), "The severities that are an outage for uptime."),
        key("budget_window", Kind::Budget, "The window of the error budget: month, or a duration like P28D."),
        key("at_risk_margin", Kind::Share, "How near to its objective a metric is at risk, as a share of it."),
        key("levels", Kind::Whole(LEVEL_YEARS.0, LEVEL_YEARS.1), "The year of the survey that levels are taken from."),
        key(
            "rollout_end",
            Kind::Choice(RolloutEnd::NAMES),
            "Whether a change is deployed when it reaches the first region or when every region has it.",
        ),
    ],
};

pub(super) static INTAKE: Table = Table {
    title: "[intake]",
    keys: &[
        key("max_request_bytes", Kind::Bytes, "The largest request that is accepted."),
        key("max_event_bytes", Kind::Bytes, "The largest event that is accepted."),
        key("keep_deliveries", Kind::Length, "For how long raw deliveries of webhooks are kept."),
        key("connectors", Kind::Text, "A folder with the site's own webhook connectors."),
    ],
};

/// The sections whose single-valued keys a variable or a flag can set.
pub(super) static SCALAR_SECTIONS: [&Table; 3] = [&ROOT, &METRICS, &INTAKE];

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("VIGIE_{}", key.to_uppercase())
}
