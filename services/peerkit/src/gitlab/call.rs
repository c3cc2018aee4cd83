//! A request, pages, and answers as GitLab gives them.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::web::Query;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::json::path_of;
use crate::github::answer::Answer;
use crate::github::graph::Histories;
use crate::github::{Faults, Organisation, Part, Repository, Time};

/// Where links lead: the name by which nobody here reaches the server.
const OUTSIDE: &str = "https://gitlab.example.com";

/// What is asked, and of what.
pub(super) struct Call<'a> {
    /// The parts of the path below `/api/v4`, without their percent signs.
    pub path: Vec<String>,
    path_text: String,
    query: HashMap<String, String>,
    query_text: String,
    pub organisation: &'a Organisation,
    pub faults: &'a Faults,
    pub histories: &'a Histories,
}

impl<'a> Call<'a> {
    pub fn new(
        request: &HttpRequest,
        organisation: &'a Organisation,
        faults: &'a Faults,
        histories: &'a Histories,
    ) -> Self {
        let path_text = request.uri().path().to_owned();
        let own = path_text.strip_prefix("/api/v4/").unwrap_or_default();
        Self {
            path: own.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            query: Query::<HashMap<String, String>>::from_query(request.query_string())
                .map(Query::into_inner)
                .unwrap_or_default(),
            query_text: request.query_string().to_owned(),
            path_text,
            organisation,
            faults,
            histories,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A project by its number or its path, also by one that it once had.
    pub fn project(&self, name: &str) -> Option<&'a Repository> {
        let all = self.organisation.repositories.iter().map(AsRef::as_ref);
        all.filter(|it| self.faults.denies(it, Part::Repository).is_none()).find(|it| {
            let path = path_of(self.organisation, it);
            let group = path.trim_end_matches(it.name.as_str());
            let mut former = it.former_names.iter().map(|former| format!("{group}{former}"));
            it.id.to_string() == name
                || path.eq_ignore_ascii_case(name)
                || former.any(|former| former.eq_ignore_ascii_case(name))
        })
    }

    /// Every value of a list.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.query_text.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| decode(key) == name).map(|(_, value)| value).collect()
    }

    fn per_page(&self) -> usize {
        self.get("per_page").and_then(|it| it.parse().ok()).filter(|it| *it > 0).unwrap_or(20_usize).min(100)
    }

    /// A page by its number.
    pub fn page<T>(&self, items: &[T], show: impl Fn(&T) -> Value) -> Answer {
        let per_page = self.per_page();
        let page = self.get("page").and_then(|it| it.parse().ok()).filter(|it| *it > 0).unwrap_or(1_usize);
        let last = items.len().div_ceil(per_page).max(1);
        let shown: Vec<Value> = items.iter().skip((page - 1) * per_page).take(per_page).map(show).collect();
        if self.is_silent_about(&shown) {
            return Answer::bad_gateway();
        }
        let mut links = vec![self.link("page", 1, "first"), self.link("page", last, "last")];
        let mut answer = ok(&Value::Array(shown))
            .with("x-page", page.to_string())
            .with("x-per-page", per_page.to_string())
            .with("x-total", items.len().to_string())
            .with("x-total-pages", last.to_string());
        if page < last {
            links.insert(0, self.link("page", page + 1, "next"));
            answer = answer.with("x-next-page", (page + 1).to_string());
        }
        answer.with("link", links.join(", "))
    }

    /// Whether one of these is what is never answered.
    fn is_silent_about(&self, shown: &[Value]) -> bool {
        let unlisted = self.faults.unlisted.iter().filter(|(list, _)| self.path_text.ends_with(list.as_str()));
        let numbers: Vec<i64> = unlisted.map(|(_, number)| *number).collect();
        let is_one = |number: &Value| number.as_i64().is_some_and(|own| numbers.contains(&own));
        shown.iter().any(|item| is_one(&item["iid"]) || is_one(&item["id"]))
    }

    /// A page of items by falling number, from behind a cursor on. Behind the last there is no link.
    pub fn keyset<T>(&self, items: &[T], id: impl Fn(&T) -> i64, show: impl Fn(&T) -> Value) -> Answer {
        if (self.get("pagination"), self.get("order_by"), self.get("sort"))
            != (Some("keyset"), Some("id"), Some("desc"))
        {
            return error(405, "Keyset pagination is not yet available for this type of request");
        }
        let before = self.get("cursor").and_then(|it| it.parse().ok()).unwrap_or(i64::MAX);
        let mut rest: Vec<&T> = items.iter().filter(|item| id(item) < before).collect();
        rest.sort_by_key(|item| std::cmp::Reverse(id(item)));
        let shown: Vec<&&T> = rest.iter().take(self.per_page()).collect();
        let items: Vec<Value> = shown.iter().map(|item| show(item)).collect();
        if self.is_silent_about(&items) {
            return Answer::bad_gateway();
        }
        let answer = ok(&Value::Array(items));
        match shown.last() {
            Some(last) if rest.len() > shown.len() => {
                let link = self.link("cursor", id(last), "next");
                answer.with("link", link)
            }
            _ => answer,
        }
    }

    /// A page of what changed at or after an instant, and at or before another, in that order.
    pub fn changed<T>(&self, items: &[T], updated: impl Fn(&T) -> Time, show: impl Fn(&T) -> Value) -> Answer {
        let after = self.get("updated_after").and_then(time);
        // Of deployments GitLab wants both or neither.
        let is_strict = self.path.last().is_some_and(|list| list == "deployments");
        if is_strict && after.is_some() != (self.get("order_by") == Some("updated_at")) {
            return error(400, "`updated_at` filter and `updated_at` sorting must be paired");
        }
        let before = self.get("updated_before").and_then(time);
        let is_asked = |at: Time| after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before);
        let mut found: Vec<&T> = items.iter().filter(|item| is_asked(updated(item))).collect();
        found.sort_by_key(|item| updated(item));
        if self.get("sort") != Some("asc") {
            found.reverse();
        }
        self.page(&found, |item| show(item))
    }

    fn link(&self, key: &str, value: impl ToString, relation: &str) -> String {
        let kept = self.query_text.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(key));
        let pair = format!("{key}={}", value.to_string());
        let query: Vec<_> = kept.chain([pair.as_str()]).collect();
        format!("<{OUTSIDE}{}?{}>; rel=\"{relation}\"", self.path_text, query.join("&"))
    }
}

pub(super) fn ok(body: &Value) -> Answer {
    answer(200, body)
}

fn answer(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes(), free: false, token: None }
}

pub(super) fn message(status: u16, text: &str) -> Answer {
    answer(status, &json!({"message": text}))
}

fn error(status: u16, text: &str) -> Answer {
    answer(status, &json!({"error": text}))
}

/// The token may not do that.
pub(super) fn forbidden_scope() -> Answer {
    let body = json!({
        "error": "insufficient_scope", "scope": "api read_api",
        "error_description": "The request requires higher privileges than provided by the access token.",
    });
    answer(403, &body)
}

pub(super) fn too_many(retry_after: Option<u64>) -> Answer {
    let headers = vec![("content-type", "text/plain".to_owned())];
    let answer = Answer { status: 429, headers, body: b"Retry later\n".to_vec(), free: false, token: None };
    match retry_after {
        Some(seconds) => answer.with("retry-after", seconds.to_string()),
        None => answer,
    }
}

fn time(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
