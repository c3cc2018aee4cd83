//! REST v3: which path answers what.

mod app;
mod call;
mod code;
mod ships;
mod work;

pub(super) use self::call::Call;
use super::answer::Answer;
use super::faults::Part;
use super::json::{self, organisation};
use super::model::Repository;

/// The registry of paths.
pub(super) fn answer(call: &Call) -> Answer {
    let path: Vec<_> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["user"]) => viewer(call),
        ("GET", ["rate_limit"]) => app::rate_limit(call),
        ("GET", ["orgs", login]) if call.is_owner(login) => Answer::ok(&organisation(call.organisation, call.root)),
        ("GET", ["orgs" | "users", login, "repos"]) => repositories_of(call, login),
        ("GET", ["installation", "repositories"]) => app::repositories(call),
        ("GET", ["app", "installations"]) => app::installations(call),
        ("POST", ["app", "installations", id, "access_tokens"]) => app::token(call, id),
        ("GET", ["app", "hook", "deliveries"]) => app::deliveries(call),
        ("GET", ["app", "hook", "deliveries", id]) => app::delivery(call, id),
        ("GET", ["repos", owner, name, rest @ ..]) => named(call, owner, name, rest),
        ("GET", ["repositories", id, rest @ ..]) => {
            let found = call.organisation.repositories.iter().find(|repository| repository.id.to_string() == **id);
            found.map_or_else(Answer::not_found, |repository| in_repository(call, repository, rest))
        }
        _ => Answer::not_found(),
    }
}

fn named(call: &Call, owner: &str, name: &str, rest: &[&str]) -> Answer {
    if !call.is_owner(owner) {
        return Answer::not_found();
    }
    match call.organisation.find(name) {
        None => Answer::not_found(),
        Some(repository) if repository.name.eq_ignore_ascii_case(name) => in_repository(call, repository, rest),
        Some(repository) if call.faults.denies(repository, Part::Repository).is_some() => Answer::not_found(),
        Some(repository) => {
            let rest: String = rest.iter().map(|part| format!("/{part}")).collect();
            let query = if call.query_text.is_empty() { String::new() } else { format!("?{}", call.query_text) };
            Answer::moved(&format!("{}/repositories/{}{rest}{query}", call.root, repository.id))
        }
    }
}

fn in_repository(call: &Call, repository: &Repository, rest: &[&str]) -> Answer {
    let view = call.view(repository);
    let part = match rest {
        ["commits" | "compare" | "branches", ..] => Part::Commits,
        ["pulls", ..] => Part::Pulls,
        ["deployments", ..] => Part::Deployments,
        ["actions", ..] => Part::Runs,
        ["releases", ..] => Part::Releases,
        ["issues" | "labels", ..] => Part::Issues,
        _ => Part::Repository,
    };
    if call.faults.denies(repository, Part::Repository).is_some() {
        return Answer::not_found();
    }
    if let Some(status) = call.faults.denies(repository, part) {
        return Answer::denied(status, part);
    }
    match rest {
        [] => {
            let mut shown = view.repository();
            (shown["network_count"], shown["subscribers_count"]) = (0.into(), 0.into());
            Answer::ok(&shown)
        }
        ["commits"] => code::commits(call, &view),
        ["commits", revision @ ..] => code::commit(&view, &revision.join("/")),
        ["compare", range @ ..] => code::compare(call, &view, &range.join("/")),
        ["branches"] => code::branches(call, &view),
        ["pulls"] => work::pulls(call, &view),
        ["pulls", number] => work::pull(&view, number),
        ["pulls", number, "commits"] => work::pull_commits(call, &view, number),
        ["pulls", number, "reviews"] => work::reviews(call, &view, number),
        ["labels"] => call.page(&repository.labels, |label| view.label(label)),
        ["issues"] => work::issues(call, &view),
        ["issues", number] => work::issue(&view, number),
        ["deployments"] => ships::deployments(call, &view),
        ["deployments", id] => ships::deployment(&view, id),
        ["deployments", id, "statuses"] => ships::statuses(call, &view, id),
        ["actions", "runs"] => ships::runs(call, &view),
        ["actions", "runs", id] => ships::run(&view, id),
        ["actions", "workflows"] => ships::workflows(call, &view),
        ["actions", "workflows", id, "runs"] => ships::runs_of(call, &view, id),
        ["releases"] => ships::releases(call, &view),
        _ => Answer::not_found(),
    }
}

fn viewer(call: &Call) -> Answer {
    match call.organisation.viewer() {
        Some(index) => {
            let since = call.organisation.repositories.first().map_or(call.now, |repository| repository.created_at);
            Answer::ok(&json::viewer(&call.organisation.accounts[index], since, call.root))
        }
        None => Answer::not_found(),
    }
}

fn repositories_of(call: &Call, login: &str) -> Answer {
    let known = call.organisation.accounts.iter().any(|account| account.rest_login().eq_ignore_ascii_case(login));
    if !call.is_owner(login) {
        // people have none of their own here
        return if known { call.page(&[] as &[()], |()| serde_json::Value::Null) } else { Answer::not_found() };
    }
    let mut found = call.seen();
    match call.get("sort").unwrap_or("created") {
        "updated" => found.sort_by_key(|it| it.updated_at),
        "pushed" => found.sort_by_key(|it| it.pushed_at),
        "full_name" => found.sort_by_key(|it| std::cmp::Reverse(it.name.clone())),
        _ => found.sort_by_key(|it| it.id),
    }
    if call.get("direction") != Some("asc") {
        found.reverse();
    }
    call.page(&found, |repository| call.view(repository).repository())
}
