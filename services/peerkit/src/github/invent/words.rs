//! Names and titles.

use crate::github::organisation::Chance;

/// Login and name.
pub(super) const BOTS: [(&str, &str); 4] = [
    ("dependabot", "dependabot[bot]"),
    ("github-actions", "github-actions[bot]"),
    ("harbour-deploy", "harbour-deploy[bot]"),
    ("review-helper", "review-helper[bot]"),
];

const FIRST: [&str; 20] = [
    "Ada", "Bram", "Chidi", "Daria", "Émile", "Fatou", "Goran", "Hana", "Imre", "Jun", "Karima", "Lars", "Mei", "Nils",
    "Oona", "Priya", "Quentin", "Rosa", "Sven", "Tove",
];
const LAST: [&str; 11] =
    ["Okafor", "Lind", "Moreau", "Novak", "Tanaka", "Silva", "Haas", "Iyer", "Berg", "Costa", "Weiss"];
const REPOSITORIES: [&str; 16] = [
    "checkout",
    "payments",
    "search",
    "storefront",
    "inventory",
    "mailer",
    "accounts",
    "gateway",
    "ledger",
    "reports",
    "shipping",
    "pricing",
    "catalogue",
    "sessions",
    "exports",
    "webhooks",
];
const VERBS: [&str; 8] = ["Add", "Fix", "Speed up", "Remove", "Simplify", "Log", "Validate", "Cache"];
const THINGS: [&str; 12] = [
    "the retry of failed payments",
    "the address form",
    "stale sessions",
    "the stock lookup",
    "currency rounding",
    "an index for orders",
    "the audit trail",
    "timeouts of the upstream",
    "the empty basket",
    "nightly exports",
    "translations (日本語, français)",
    "the rate of background jobs",
];
const PACKAGES: [&str; 6] = ["serde", "tokio", "hyper", "regex", "chrono", "uuid"];
const OUTAGES: [&str; 5] = [
    "Checkout answers with 500",
    "Searches time out",
    "Payments are refused in Norway",
    "Emails arrive hours late",
    "The shop is down",
];

pub(super) fn person(index: usize) -> (&'static str, &'static str) {
    (FIRST[index % FIRST.len()], LAST[(index + index / FIRST.len()) % LAST.len()])
}

pub(super) fn repository(index: usize) -> String {
    let name = REPOSITORIES[index % REPOSITORIES.len()];
    match index / REPOSITORIES.len() {
        0 => name.to_owned(),
        again => format!("{name}-{}", again + 1),
    }
}

pub(super) fn title(chance: &mut Chance) -> String {
    format!("{} {}", chance.of(&VERBS), chance.of(&THINGS))
}

pub(super) fn body(chance: &mut Chance) -> String {
    let thing = chance.of(&THINGS);
    match chance.below(3) {
        0 => format!("Closes #{}.\r\n\r\nSee the notes on {thing}.", 1 + chance.below(40)),
        1 => format!("## Why\n\nCustomers asked for it.\n\n## How\n\nChanges {thing}.\n\n- [x] tests\n- [ ] docs"),
        _ => String::new(),
    }
}

pub(super) fn update(chance: &mut Chance) -> (&'static str, String, String) {
    let (minor, patch) = (chance.below(20), chance.below(9));
    (chance.of(&PACKAGES), format!("1.{minor}.{patch}"), format!("1.{minor}.{}", patch + 1))
}

pub(super) fn outage(chance: &mut Chance) -> &'static str {
    chance.of(&OUTAGES)
}

pub(super) fn slug(title: &str) -> String {
    let words: Vec<_> =
        title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}
