//! A Jira, as it is asked: Jira Cloud, and Data Center or Server.
//!
//! Both are asked by version 2 of the API, whose texts are those of the webhooks.

use serde_json::Value;
use vigie_model::Time;

use super::super::PullError;
use super::super::json_api::{Api, Got, Refusal};
use super::super::notes::Notes;
use super::cursor::{Place, Walk};
use super::history::{Statuses, time};
use super::question::fitting;

/// Items of a page at most.
const PAGE: u64 = 100;
/// Everything that the webhooks hold, but for what may be long and says nothing of an incident.
const FIELDS: &str = "*all,-comment,-worklog,-attachment,-issuelinks,-subtasks";

/// See the module's documentation.
pub(super) struct Site {
    pub api: Api,
    is_cloud: bool,
    /// What time it has there.
    pub now: Time,
    /// How many issues are asked for at once.
    limit: u64,
}

/// A page of issues.
pub(super) struct Page {
    pub issues: Vec<Value>,
    /// Where the next one is.
    pub next: Option<Place>,
    /// How many issues there are, where that is told.
    pub total: Option<u64>,
}

impl Site {
    /// Finds out what stands there, and whether it knows who asks: without that, it shows everybody nothing.
    pub(super) async fn look(api: Api, url: &str, now: Time) -> Result<Self, PullError> {
        let stranger = |why: &str| {
            PullError::Refused(format!(
                "what stands at {url} is no Jira: {why}; write the URL that stands before /browse in the address of an issue"
            ))
        };
        let about = match api.get("rest/api/2/serverInfo", &[]).await? {
            Got::Fresh(about) if about["baseUrl"].is_string() => about,
            Got::Refused(refusal) => return Err(stranger(&refusal.why)),
            Got::Fresh(_) | Got::TooLong => return Err(stranger("it does not say what it is")),
        };
        if let Got::Refused(refusal) = api.get("rest/api/2/myself", &[]).await? {
            let message = format!("Jira does not let the account in: {}; sign in as it in a browser once", refusal.why);
            return Err(PullError::Refused(message));
        }
        let is_cloud = about["deploymentType"] == "Cloud";
        let now = about["serverTime"].as_str().and_then(time).unwrap_or(now);
        Ok(Self { api, is_cloud, now, limit: PAGE })
    }

    /// The next page of a list.
    pub(super) async fn page(&mut self, walk: &mut Walk) -> Result<Page, PullError> {
        loop {
            let mut query = vec![
                ("jql", walk.jql.clone()),
                ("fields", FIELDS.to_owned()),
                ("expand", "changelog".to_owned()),
                ("maxResults", self.limit.to_string()),
            ];
            let (path, place) = match (&walk.place, self.is_cloud) {
                (Place::Token(token), true) => ("search/jql", Some(("nextPageToken", token.clone()))),
                (Place::After(_), true) => ("search/jql", None),
                (Place::After(count), false) => ("search", Some(("startAt", count.to_string()))),
                (Place::Token(_), false) => ("search", None),
            };
            query.extend(place);
            let mut body = match self.api.get(&format!("rest/api/2/{path}"), &query).await? {
                Got::Fresh(body) => body,
                Got::TooLong if self.limit > 1 => {
                    self.limit /= 2;
                    continue;
                }
                Got::TooLong => {
                    return Err(PullError::Refused(
                        "an issue with its changes is longer than is read; let the projects of the [[hook]] leave it out"
                            .to_owned(),
                    ));
                }
                // A token holds for some days.
                Got::Refused(Refusal { status: 400, .. }) if matches!(walk.place, Place::Token(_)) => {
                    (walk.place, walk.read) = (Place::After(0), 0);
                    continue;
                }
                Got::Refused(refusal) => return Err(refused(&refusal)),
            };
            let issues = match body["issues"].take() {
                Value::Array(issues) => issues,
                _ => return Err(PullError::Refused("Jira answers a search without issues".to_owned())),
            };
            let total = body["total"].as_u64();
            let next = match (&walk.place, self.is_cloud) {
                (_, true) => body["nextPageToken"].as_str().map(|token| Place::Token(token.to_owned())),
                (Place::After(before), false) => {
                    let behind = before + issues.len() as u64;
                    (!issues.is_empty() && total.is_none_or(|total| behind < total)).then_some(Place::After(behind))
                }
                (Place::Token(_), false) => None,
            };
            return Ok(Page { issues, next, total });
        }
    }

