//! Who there is: groups, teams, services and their habits.

use super::pace::{Level, Releases};

/// The name, which says on every page that nothing of it is real.
pub(super) const NAME: &str = "Fernhill Outfitters (made-up data)";

/// Whose calendar the months are cut by.
pub(super) const TIME_ZONE: &str = "Europe/Paris";

/// `(slug, name, parent)`
pub(super) const TEAMS: &[(&str, &str, Option<&str>)] = &[
    ("shop", "Shop", None),
    ("platform", "Platform", None),
    ("back-office", "Back office", None),
    ("payments", "Payments", Some("shop")),
    ("storefront", "Storefront", Some("shop")),
    ("mobile", "Mobile", Some("shop")),
    ("identity", "Identity", Some("platform")),
    ("data", "Data", Some("platform")),
    ("billing", "Billing", Some("back-office")),
    ("logistics", "Logistics", Some("back-office")),
];

/// The team whose fourth month before the last is a bad one.
pub(super) const BAD_MONTH_OF: &str = "identity";
/// The team that begins slow and fragile, and gets better month by month.
pub(super) const RECOVERING: &str = "data";
/// The repository that several services share, each with its folders.
pub(super) const MONOREPO: &str = "fernhill/storefront";
/// The folder that `web` and `cart` both ship.
pub(super) const SHARED_FOLDER: &str = "libs/ui";

/// How pull requests reach the main branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Small commits straight to the main branch.
    Trunk,
    /// A pull request becomes one commit.
    Squash,
    /// A pull request becomes a merge commit over its own.
    Merge,
}

/// Where a service's uptime can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// By its incidents alone.
    Incidents,
    /// By probes: intervals of up and down.
    Probes,
    /// By a monitor that tells when it goes down and when it is up again.
    Monitor,
    /// By counted requests, every hour.
    Requests,
}

/// One service.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub slug: String,
    pub name: String,
    pub team: &'static str,
    pub repository: String,
    pub level: Level,
    pub releases: Releases,
    pub style: Style,
    pub watched: Watched,
    /// Its folder, where it shares a repository.
    pub folder: Option<String>,
    /// The environments that together are its production; none: `production`.
    pub regions: &'static [&'static str],
    pub canary: bool,
    pub staging: bool,
    /// Flag flips and configuration changes a working day.
    pub switches: f64,
}

use Level::{Elite, High, Low, Medium};
use Releases::{EveryDays, OnMerge};
use Style::{Merge, Squash, Trunk};
use Watched::{Incidents, Monitor, Probes, Requests};

type Row = (&'static str, &'static str, &'static str, Level, Releases, Style, Watched);

/// `(slug, name, team, level, releases, style, watched)`; a smaller demo takes the first ones.
const ROSTER: &[Row] = &[
    ("checkout", "Checkout", "payments", Elite, OnMerge, Squash, Probes),
    ("payments-api", "Payments API", "payments", Elite, OnMerge, Trunk, Requests),
    ("web", "Web shop", "storefront", Elite, OnMerge, Squash, Probes),
    ("login", "Log-in", "identity", High, OnMerge, Merge, Probes),
    ("invoicing", "Invoicing", "billing", Low, EveryDays(20), Merge, Incidents),
    ("pipelines", "Data pipelines", "data", Medium, EveryDays(8), Squash, Incidents),
    ("cart", "Cart", "storefront", High, OnMerge, Squash, Incidents),
    ("mobile-app", "Mobile app", "mobile", Medium, EveryDays(10), Merge, Incidents),
    ("tracking", "Parcel tracking", "logistics", High, EveryDays(1), Squash, Monitor),
    ("ledger", "General ledger", "billing", Low, EveryDays(63), Merge, Probes),
    ("search", "Search", "storefront", High, OnMerge, Squash, Probes),
    ("fraud-check", "Fraud check", "payments", High, EveryDays(1), Squash, Incidents),
    ("accounts", "Accounts", "identity", High, EveryDays(1), Squash, Incidents),
    ("warehouse", "Data warehouse", "data", Medium, EveryDays(8), Merge, Incidents),
    ("mobile-gateway", "Mobile gateway", "mobile", High, OnMerge, Merge, Probes),
    ("tax-rules", "Tax rules", "billing", Low, EveryDays(42), Squash, Incidents),
    ("recommendations", "Recommendations", "storefront", Medium, EveryDays(5), Squash, Incidents),
    ("notifications", "Notifications", "identity", High, EveryDays(2), Squash, Incidents),
    ("reporting", "Reporting", "data", Medium, EveryDays(8), Squash, Incidents),
    ("stock", "Stock", "logistics", Medium, EveryDays(5), Merge, Incidents),
    ("refunds", "Refunds", "payments", Elite, OnMerge, Trunk, Incidents),
    ("push", "Push messages", "mobile", High, EveryDays(2), Squash, Incidents),
    ("customs", "Customs papers", "logistics", Low, EveryDays(20), Merge, Incidents),
    ("carriers", "Carrier links", "logistics", Medium, EveryDays(5), Squash, Incidents),
];

/// The first `count` services; beyond the roster it begins again, as if the organisation had several of each.
pub(super) fn services(count: usize) -> Vec<Profile> {
    (0..count).map(|index| profile(&ROSTER[index % ROSTER.len()], index / ROSTER.len())).collect()
}

fn profile(&(slug, name, team, level, releases, style, watched): &Row, round: usize) -> Profile {
    let (slug, name) = match round {
        0 => (slug.to_owned(), name.to_owned()),
        round => (format!("{slug}-{}", round + 1), format!("{name} {}", round + 1)),
    };
    let folder = (round == 0 && team == "storefront").then(|| slug.clone());
    let repository = if folder.is_some() { MONOREPO.to_owned() } else { format!("fernhill/{slug}") };
    Profile {
        repository,
        team,
        level,
        releases,
        style,
        watched,
        folder,
        regions: if slug == "payments-api" { &["prod-eu", "prod-us"] } else { &[] },
        canary: matches!(slug.as_str(), "checkout" | "login" | "search"),
        staging: level != Elite && round == 0,
        switches: if slug == "web" || slug == "checkout" { 0.4 } else { 0.05 },
        slug,
        name,
    }
}
