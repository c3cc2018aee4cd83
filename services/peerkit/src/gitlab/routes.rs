//! The endpoints.

use std::collections::BTreeSet;

use super::call::{Call, message, ok};
use super::json::{self, View, environment_id, job_status, updated_at};
use crate::github::answer::Answer;
use crate::github::graph::ahead;
use crate::github::{Part, Repository, Sha};

pub(super) fn answer(call: &Call<'_>) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["groups", group] => match group_of(call, group) {
            Some(_) => ok(&json::group(group)),
            None => message(404, "404 Group Not Found"),
        },
        ["groups", group, "descendant_groups"] => match group_of(call, group) {
            Some(views) => call.page(&below(group, &views), |path| json::group(path)),
            None => message(404, "404 Group Not Found"),
        },
        ["groups", group, what] => match group_of(call, group) {
            Some(views) => group_list(call, &views, what),
            None => message(404, "404 Group Not Found"),
        },
        ["projects", name, rest @ ..] => match call.project(name) {
            Some(repository) => project(call, repository, rest),
            None => message(404, "404 Project Not Found"),
        },
        _ => message(404, "404 Not Found"),
    }
}

/// The projects of a group that may be seen: all below it where that is asked for, as it always is of other lists.
fn group_of<'a>(call: &Call<'a>, group: &str) -> Option<Vec<View<'a>>> {
    let group = group.to_ascii_lowercase();
    let all = call.organisation.repositories.iter().map(AsRef::as_ref);
    let views: Vec<View<'_>> = all.map(|repository| View { organisation: call.organisation, repository }).collect();
    let is_below = |own: &str| own == group || own.strip_prefix(&group).is_some_and(|rest| rest.starts_with('/'));
    if group != call.organisation.login && !views.iter().any(|view| is_below(&view.group())) {
        return None;
    }
    let is_deep =
        call.path.last().is_some_and(|what| what != "projects") || call.get("include_subgroups") == Some("true");
    let mut found: Vec<View<'_>> = views
        .into_iter()
        .filter(|view| call.faults.denies(view.repository, Part::Repository).is_none())
        .filter(|view| if is_deep { is_below(&view.group()) } else { view.group() == group })
        .collect();
    found.sort_by_key(|view| view.repository.id);
    Some(found)
}

/// The groups below one, as far as projects lie in them.
fn below(group: &str, views: &[View<'_>]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for own in views.iter().map(View::group) {
        let ends = own.match_indices('/').map(|(at, _)| at).chain([own.len()]);
        found.extend(ends.map(|end| own[..end].to_owned()).filter(|path| path.len() > group.len()));
    }
    found.into_iter().collect()
}

fn group_list(call: &Call<'_>, views: &[View<'_>], what: &str) -> Answer {
    let seen = |part| views.iter().filter(move |view| call.faults.denies(view.repository, part).is_none());
    // Archived ones are left out unless they are asked for.
    let is_wanted = |view: &&View<'_>| !view.repository.archived || call.get("non_archived") == Some("false");
    match what {
        "projects" => call.page(views, View::project),
        "merge_requests" => {
            let all = seen(Part::Pulls).filter(is_wanted);
            let all: Vec<_> = all.flat_map(|view| view.repository.pulls.iter().map(move |it| (view, it))).collect();
            call.changed(&all, |(_, it)| it.updated_at, |(view, it)| view.merge_request(it))
        }
        "issues" => {
            let all = seen(Part::Issues).filter(is_wanted);
            let all: Vec<_> = all.flat_map(|view| view.repository.issues.iter().map(move |it| (view, it))).collect();
            call.changed(&all, |(_, it)| it.updated_at, |(view, it)| view.issue(it))
        }
        _ => message(404, "404 Not Found"),
    }
}

