//! The lists that only the REST API has as its deliveries have them: deployments, runs of workflows, releases.

use std::collections::HashMap;

use serde_json::{Value, json};
use vigie_model::pattern::Pattern;
use vigie_model::{DAY, Event, Time, parse_time};

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page};
use super::super::cursor::Feed;
use super::super::payload::nodes;
use super::{Reader, STALE_DAYS, STATUSES, Step, sized};

/// More of a workflow's runs than these GitHub does not list: the rest is asked for by its date.
const LISTED_RUNS: u64 = 1_000;

/// What is missing where the runs that made deployments are not seen.
const WORKFLOWS: &str = "workflows of some deployments";

/// A page of a list.
enum Listed {
    Items(Vec<Value>, Option<String>, Option<String>),
    /// Nothing is new.
    Unchanged,
    Refused(String),
}

impl Reader {
    /// The page of a list where its reading stands, else its first one.
    async fn list(
        &self,
        client: &mut Client,
        feed: &Feed,
        first: &str,
        items: Option<&str>,
    ) -> Result<Listed, PullError> {
        let is_in_pieces = self.pieces > 0;
        let etag = feed.etag.as_deref().filter(|_| feed.walk.is_none() && !is_in_pieces);
        let path = feed.walk.as_ref().map_or(first, |walk| &walk.next);
        Ok(match client.get(&sized(path, is_in_pieces), etag).await? {
            Got::Unchanged => Listed::Unchanged,
            Got::Refused(why) => Listed::Refused(why),
            Got::Fresh(Page { mut body, etag, next }) => {
                let list = match items {
                    Some(name) => body[name].take(),
                    None => body,
                };
                let Value::Array(list) = list else { return Ok(Listed::Refused("it is no list".to_owned())) };
                // That of a piece says nothing of the rest.
                Listed::Items(list, etag.filter(|_| !is_in_pieces), next)
            }
        })
    }

    pub(super) async fn deployments(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let feed = &self.place.deployments;
        let mut events = Vec::new();
        let has_more = match self.list(client, feed, &self.path("deployments?per_page=100"), None).await? {
            Listed::Unchanged => false,
            Listed::Refused(why) => {
                notes.add(self.lacks("deployments", &why));
                false
            }
            Listed::Items(list, etag, next) => {
                let wanted: Vec<&Value> = list.iter().filter(|item| feed.wants(created(item))).collect();
                let ids: Vec<&Value> = wanted.iter().map(|item| &item["node_id"]).collect();
                let mut statuses = Value::Null;
                if !ids.is_empty() {
                    let told = client.ask(STATUSES, &json!({"ids": ids, "workflows": self.wanted.workflows})).await?;
                    for why in &told.missing {
                        notes.add(match why.contains("checkSuites") {
                            true => {
                                self.lacks(WORKFLOWS, &format!("{why}; the token needs the permission checks=read"))
                            }
                            false => self.lacks("statuses of some deployments", why),
                        });
                    }
                    statuses = told.data["nodes"].clone();
                }
                let statuses = statuses.as_array().map(Vec::as_slice).unwrap_or_default();
                let (mut runs, mut forbidden) = (runs_of(statuses), None);
                let (mut deliveries, mut open) = (Vec::new(), None);
                for item in wanted {
                    let found = statuses.iter().find(|node| node["id"] == item["node_id"]);
                    let own: Vec<Value> =
                        found.map(|node| nodes(&node["statuses"]).cloned().collect()).unwrap_or_default();
                    // What could not be seen is asked for again.
                    if found.is_none() || (!is_over(&own) && !is_stale(created(item), mapping.now)) {
                        open = Some(created(item));
                    }
                    let number = own.iter().find_map(|status| self.run_in(status["logUrl"].as_str()?));
                    if let Some(number) = number.filter(|_| self.wanted.workflows)
                        && !runs.contains_key(&number)
                    {
                        // What may not be seen of one run may not be of the others.
                        let run = match &forbidden {
                            Some(why) => Err(String::clone(why)),
                            None => self.run_of(client, number).await?,
                        };
                        forbidden = run.as_ref().err().filter(|why| is_forbidden(why)).cloned();
                        runs.insert(number, run);
                    }
                    let run = number.and_then(|number| runs.get(&number));
                    if let Some(Err(why)) = run
                        && !is_stale(created(item), mapping.now)
                    {
                        // Recorded of the service that would be guessed, it would stay there.
                        notes.add(self.lacks(WORKFLOWS, &format!("{why}; they are asked for again in the next run")));
                        open = Some(created(item));
                        if !is_forbidden(why) {
                            continue;
                        }
                    }
                    let run = run.and_then(|run| run.as_ref().ok());
                    deliveries.extend(self.repository.deployment(item, &own, run));
                }
                events = mapping.events(&deliveries, notes).await?;
                let stands: Vec<&str> = list.iter().map(created).collect();
                self.place.deployments.turn(&stands, open, etag, next)
            }
        };
        if !has_more {
            self.step = match self.wanted.deploy_workflows.is_empty() {
                true => Step::Releases,
                false => Step::Workflows,
            };
        }
        Ok(Some(events))
    }

