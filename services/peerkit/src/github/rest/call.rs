//! A request to REST, and pages.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::web::Query;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::Value;

use crate::github::answer::Answer;
use crate::github::faults::{Faults, Part};
use crate::github::graph::Histories;
use crate::github::json::View;
use crate::github::model::{Repository, Time};
use crate::github::organisation::Organisation;
use crate::github::server::below;
use crate::github::traffic::Quota;

/// What is asked, and of what.
pub(in crate::github) struct Call<'a> {
    pub method: String,
    /// The parts of the path, without their percent signs.
    pub path: Vec<String>,
    pub query: HashMap<String, String>,
    pub query_text: String,
    pub organisation: &'a Organisation,
    pub faults: &'a Faults,
    pub histories: &'a Histories,
    pub root: &'a str,
    pub now: Time,
    pub quotas: &'a [(&'static str, Quota)],
}

impl<'a> Call<'a> {
    pub fn new(
        request: &HttpRequest,
        organisation: &'a Organisation,
        faults: &'a Faults,
        histories: &'a Histories,
        root: &'a str,
        now: Time,
        quotas: &'a [(&'static str, Quota)],
    ) -> Self {
        let query = Query::<HashMap<String, String>>::from_query(request.query_string());
        Self {
            method: request.method().to_string(),
            path: below(request.uri().path()).split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            // one that nobody can read is like none
            query: query.map(Query::into_inner).unwrap_or_default(),
            query_text: request.query_string().to_owned(),
            organisation,
            faults,
            histories,
            root,
            now,
            quotas,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn is_owner(&self, login: &str) -> bool {
        self.organisation.login.eq_ignore_ascii_case(login)
    }

    pub fn view<'b>(&'b self, repository: &'b Repository) -> View<'b> {
        let Self { organisation, root, .. } = self;
        View { organisation, repository, name: &repository.name, root, past: false }
    }

    /// The repositories that the token may see, by age.
    pub fn seen(&self) -> Vec<&Repository> {
        let all = self.organisation.repositories.iter().map(AsRef::as_ref);
        all.filter(|it| self.faults.denies(it, Part::Repository).is_none()).collect()
    }

    /// An instant of the query; one that nobody can read is like none.
    pub fn time(&self, name: &str) -> Option<Time> {
        self.get(name).and_then(time)
    }

    pub fn page<T>(&self, items: &[T], show: impl Fn(&T) -> Value) -> Answer {
        self.page_of(items, items.len(), 30, show, Value::Array)
    }

    /// A page of what there is: `reachable` is how many items may be paged through, `wrap` puts the page into the body.
    pub fn page_of<T>(
        &self,
        items: &[T],
        reachable: usize,
        usual: usize,
        show: impl Fn(&T) -> Value,
        wrap: impl FnOnce(Vec<Value>) -> Value,
    ) -> Answer {
        let per_page = self.get("per_page").and_then(|it| it.parse().ok()).filter(|it| *it > 0).unwrap_or(usual);
        let per_page = per_page.min(usual.max(100));
        let page = self.get("page").and_then(|it| it.parse().ok()).filter(|it| *it > 0).unwrap_or(1_usize);
        let items = &items[..reachable.min(items.len())];
        let last = items.len().div_ceil(per_page).max(1);
        let shown = items.iter().skip((page - 1).saturating_mul(per_page)).take(per_page).map(show).collect();
        let mut answer = Answer::ok(&wrap(shown));
        let mut links = Vec::new();
        if page > 1 {
            links.push(self.link("page", (page - 1).min(last), "prev"));
        }
        if page < last {
            links.push(self.link("page", page + 1, "next"));
            links.push(self.link("page", last, "last"));
        }
        if page > 1 {
            links.push(self.link("page", 1, "first"));
        }
        if !links.is_empty() {
            answer = answer.with("link", links.join(", "));
        }
        answer
    }

    /// A link to another page. Those of repositories name it by its id, which no renaming changes.
    pub fn link(&self, key: &str, value: impl ToString, relation: &str) -> String {
        let path = match self.path.as_slice() {
            [repos, _, name, rest @ ..] if repos == "repos" => {
                let id = self.organisation.find(name).map_or(0, |repository| repository.id);
                let rest: String = rest.iter().map(|part| format!("/{part}")).collect();
                format!("/repositories/{id}{rest}")
            }
            path => path.iter().map(|part| format!("/{part}")).collect(),
        };
        let kept = self.query_text.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(key));
        let pair = format!("{key}={}", value.to_string());
        let query: Vec<_> = kept.chain([pair.as_str()]).collect();
        format!("<{}{path}?{}>; rel=\"{relation}\"", self.root, query.join("&"))
    }
}

/// An instant, or the beginning of a day.
pub(super) fn time(text: &str) -> Option<Time> {
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc)).or_else(day)
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
