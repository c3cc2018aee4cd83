//! The endpoints.

use serde_json::{Value, json};

use super::Tracker;
use super::tracker::{statuses, text, types};
use crate::served::{Call, Reply, Site};

/// Changes that a search shows of each issue on Cloud.
const SHOWN: usize = 4;

impl Site for Tracker {
    fn token(authorization: &str) -> Option<String> {
        authorization.strip_prefix("Bearer ").or_else(|| authorization.strip_prefix("Basic ")).map(str::to_owned)
    }

    fn answer(&self, call: &Call) -> Reply {
        let path: Vec<&str> = call.path.trim_start_matches("rest/api/2/").split('/').collect();
        match (path.as_slice(), self.is_cloud) {
            (["serverInfo"], _) => {
                let kind = if self.is_cloud { "Cloud" } else { "Server" };
                (
                    200,
                    json!({"baseUrl": "https://acme.example.com", "deploymentType": kind, "serverTime": text(self.clock)}),
                )
            }
            (["myself"], _) => (200, json!({"accountId": "7", "timeZone": "Europe/Berlin", "active": true})),
            (["status"], _) => (200, statuses()),
            (["issuetype"], _) => (200, types()),
            (["search", "jql"], true) | (["search"], false) => self.search(call),
            (["search"], true) => (410, refusal("The requested API has been removed.")),
            (["issue", id, "changelog"], true) => self.changelog(call, id),
            (["issue", id], false) => match self.issues.iter().position(|issue| issue.id == *id) {
                Some(id) => (200, self.shown(id, usize::MAX)),
                None => (404, Self::refusal(404)),
            },
            _ => (404, Self::refusal(404)),
        }
    }

    fn refusal(status: u16) -> Value {
        refusal(match status {
            401 => "You are not authenticated.",
            403 => "You do not have permission.",
            429 => "Rate limit exceeded.",
            _ => "There is nothing here.",
        })
    }
}

fn refusal(message: &str) -> Value {
    json!({"errorMessages": [message], "errors": {}})
}

impl Tracker {
    fn search(&self, call: &Call) -> Reply {
        let found = match self.found(call.get("jql").unwrap_or_default()) {
            Ok(found) => found,
            Err(why) => return (400, refusal(&why)),
        };
        let first = match call.get("nextPageToken").map(|token| token.strip_prefix("after-").unwrap_or("x").parse()) {
            Some(Ok(first)) => first,
            Some(Err(_)) => return (400, refusal("The token is invalid.")),
            None => call.number("startAt").unwrap_or(0),
        };
        let most = call.number("maxResults").unwrap_or(50).min(100);
        let changes = if self.is_cloud { SHOWN } else { usize::MAX };
        let shown: Vec<Value> = found.iter().skip(first).take(most).map(|id| self.shown(*id, changes)).collect();
        let behind = first + shown.len();
        let mut body = json!({"issues": shown});
        if !self.is_cloud {
            (body["startAt"], body["maxResults"], body["total"]) = (first.into(), most.into(), found.len().into());
        } else if behind < found.len() {
            body["nextPageToken"] = format!("after-{behind}").into();
        }
        (200, body)
    }

    /// An issue with its latest changes, the newest first as on Cloud.
    fn shown(&self, id: usize, changes: usize) -> Value {
        let all = &self.issues[id].histories;
        let mut issue = self.issue(id);
        let mut shown: Vec<Value> = all.iter().rev().take(changes).cloned().collect();
        if !self.is_cloud {
            // Only Cloud says which field it is, beside what it is called.
            let items = shown.iter_mut().filter_map(|history| history["items"].as_array_mut()).flatten();
            items.filter_map(Value::as_object_mut).for_each(|item| drop(item.remove("fieldId")));
        }
        issue["changelog"] = json!({"startAt": 0, "maxResults": shown.len(), "total": all.len(), "histories": shown});
        issue
    }

    /// All changes of an issue, the oldest first.
    fn changelog(&self, call: &Call, id: &str) -> Reply {
        let Some(issue) = self.issues.iter().find(|issue| issue.id == id) else { return (404, Self::refusal(404)) };
        let (first, most) = (call.number("startAt").unwrap_or(0), call.number("maxResults").unwrap_or(100).min(3));
        let shown: Vec<&Value> = issue.histories.iter().skip(first).take(most).collect();
        let is_last = first + shown.len() >= issue.histories.len();
        (200, json!({"startAt": first, "total": issue.histories.len(), "isLast": is_last, "values": shown}))
    }
}