    /// The number of this repository's run of a workflow that a log's URL names: a job's log is a part of its run's.
    fn run_in(&self, log: &str) -> Option<u64> {
        let path = log.split_once("://")?.1.split_once('/')?.1;
        let (name, rest) = path.split_at_checked(self.repository.name.len())?;
        let rest = rest.strip_prefix("/actions/runs/").filter(|_| name.eq_ignore_ascii_case(&self.repository.name))?;
        rest.split(['/', '?', '#']).next()?.parse().ok()
    }

    /// A run that is none of those that its commit tells, as GraphQL would tell it; else why it is not seen.
    async fn run_of(&self, client: &mut Client, number: u64) -> Result<Result<Value, String>, PullError> {
        let got = match client.get(&self.path(&format!("actions/runs/{number}")), None).await {
            Ok(got) => got,
            Err(error) => return client.unanswered().map(Err).ok_or(error),
        };
        Ok(match got {
            Got::Fresh(Page { body, .. }) => Ok(json!({
                "databaseId": body["id"], "event": body["event"], "url": body["html_url"], "workflow": {"name": body["name"]},
            })),
            Got::Refused(why) => Err(why),
            Got::Unchanged => Err("GitHub answers nothing".to_owned()),
        })
    }

    /// Which workflows' runs are deployments.
    pub(super) async fn workflows(
        &mut self,
        client: &mut Client,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let patterns: Vec<Pattern> = self.wanted.deploy_workflows.iter().map(|text| Pattern::name(text)).collect();
        let mut path = Some(self.path("actions/workflows?per_page=100"));
        while let Some(next) = path {
            match client.get(&next, None).await? {
                Got::Fresh(Page { body, next, .. }) => {
                    let all = body["workflows"].as_array().into_iter().flatten();
                    self.workflows.extend(all.filter(|workflow| is_named(workflow, &patterns)).cloned());
                    path = next;
                }
                Got::Unchanged => break,
                Got::Refused(why) => {
                    notes.add(self.lacks("runs of workflows", &why));
                    break;
                }
            }
        }
        self.step = Step::Runs;
        Ok(None)
    }

    pub(super) async fn runs(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let Some(workflow) = self.workflows.last().cloned() else {
            self.step = Step::Releases;
            return Ok(None);
        };
        let number = workflow["id"].as_u64().unwrap_or_default();
        let feed = self.place.runs.entry(number).or_default().clone();
        let all = self.path(&format!("actions/workflows/{number}/runs?per_page=100&exclude_pull_requests=true"));
        let mut events = Vec::new();
        let has_more = match self.list(client, &feed, &all, Some("workflow_runs")).await? {
            Listed::Unchanged => false,
            Listed::Refused(why) => {
                notes.add(self.lacks("runs of workflows", &why));
                false
            }
            Listed::Items(list, etag, next) => {
                let wanted: Vec<&Value> = list.iter().filter(|item| feed.wants(created(item))).collect();
                let deliveries: Vec<_> = wanted.iter().map(|run| self.repository.run(run, &workflow)).collect();
                events = mapping.events(&deliveries, notes).await?;
                let is_open = |run: &&&Value| run["conclusion"].is_null() && !is_stale(created(run), mapping.now);
                let open = wanted.iter().rfind(is_open).map(|run| created(run));
                let stands: Vec<&str> = list.iter().map(created).collect();
                let next = next.or_else(|| cut_off(&feed, &all, &list, self.pieces > 0));
                self.place.runs.entry(number).or_default().turn(&stands, open, etag, next)
            }
        };
        if !has_more {
            self.workflows.pop();
        }
        Ok(Some(events))
    }