    /// All changes of an issue: a search shows the latest.
    pub(super) async fn changes(&self, issue: &Value, notes: &mut Notes) -> Result<Vec<Value>, PullError> {
        let shown = issue["changelog"]["histories"].as_array().cloned().unwrap_or_default();
        let total = issue["changelog"]["total"].as_u64().unwrap_or(0);
        if total <= shown.len() as u64 {
            return Ok(shown);
        }
        let path = format!("rest/api/2/issue/{}", issue["id"].as_str().unwrap_or_default());
        let mut all = Vec::new();
        loop {
            let got = match self.is_cloud {
                true => {
                    let query = [("startAt", all.len().to_string()), ("maxResults", PAGE.to_string())];
                    self.api.get(&format!("{path}/changelog"), &query).await?
                }
                false => {
                    let query = [("expand", "changelog".to_owned()), ("fields", "updated".to_owned())];
                    self.api.get(&path, &query).await?
                }
            };
            let mut body = match got {
                Got::Fresh(body) => body,
                Got::TooLong => Value::Null,
                Got::Refused(refusal) => {
                    let key = issue["key"].as_str().unwrap_or_default();
                    notes.add(format!("{key}: only its latest changes are known: {}", refusal.why));
                    return Ok(shown);
                }
            };
            let list = if self.is_cloud { body["values"].take() } else { body["changelog"]["histories"].take() };
            let Value::Array(list) = list else { return Ok(if all.is_empty() { shown } else { all }) };
            let is_last = !self.is_cloud || list.is_empty() || body["isLast"] == true;
            all.extend(list);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// What the statuses mean: changes name them alone.
    pub(super) async fn statuses(&self, notes: &mut Notes) -> Result<Statuses, PullError> {
        let list = self.list("status", "what statuses meant before: acknowledgements and reopenings", notes).await?;
        let all = list.unwrap_or_default().into_iter();
        Ok(all.filter_map(|status| Some((status["id"].as_str()?.to_owned(), status))).collect())
    }

    /// The numbers of the types that fit, or `None` where they may not be seen.
    pub(super) async fn types(&self, patterns: &[String], notes: &mut Notes) -> Result<Option<Vec<String>>, PullError> {
        let Some(list) = self.list("issuetype", "types of issues, so all issues are read", notes).await? else {
            return Ok(None);
        };
        let named = list.iter().filter_map(|it| Some((it["id"].as_str()?, it["name"].as_str()?)));
        let fitting = fitting(named, patterns);
        if fitting.is_empty() && !patterns.is_empty() {
            notes.add(format!("no type of issues is called {}", patterns.join(" or ")));
        }
        Ok(Some(fitting))
    }

    async fn list(&self, name: &str, what: &str, notes: &mut Notes) -> Result<Option<Vec<Value>>, PullError> {
        match self.api.get(&format!("rest/api/2/{name}"), &[]).await? {
            Got::Fresh(Value::Array(list)) => Ok(Some(list)),
            Got::Refused(refusal) => {
                notes.add(format!("no {what}: {}; give the account the right to browse projects", refusal.why));
                Ok(None)
            }
            Got::Fresh(_) | Got::TooLong => Ok(None),
        }
    }
}

fn refused(refusal: &Refusal) -> PullError {
    let remedy = match refusal.status {
        400 => "mend projects, incident_types and incident_labels in the settings of the [[hook]]",
        403 => "give the account the right to browse the projects",
        _ => "see what its documentation says of that",
    };
    PullError::Refused(format!("issues may not be seen: {}; {remedy}", refusal.why))
}
