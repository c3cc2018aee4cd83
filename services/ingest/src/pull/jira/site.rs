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
/// Of the changes of an issue a search on Cloud shows about so many, and does not always say that there are more.
const SHOWN: usize = 40;
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
    /// Whether a list was begun anew, as its place was not known any more.
    began_anew: bool,
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
    pub(super) async fn look(api: Api, now: Time) -> Result<Self, PullError> {
        let about = match api.get("rest/api/2/serverInfo", &[]).await? {
            Got::Fresh(about) if about["baseUrl"].is_string() => about,
            Got::Refused(refusal) => return Err(api.stranger(&refusal.why)),
            Got::Fresh(_) | Got::TooLong => return Err(api.stranger("it does not say what it is")),
        };
        if let Got::Refused(refusal) = api.get("rest/api/2/myself", &[]).await? {
            let message = format!("Jira does not let the account in: {}; sign in as it in a browser once", refusal.why);
            return Err(PullError::Refused(message));
        }
        let is_cloud = about["deploymentType"] == "Cloud";
        let now = about["serverTime"].as_str().and_then(time).unwrap_or(now);
        Ok(Self { api, is_cloud, now, limit: PAGE, began_anew: false })
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
                Got::Refused(Refusal { status: 400, .. })
                    if matches!(walk.place, Place::Token(_)) && !self.began_anew =>
                {
                    (walk.place, walk.read, self.began_anew) = (Place::After(0), 0, true);
                    continue;
                }
                Got::Refused(refusal) => return Err(refused(&refusal)),
            };
            let Some(Value::Array(issues)) = body.get_mut("issues").map(Value::take) else {
                return Err(self.api.stranger("it answers a search without issues"));
            };
            let total = body["total"].as_u64();
            if walk.goes_back(total) {
                continue;
            }
            let next = match (&walk.place, self.is_cloud) {
                (_, true) => {
                    let token = body["nextPageToken"].as_str().filter(|_| body["isLast"] != true);
                    token.map(|token| Place::Token(token.to_owned()))
                }
                (Place::After(before), false) => {
                    let behind = before + issues.len() as u64;
                    (!issues.is_empty() && total.is_none_or(|total| behind < total)).then_some(Place::After(behind))
                }
                (Place::Token(_), false) => None,
            };
            if next.as_ref() == Some(&walk.place) {
                return Err(PullError::Refused(
                    "Jira answers that the page after this one is this one (nextPageToken); see whether a proxy between \
                        keeps its answers, and have it keep none"
                        .to_owned(),
                ));
            }
            return Ok(Page { issues, next, total });
        }
    }

    /// All changes of an issue: a search shows the latest.
    pub(super) async fn changes(&self, issue: &Value, notes: &mut Notes) -> Result<Vec<Value>, PullError> {
        let shown = issue["changelog"]["histories"].as_array().cloned().unwrap_or_default();
        if self.is_whole(&issue["changelog"], shown.len()) {
            return Ok(shown);
        }
        let key = issue["key"].as_str().unwrap_or_default();
        match self.changelog(issue).await? {
            Ok(all) => Ok(all),
            // Of the oldest alone nothing could be taken back.
            Err(why) => {
                notes.add(format!("{key}: only its latest changes are known: {why}"));
                Ok(shown)
            }
        }
    }

    /// Whether a search showed all changes of an issue.
    fn is_whole(&self, changelog: &Value, shown: usize) -> bool {
        let is_all = changelog["total"].as_u64().is_some_and(|total| total <= shown as u64);
        is_all && !(self.is_cloud && shown >= SHOWN)
    }

    /// All changes of an issue, or why they are not known.
    async fn changelog(&self, issue: &Value) -> Result<Result<Vec<Value>, String>, PullError> {
        let path = format!("rest/api/2/issue/{}", issue["id"].as_str().unwrap_or_default());
        let (mut all, mut limit) = (Vec::new(), PAGE);
        loop {
            let got = match self.is_cloud {
                true => {
                    let query = [("startAt", all.len().to_string()), ("maxResults", limit.to_string())];
                    self.api.get(&format!("{path}/changelog"), &query).await?
                }
                false => {
                    let query = [("expand", "changelog".to_owned()), ("fields", "updated".to_owned())];
                    self.api.get(&path, &query).await?
                }
            };
            let mut body = match got {
                Got::Fresh(body) => body,
                Got::TooLong if self.is_cloud && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                Got::TooLong => return Ok(Err("the others are longer than is read".to_owned())),
                Got::Refused(refusal) => return Ok(Err(refusal.why)),
            };
            let (list, total) = match self.is_cloud {
                true => ("/values", "/total"),
                false => ("/changelog/histories", "/changelog/total"),
            };
            let total = body.pointer(total).and_then(Value::as_u64);
            let Some(Value::Array(list)) = body.pointer_mut(list).map(Value::take) else {
                return Ok(Err("Jira answers without a list of them".to_owned()));
            };
            let is_last = !self.is_cloud || list.is_empty() || body["isLast"] == true;
            all.extend(list);
            if is_last {
                return Ok(match total {
                    Some(total) if total > all.len() as u64 => Err(format!("Jira shows {} of {total}", all.len())),
                    _ => Ok(all),
                });
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
            Got::Fresh(_) | Got::TooLong => {
                notes.add(format!("no {what}: Jira answers without a list of them"));
                Ok(None)
            }
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

#[cfg(test)]
mod tests {
    use super::super::super::json_api::tests::answering;
    use super::*;
    use serde_json::json;

    fn site(is_cloud: bool, answers: &[(&'static str, Value)]) -> Site {
        let answers = answers.iter().map(|(head, body)| (*head, body.to_string())).collect();
        Site { api: answering(answers), is_cloud, now: 0, limit: PAGE, began_anew: false }
    }

    #[tokio::test]
    async fn a_list_that_leads_back_to_itself_ends() {
        let page = json!({"issues": [], "nextPageToken": "a"});
        let last = json!({"issues": [], "nextPageToken": "b", "isLast": true});
        let gone = ("400 Bad Request", json!({}));
        let mut site = site(true, &[("200 OK", page.clone()), ("200 OK", last), ("200 OK", page), gone.clone(), gone]);
        let mut walk = Walk::new(String::new(), 0);
        walk.place = site.page(&mut walk).await.unwrap().next.unwrap();
        assert_eq!(walk.place, Place::Token("a".to_owned()));
        assert_eq!(site.page(&mut walk).await.unwrap().next, None, "it says that it is the last");
        let refused = site.page(&mut walk).await.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("nextPageToken"), "{refused}");
        // A token that is not known: from the beginning, and where that is refused too it is the question.
        let refused = site.page(&mut walk).await.map(|_| ()).unwrap_err().to_string();
        assert!(site.began_anew && refused.contains("mend projects"), "{refused}");
    }

    #[tokio::test]
    async fn what_is_json_and_no_jira_is_refused() {
        for body in [json!([]), json!("issues"), json!({"issues": 7})] {
            let mut site = site(false, &[("200 OK", body.clone())]);
            let refused = site.page(&mut Walk::new(String::new(), 0)).await.map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("a search without issues; write its URL"), "{body}: {refused}");
        }
    }

    #[tokio::test]
    async fn all_changes_are_asked_for_where_it_is_not_sure_that_all_are_shown() {
        let issue = |count: usize, total: Value| {
            let histories: Vec<Value> = (0..count).map(|id| json!({"id": id})).collect();
            json!({"id": "7", "key": "INC-7", "changelog": {"histories": histories, "total": total}})
        };
        let mut notes = Notes::default();
        let sure = issue(39, 39.into());
        assert_eq!(site(true, &[]).changes(&sure, &mut notes).await.unwrap().len(), 39);
        let all: Vec<Value> = (0..41).map(|id| json!({"id": id})).collect();
        for unsure in [issue(40, 40.into()), issue(3, Value::Null), issue(3, 41.into())] {
            let site = site(true, &[("200 OK", json!({"values": all, "total": 41, "isLast": true}))]);
            assert_eq!(site.changes(&unsure, &mut notes).await.unwrap().len(), 41);
        }
        assert_eq!(notes.list(), [""; 0]);
        let short = json!({"values": [], "total": 41});
        let site = site(true, &[("200 OK", short), ("200 OK", json!([]))]);
        for said in ["Jira shows 0 of 41", "Jira answers without a list of them"] {
            assert_eq!(site.changes(&issue(3, 41.into()), &mut notes).await.unwrap().len(), 3);
            let own = format!("INC-7: only its latest changes are known: {said}");
            assert!(notes.list().contains(&own), "{:?}", notes.list());
        }
    }
}
