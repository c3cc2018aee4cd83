//! GraphQL v4: a part of GitHub's schema, with its names, nullability and arguments.

mod actions;
mod actors;
mod commits;
mod cost;
mod issues;
mod paging;
mod pulls;
mod query;
mod repository;
mod scalars;
mod ships;
mod teams;

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, Error, ErrorExtensions};
use serde_json::{Value, json};

use self::cost::Cost;
use self::query::{Node, Query};
use super::answer::Answer;
use super::faults::{Faults, Part};
use super::graph::Histories;
use super::json::View;
use super::model::{Repository, Time};
use super::organisation::Organisation;
use super::traffic::Quota;

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// What a query sees.
pub(super) struct Session {
    pub organisation: Arc<Organisation>,
    pub faults: Faults,
    pub histories: Arc<Histories>,
    /// As it is after the query.
    pub quota: Quota,
}

/// A repository as a query sees it.
#[derive(Clone)]
pub(super) struct Home {
    pub session: Arc<Session>,
    pub repository: Arc<Repository>,
}

impl Home {
    pub fn view(&self) -> View<'_> {
        let (organisation, repository) = (&*self.session.organisation, &*self.repository);
        View { organisation, repository, name: &repository.name, root: "https://api.github.com", past: false }
    }

    pub fn html(&self, path: &str) -> scalars::Uri {
        scalars::Uri(format!("{}{path}", self.view().html()))
    }

    pub fn denies(&self, part: Part) -> bool {
        self.session.faults.denies(&self.repository, part).is_some()
    }
}

/// An error with the type that GitHub gives it.
pub(super) fn error(kind: &str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("type", kind))
}

pub(super) fn forbidden() -> Error {
    error("FORBIDDEN", "Resource not accessible by personal access token")
}

pub(super) fn schema() -> Schema {
    Schema::build(Query, EmptyMutation, EmptySubscription).register_output_type::<Node>().finish()
}

/// The schema, to be compared with GitHub's.
#[must_use]
pub fn sdl() -> String {
    schema().sdl()
}

/// A request that is read and weighed, or what is wrong with it.
pub(super) struct Prepared(Result<(async_graphql::Request, Cost), Answer>);

impl Prepared {
    pub fn cost(&self) -> u64 {
        self.0.as_ref().map_or(1, |(_, cost)| cost.points)
    }
}

pub(super) fn prepare(body: &str) -> Prepared {
    let Ok(request) = serde_json::from_str::<async_graphql::Request>(body) else {
        return Prepared(Err(Answer::message(400, "Problems parsing JSON")));
    };
    let cost = cost::of(&request);
    Prepared(Ok((request, cost)))
}

pub(super) async fn answer(schema: &Schema, prepared: Prepared, session: Session) -> Answer {
    let (request, cost) = match prepared.0 {
        Ok(prepared) => prepared,
        Err(answer) => return answer,
    };
    if cost.nodes > 500_000 {
        let message = format!(
            "This query requests up to {} possible nodes which exceeds the maximum limit of 500,000.",
            cost.nodes
        );
        return Answer::ok(&json!({"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]}));
    }
    let response = schema.execute(request.data(Arc::new(session)).data(cost)).await;
    let mut body = json!({});
    // a query that is wrong has no data at all, one that went wrong has what it found
    let ran = response.errors.iter().all(|error| !error.path.is_empty());
    if ran {
        body["data"] = response.data.into_json().unwrap_or(Value::Null);
    }
    if !response.errors.is_empty() {
        body["errors"] = response.errors.iter().map(shown).collect();
    }
    Answer::ok(&body)
}

/// GitHub has the type beside the message, where async-graphql knows extensions only.
fn shown(error: &async_graphql::ServerError) -> Value {
    let mut value = json!(error);
    if let Value::Object(object) = &mut value
        && let Some(kind) = object.remove("extensions").and_then(|mut it| it.get_mut("type").map(Value::take))
    {
        object.insert("type".to_owned(), kind);
    }
    value
}

/// The answer without the last of its first nodes, and with the error that GitHub gives when it ran out of time.
pub(super) fn without_a_node(answer: Answer, now: Time) -> Answer {
    fn blank(value: &mut Value, path: &mut Vec<Value>) -> bool {
        let Value::Object(object) = value else { return false };
        for (name, value) in object {
            path.push(json!(name));
            if let Value::Array(nodes) = value
                && name == "nodes"
                && let Some(last) = nodes.len().checked_sub(1)
            {
                nodes[last] = Value::Null;
                path.push(json!(last));
                return true;
            }
            if blank(value, path) {
                return true;
            }
            path.pop();
        }
        false
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return answer };
    let mut path = Vec::new();
    if !blank(&mut body["data"], &mut path) {
        return answer;
    }
    let message = format!(
        "Something went wrong while executing your query on {}. Please include `0A0A:1B1B:2C2C:3D3D:00000000` when \
         reporting this issue.",
        super::json::time(now)
    );
    let errors = body["errors"].take();
    let mut errors = if let Value::Array(errors) = errors { errors } else { Vec::new() };
    errors.push(json!({"message": message, "path": path}));
    body["errors"] = errors.into();
    Answer::ok(&body)
}