    pub(super) async fn releases(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        if self.wanted.deploy_releases.is_empty() {
            self.step = Step::Done;
            return Ok(None);
        }
        let feed = &self.place.releases;
        let mut events = Vec::new();
        let has_more = match self.list(client, feed, &self.path("releases?per_page=100"), None).await? {
            Listed::Unchanged => false,
            Listed::Refused(why) => {
                notes.add(self.lacks("releases", &why));
                false
            }
            Listed::Items(list, etag, next) => {
                let wanted = list.iter().filter(|item| feed.wants(created(item)));
                let deliveries: Vec<_> = wanted.map(|release| self.repository.release(release)).collect();
                events = mapping.events(&deliveries, notes).await?;
                // A draft, or a pre-release, is to become one.
                let is_open = |item: &&Value| item["draft"] == true || item["prerelease"] == true;
                let open = list.iter().rfind(is_open).map(created);
                let stands: Vec<&str> = list.iter().map(created).collect();
                self.place.releases.turn(&stands, open, etag, next)
            }
        };
        if !has_more {
            self.step = Step::Done;
        }
        Ok(Some(events))
    }
}

fn created(item: &Value) -> &str {
    item["created_at"].as_str().unwrap_or_default()
}

/// Whether nothing more is to be expected of a deployment.
fn is_over(statuses: &[Value]) -> bool {
    statuses.iter().any(|status| matches!(status["state"].as_str(), Some("SUCCESS" | "FAILURE" | "ERROR" | "INACTIVE")))
}

/// The runs of workflows that the commits of deployments tell, by their numbers.
fn runs_of(deployments: &[Value]) -> HashMap<u64, Result<Value, String>> {
    let suites = deployments.iter().flat_map(|deployment| nodes(&deployment["commit"]["checkSuites"]));
    let runs = suites.map(|suite| &suite["workflowRun"]);
    runs.filter_map(|run| Some((run["databaseId"].as_u64()?, Ok(run.clone())))).collect()
}

/// Whether a refusal is one for want of a permission.
fn is_forbidden(why: &str) -> bool {
    why.contains(" 403")
}

/// Whether something began so long ago that its end is not waited for.
fn is_stale(created_at: &str, now: Time) -> bool {
    parse_time(created_at).is_ok_and(|at| at < now - STALE_DAYS * DAY)
}

/// Whether a workflow's name or its file's is one of these.
fn is_named(workflow: &Value, patterns: &[Pattern]) -> bool {
    let file = workflow["path"].as_str().and_then(|path| path.rsplit('/').next());
    let names = [workflow["name"].as_str(), file];
    names.into_iter().flatten().any(|name| patterns.iter().any(|pattern| pattern.matches_ignore_case(name)))
}

/// Where a list of runs goes on that GitHub cut off: with those that are as old as its last one, or older.
fn cut_off(feed: &Feed, all: &str, list: &[Value], is_in_pieces: bool) -> Option<String> {
    let last = list.last().map(created)?;
    let walk = feed.walk.as_ref()?;
    let path = sized(&walk.next, is_in_pieces);
    let number = |name: &str| path.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok());
    let (size, page) = (number("per_page=")?, number("page=")?);
    let is_full = list.len() as u64 == size && page * size >= LISTED_RUNS;
    // Of more than a thousand runs of one second the rest cannot be had.
    (is_full && !walk.next.contains(last)).then(|| format!("{all}&created=*..{last}"))
}
