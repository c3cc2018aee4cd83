//! Looks at projects without reading them: the lists of them, and of each some few numbers.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::Value;
use vigie_model::pattern::Pattern;

use super::super::PullError;
use super::super::discover::{Discover, Discovery, Found, FoundTeam, FoundWorkflow, Named, deploys, is_production};
use super::client::{Client, Got, Refusal, part};
use super::listing::{self, meant};
use super::payload::Project;
use super::settings;

/// How many projects are looked at at once.
const AT_ONCE: usize = 4;
/// Pages of environments that are read: there may be thousands, of branches.
const ENVIRONMENT_PAGES: usize = 3;
/// Environments whose deployments are counted.
const COUNTED: usize = 5;
/// Pages of jobs that are read to find one that deploys.
const JOB_PAGES: usize = 3;
/// GitLab counts no further.
const UNCOUNTED: u64 = 10_000;

/// What of GitLab is looked at.
#[derive(Debug, Clone)]
pub struct Lookout {
    /// The host's URL, as of [`GitLab`](super::GitLab).
    pub url: String,
    /// `group/…/name`, a pattern of it, or a group for all that is in it.
    pub projects: Vec<String>,
    /// Patterns of `group/…/name` that are left out.
    pub exclude: Vec<String>,
    /// A file that holds the token.
    pub token_file: PathBuf,
    /// A file with certificates (PEM) that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// Names of environments that mean production.
    pub production: Vec<String>,
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl Discover for Lookout {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, PullError>> {
        async move {
            let client = Client::open(&settings(&self.url, &self.token_file, self.ca_file.as_deref()), self.pause)?;
            let mut told = Discovery::default();
            let projects = self.projects(&client, &mut told).await?;
            let silence = OnceLock::new();
            let asked: Vec<_> = projects.iter().map(|project| Look::at(project, self, &client, &silence)).collect();
            let looked: Vec<Look<'_>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
            for look in looked {
                told.notes.extend(look.notes.into_iter().map(|note| (look.project.path.clone(), note)));
                told.repositories.push(look.found);
            }
            told.teams = teams(&projects, &client, &mut told.notes).await;
            told.traffic = client.traffic();
            Ok(told)
        }
        .boxed()
    }
}

impl Lookout {
    /// Every project that is meant and that somebody may deploy.
    async fn projects(&self, client: &Client, told: &mut Discovery) -> Result<Vec<Project>, PullError> {
        let excluded: Vec<Pattern> = self.exclude.iter().map(|text| Pattern::name(text)).collect();
        let (mut kept, mut seen) = (Vec::new(), HashSet::new());
        let mut refused = Vec::new();
        for entry in &self.projects {
            let found = match meant(client, entry).await? {
                listing::Found::Projects(found) => found,
                listing::Found::Refused(refusal) => {
                    refused.push((entry.clone(), refusal));
                    continue;
                }
            };
            let before = kept.len();
            for project in found {
                let is_left_out = excluded.iter().any(|pattern| pattern.matches_ignore_case(&project.path));
                if is_left_out || !seen.insert(project.id) {
                    continue;
                }
                let is_named = project.path.eq_ignore_ascii_case(entry);
                let why = match () {
                    () if project.is_archived => "it is archived, and nobody deploys it any more; it is left out",
                    () if project.branch.is_none() => "it is empty; it is left out",
                    () if project.is_fork && !is_named => "it is a fork; it is left out, unless it is named itself",
                    () => {
                        kept.push(project);
                        continue;
                    }
                };
                told.notes.push((project.path, why.to_owned()));
            }
            if kept.len() == before {
                let why = "it has no project with code that the token may see, is no fork and not archived";
                told.notes.push((entry.clone(), why.to_owned()));
            }
        }
        if refused.len() == self.projects.len() {
            return Err(listing::nothing(&refused));
        }
        told.faults = refused.into_iter().map(|(entry, refusal)| (entry, refusal.why)).collect();
        Ok(kept)
    }
}

/// The groups in which projects lie, and those above them: a group is a team.
async fn teams(projects: &[Project], client: &Client, notes: &mut Vec<(String, String)>) -> Vec<FoundTeam> {
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    for project in projects.iter().filter(|project| project.group_name.is_some()) {
        let ends = project.above().match_indices('/').map(|(at, _)| at);
        ends.for_each(|end| {
            names.entry(project.above()[..end].to_owned()).or_default();
        });
        names.insert(project.above().to_owned(), project.group_name.clone());
    }
    // Those in which no project lies itself have not said their names yet.
    let unknown = names.iter().filter(|(_, name)| name.is_none()).map(|(path, _)| path.as_str());
    let unknown: BTreeSet<(String, bool)> = unknown
        .map(|path| path.split_once('/').map_or((path.to_owned(), false), |(root, _)| (root.to_owned(), true)))
        .collect();
    for (root, is_below) in unknown {
        let own = format!("groups/{}", part(&root));
        let (path, first) = match is_below {
            true => (format!("{own}/descendant_groups"), "per_page=100"),
            false => (own, "with_projects=false"),
        };
        let mut query = Some(first.to_owned());
        while let Some(next) = query.take() {
            let page = match client.get(&path, &next, None).await {
                Ok(Got::Fresh(page)) => page,
                Ok(Got::Refused(refusal)) => {
                    notes.push((root.clone(), format!("the names of its groups were not seen: {}", refusal.why)));
                    continue;
                }
                Err(error) => {
                    notes.push((root.clone(), format!("the names of its groups were not seen: {error}")));
                    continue;
                }
                Ok(Got::TooLong | Got::Unchanged) => continue,
            };
            let one = std::slice::from_ref(&page.body);
            for group in page.body.as_array().map_or(one, Vec::as_slice) {
                let own = group["full_path"].as_str().and_then(|path| names.get_mut(path));
                own.into_iter().for_each(|name| *name = group["name"].as_str().map(str::to_owned));
            }
            query = page.next;
        }
    }
    let team = |(path, name): (String, Option<String>)| {
        let (parent, last) = path.rsplit_once('/').map_or((None, path.as_str()), |(above, own)| (Some(above), own));
        let name = name.unwrap_or_else(|| last.to_owned());
        FoundTeam { name, parent: parent.map(str::to_owned), path }
    };
    names.into_iter().map(team).collect()
}

/// A project that is looked at.
struct Look<'l> {
    project: &'l Project,
    own: &'l Lookout,
    client: &'l Client,
    /// Why GitLab is asked nothing any more.
    silence: &'l OnceLock<String>,
    found: Found,
    notes: Vec<String>,
}

