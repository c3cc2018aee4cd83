//! What a host of code knows that a catalogue can be made of: repositories, who runs them, and where their deployments show.
//!
//! A host is a module that has a [`Discover`]; what its pull and its hook are told then is up to whoever proposes it.

use futures::future::BoxFuture;

use super::{PullError, Traffic};

/// Something that looks at repositories.
pub trait Discover: Send + Sync {
    /// Looks at them. Nothing is recorded.
    ///
    /// # Errors
    /// See [`PullError`].
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, PullError>>;
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The repositories, in the order in which they were asked for, then as their host lists them.
    pub repositories: Vec<Found>,
    /// The teams of their owners.
    pub teams: Vec<FoundTeam>,
    /// What is worth knowing, or may not be seen: a place and a sentence.
    pub notes: Vec<(String, String)>,
    /// What was asked for and is not there: a place and a sentence.
    pub faults: Vec<(String, String)>,
    /// What was asked.
    pub traffic: Traffic,
}

/// A repository. What may not be seen is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// `owner/name`, or `group/…/name`.
    pub name: String,
    /// The paths of the teams that may change it, with what they may: those with the most rights first, and of those the
    /// ones with the fewest repositories.
    pub teams: Vec<(String, String)>,
    /// The names of its environments.
    pub environments: Vec<String>,
    /// Those of them that are production, by their names.
    pub production: Vec<String>,
    /// Deployments that the host itself keeps.
    pub deployments: Option<u64>,
    /// Those of them that went into production.
    pub into_production: Option<u64>,
    /// Workflows, or jobs, that may be what deploys it, the likeliest first. Not looked at where there are deployments into
    /// production.
    pub workflows: Option<Vec<FoundWorkflow>>,
    /// Releases. A host that is asked for them one repository at a time is not where there are such deployments.
    pub releases: Option<Named>,
    /// Tags, likewise.
    pub tags: Option<Named>,
}

/// A workflow of a repository, or a job of its pipelines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundWorkflow {
    /// What it is called.
    pub name: String,
    /// What a hook's setting calls it: the name of its file, or of the job.
    pub file: String,
    /// How often it ran, of a job lately.
    pub runs: u64,
    /// Its names say that it deploys.
    pub is_deploying: bool,
}

/// How many there are, and some of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many there are.
    pub count: u64,
    /// The newest.
    pub names: Vec<String>,
}

impl Named {
    /// A pattern that fits the names: `v*` where each is a version after a `v`.
    #[must_use]
    pub fn pattern(&self) -> &'static str {
        let is_version =
            |name: &String| name.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !self.names.is_empty() && self.names.iter().all(is_version) { "v*" } else { "*" }
    }
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundTeam {
    /// What its host calls it, with whom it belongs to: `owner/slug`, or the path of a group.
    pub path: String,
    /// What people call it.
    pub name: String,
    /// The path of the team above it.
    pub parent: Option<String>,
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase().replace("pre-prod", "preprod").replace("non-prod", "nonprod");
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Words for what is not production, whatever else a name says.
const ELSEWHERE: [&str; 16] = [
    "staging",
    "stage",
    "stg",
    "preprod",
    "preproduction",
    "nonprod",
    "nonproduction",
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "preview",
    "sandbox",
];

/// Words for production.
const PRODUCTION: [&str; 4] = ["production", "prod", "prd", "live"];

/// Whether an environment's name says that it is production. `known`: names that mean it in any case.
#[must_use]
pub fn is_production(name: &str, known: &[String]) -> bool {
    if known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return true;
    }
    let words = words(name);
    words.iter().any(|word| PRODUCTION.contains(&word.as_str())) && !is_elsewhere(name)
}

/// Whether an environment's name says that it is not production.
#[must_use]
pub fn is_elsewhere(name: &str) -> bool {
    words(name).iter().any(|word| ELSEWHERE.contains(&word.as_str()))
}

/// How likely it is that a workflow deploys, by its names; 0: nothing says so.
#[must_use]
pub(super) fn deploys(name: &str, file: &str) -> u8 {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let words: Vec<String> = words(name).into_iter().chain(words(stem)).collect();
    let begins = |all: &[&str]| words.iter().any(|word| all.iter().any(|begin| word.starts_with(begin)));
    let has = |all: &[&str]| words.iter().any(|word| all.contains(&word.as_str()));
    if has(&ELSEWHERE) || has(&["draft", "drafter", "notes", "lint", "docs", "pages"]) {
        return 0;
    }
    let mut rank = 0;
    if begins(&["deploy", "rollout", "promote"]) || has(&["delivery", "ship"]) {
        rank = 4;
    } else if begins(&["release", "publish"]) || has(&["cd"]) {
        rank = 2;
    }
    rank + u8::from(has(&PRODUCTION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_known_by_its_name() {
        let known = ["production".to_owned(), "shop.example.com".to_owned()];
        for name in ["production", "Production", "prod-eu", "live", "Production – shop", "shop.example.com"] {
            assert!(is_production(name, &known), "{name}");
        }
        for name in ["staging", "pre-prod", "non-production-eu", "prod-preview", "github-pages", "reproduction", ""] {
            assert!(!is_production(name, &known), "{name}");
        }
    }

    #[test]
    fn workflows_that_deploy_say_so() {
        assert!(deploys("Deploy to production", "cd.yml") > deploys("Deploy", "deploy.yml"));
        assert!(deploys("Deploy", "deploy.yml") > deploys("Release", "release.yml"));
        assert!(deploys("CI", "release.yaml") > 0 && deploys("publish-image", "x.yml") > 0);
        for (name, file) in
            [("CI", "ci.yml"), ("Deploy to staging", "deploy.yml"), ("Release Drafter", "release-drafter.yml")]
        {
            assert_eq!(deploys(name, file), 0, "{name}");
        }
    }

    #[test]
    fn a_pattern_fits_every_name() {
        let of =
            |names: &[&str]| Named { count: 9, names: names.iter().map(|name| (*name).to_owned()).collect() }.pattern();
        assert_eq!((of(&["v1.0", "v2"]), of(&["v1.0", "vendored"]), of(&["1.0"]), of(&[])), ("v*", "*", "*", "*"));
    }
}