fn project(call: &Call<'_>, repository: &Repository, rest: &[&str]) -> Answer {
    let view = View { organisation: call.organisation, repository };
    let part = match rest.first() {
        Some(&"repository") => Some(Part::Commits),
        Some(&"merge_requests") => Some(Part::Pulls),
        Some(&("deployments" | "environments")) => Some(Part::Deployments),
        Some(&"issues") => Some(Part::Issues),
        Some(&"jobs") => Some(Part::Runs),
        Some(&"releases") => Some(Part::Releases),
        _ => None,
    };
    if let Some(status) = part.and_then(|part| call.faults.denies(repository, part)) {
        return message(status, if status == 403 { "403 Forbidden" } else { "404 Not Found" });
    }
    match rest {
        [] => ok(&view.project()),
        ["repository", "branches", name] => match repository.branches.get(*name) {
            Some(head) => ok(&view.branch(name, head)),
            None => message(404, "404 Branch Not Found"),
        },
        ["repository", "commits"] => {
            let commits = commits(call, repository);
            call.page(&commits, |sha| view.commit(&repository.commits[sha]))
        }
        ["merge_requests"] => call.changed(&repository.pulls, |it| it.updated_at, |it| view.merge_request(it)),
        ["merge_requests", iid] => match iid.parse().ok().and_then(|iid| repository.pull(iid)) {
            Some(pull) => ok(&view.merge_request(pull)),
            None => message(404, "404 Merge Request Not Found"),
        },
        ["merge_requests", iid, what] => {
            let Some(pull) = iid.parse().ok().and_then(|iid| repository.pull(iid)) else {
                return message(404, "404 Merge Request Not Found");
            };
            match *what {
                // The newest comes first.
                "commits" => {
                    let commits: Vec<&Sha> = pull.commits.iter().rev().collect();
                    let known: Vec<_> = commits.iter().filter_map(|sha| repository.commits.get(*sha)).collect();
                    call.page(&known, |commit| view.commit(commit))
                }
                "notes" => call.page(&view.notes(pull), Clone::clone),
                _ => message(404, "404 Not Found"),
            }
        }
        ["issues"] => call.changed(&repository.issues, |it| it.updated_at, |it| view.issue(it)),
        ["deployments"] => {
            let named = call.get("environment");
            let all = repository.deployments.iter();
            let all: Vec<_> = all.filter(|it| named.is_none_or(|name| it.original_environment == name)).collect();
            call.changed(&all, |it| updated_at(it), |it| view.deployment(it))
        }
        ["environments"] => {
            let deployed = repository.deployments.iter().map(|it| &it.original_environment);
            let names: BTreeSet<&str> = deployed.chain(&repository.environments).map(String::as_str).collect();
            call.page(&names.into_iter().collect::<Vec<_>>(), |name| view.environment(name, true))
        }
        ["environments", id] => {
            let mut names = repository.deployments.iter().map(|it| &it.original_environment);
            match names.find(|name| environment_id(name).to_string() == *id) {
                Some(name) => ok(&view.environment(name, true)),
                None => message(404, "404 Environment Not Found"),
            }
        }
        ["jobs"] => {
            let scope = call.all("scope[]");
            let all = repository.runs.iter();
            let all: Vec<_> = all.filter(|it| scope.is_empty() || scope.contains(&job_status(it))).collect();
            call.keyset(&all, |it| it.id, |it| view.job(it))
        }
        ["repository", "tags"] => {
            let names: Vec<_> = repository.tags.iter().rev().collect();
            call.page(&names, |(name, sha)| view.tag(name, sha))
        }
        ["releases"] => {
            let mut all: Vec<_> = repository.releases.iter().filter(|it| it.published_at.is_some()).collect();
            all.sort_by_key(|it| std::cmp::Reverse(it.published_at));
            call.page(&all, |it| view.release(it))
        }
        _ => message(404, "404 Not Found"),
    }
}

/// The history of a revision, or of what comes after another one; of what is not there, nothing.
fn commits(call: &Call<'_>, repository: &Repository) -> Vec<Sha> {
    let asked = call.get("ref_name").unwrap_or(&repository.default_branch);
    let known = |name: &str| repository.resolve(name).filter(|sha| repository.commits.contains_key(*sha));
    match asked.split_once("..") {
        Some((base, head)) => match (known(base), known(head)) {
            (Some(base), Some(head)) => {
                let mut found = ahead(repository, base, head);
                found.reverse();
                found
            }
            _ => Vec::new(),
        },
        None => known(asked).map(|sha| call.histories.of(repository, sha).to_vec()).unwrap_or_default(),
    }
}