/// The first pages of a list.
struct Seen {
    items: Vec<Value>,
    /// How many there are in all.
    total: u64,
    is_whole: bool,
}

impl<'l> Look<'l> {
    async fn at(project: &'l Project, own: &'l Lookout, client: &'l Client, silence: &'l OnceLock<String>) -> Self {
        let mut found = Found { name: project.path.clone(), ..Found::default() };
        if project.group_name.is_some() {
            found.teams.push((project.above().to_owned(), String::new()));
        }
        let mut look = Self { project, own, client, silence, found, notes: Vec::new() };
        look.deployments().await;
        if look.found.into_production.is_none_or(|count| count == 0) {
            look.jobs().await;
            look.found.releases =
                look.named("releases", "releases", "tag_name", |item| item["upcoming_release"] != true).await;
            look.found.tags = look.named("tags", "repository/tags", "name", |_| true).await;
        }
        look
    }

    /// Some pages of a list, as many as `more` wants; `None` where it may not be seen, which is noted.
    async fn seen(&mut self, what: &str, path: &str, first: &str, more: impl Fn(&Seen, usize) -> bool) -> Option<Seen> {
        let mut seen = Seen { items: Vec::new(), total: 0, is_whole: true };
        let part = path.split('/').next().unwrap_or(path);
        let is_off = |part: &str| self.project.off.contains(&part);
        if is_off(if part == "environments" { "deployments" } else { part }) {
            return Some(seen);
        }
        let path = format!("projects/{}/{path}", self.project.id);
        let (mut query, mut pages) = (Some(first.to_owned()), 0);
        while let Some(next) = query.take() {
            let got = match self.silence.get() {
                Some(why) => Err(why.clone()),
                // A host that is down, or wants to be left alone, is so for every project.
                None => self
                    .client
                    .get(&path, &next, None)
                    .await
                    .map_err(|error| self.silence.get_or_init(|| error.to_string()).clone()),
            };
            let why = match got {
                Ok(Got::Fresh(page)) => {
                    seen.items.extend(page.items().iter().cloned());
                    let least = seen.items.len() as u64;
                    // Where there is more than a page and no number, there are more than are counted.
                    let uncounted = if page.next.is_some() { least.max(UNCOUNTED) } else { least };
                    seen.total = page.total.unwrap_or(uncounted);
                    seen.is_whole = page.next.is_none();
                    pages += 1;
                    query = page.next.filter(|_| more(&seen, pages));
                    continue;
                }
                Ok(Got::Refused(refusal)) if refusal.status == Some(403) && !refusal.why.contains("scope") => {
                    format!("{}; the token needs the scope read_api and the role Reporter in the project", refusal.why)
                }
                Ok(Got::Refused(refusal)) => refusal.why,
                Ok(Got::TooLong) => Refusal::too_long().why,
                Ok(Got::Unchanged) => "nothing was answered".to_owned(),
                Err(why) => why,
            };
            self.notes.push(format!("its {what} were not seen: {why}"));
            return None;
        }
        Some(seen)
    }

    /// How many items a list has.
    async fn count(&mut self, what: &str, path: &str, query: &str) -> Option<u64> {
        self.seen(what, path, query, |_, _| false).await.map(|seen| seen.total)
    }

    /// The environments, and how many deployments there are.
    async fn deployments(&mut self) {
        let first = "states=available&per_page=100";
        let environments = self.seen("environments", "environments", first, |_, pages| pages < ENVIRONMENT_PAGES).await;
        if environments.as_ref().is_some_and(|seen| !seen.is_whole) {
            self.notes
                .push(format!("it has more than {} environments: only those were looked at", ENVIRONMENT_PAGES * 100));
        }
        // Names of production, as GitLab has them.
        let mut production = Vec::new();
        for environment in environments.iter().flat_map(|seen| &seen.items) {
            let Some(name) = environment["name"].as_str() else { continue };
            self.found.environments.push(name.to_owned());
            let is_known = is_production(name, &self.own.production);
            let is_marked = match environment["tier"].as_str() {
                Some(tier) => tier == "production",
                None => is_known,
            };
            if is_marked {
                production.push(name.to_owned());
                // Under a name that says nothing its deployments arrive as those of production.
                let own = if is_known { name } else { "production" };
                if !self.found.production.iter().any(|known| known == own) {
                    self.found.production.push(own.to_owned());
                }
            }
        }
        self.found.deployments = self.count("deployments", "deployments", "per_page=1").await;
        match self.found.deployments {
            None => return,
            Some(UNCOUNTED) => {
                self.notes.push("it has more than 10,000 deployments, and GitLab counts no further".to_owned());
            }
            Some(_) => {}
        }
        if environments.is_none() {
            return;
        }
        let mut into = 0;
        if self.found.deployments != Some(0) {
            for name in production.iter().take(COUNTED) {
                let query = format!("environment={}&per_page=1", part(name));
                let Some(count) = self.count("deployments into production", "deployments", &query).await else {
                    return;
                };
                into += count;
            }
        }
        self.found.into_production = Some(into);
    }

    /// The jobs of late that did something, by their names.
    async fn jobs(&mut self) {
        let first = "scope[]=success&scope[]=failed&pagination=keyset&order_by=id&sort=desc&per_page=100";
        let is_deploying = |name: &str| deploys(name, "") > 0;
        let name = |job: &Value| job["name"].as_str().map(str::to_owned);
        let has_none = |seen: &Seen| !seen.items.iter().filter_map(name).any(|name| is_deploying(&name));
        let Some(seen) = self.seen("jobs", "jobs", first, |seen, pages| pages < JOB_PAGES && has_none(seen)).await
        else {
            return;
        };
        let mut runs: BTreeMap<String, u64> = BTreeMap::new();
        seen.items.iter().filter_map(name).for_each(|name| *runs.entry(name).or_default() += 1);
        let job = |(name, runs): (String, u64)| {
            let is_deploying = is_deploying(&name);
            FoundWorkflow { file: name.clone(), name, runs, is_deploying }
        };
        let mut all: Vec<FoundWorkflow> = runs.into_iter().map(job).collect();
        all.sort_by_key(|own| (std::cmp::Reverse((deploys(&own.name, ""), own.runs)), own.file.clone()));
        self.found.workflows = Some(all);
    }

    /// The newest items of a list by their names.
    async fn named(&mut self, what: &str, path: &str, key: &str, is_wanted: impl Fn(&Value) -> bool) -> Option<Named> {
        let seen = self.seen(what, path, "per_page=20", |_, _| false).await?;
        let mut known = BTreeSet::new();
        let names = seen.items.iter().filter(|item| is_wanted(item)).filter_map(|item| item[key].as_str());
        let names = names.filter(|name| known.insert(*name)).map(str::to_owned).collect();
        Some(Named { count: seen.total, names })
    }
}
