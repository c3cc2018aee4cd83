//! What an app asks for itself, and the quota.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Answer, Call};
use crate::github::json::{organisation, time};

const INSTALLATION: i64 = 4_711;

pub(super) fn rate_limit(call: &Call) -> Answer {
    let mut resources = json!({});
    for (name, quota) in call.quotas {
        resources[name] = json!({
            "limit": quota.limit, "used": quota.used, "remaining": quota.remaining(), "reset": quota.reset.timestamp(),
            "resource": name,
        });
    }
    // nobody searches here
    resources["search"] =
        json!({"limit": 30, "used": 0, "remaining": 30, "reset": call.now.timestamp() + 60, "resource": "search"});
    let rate = resources["core"].clone();
    Answer { free: true, ..Answer::ok(&json!({"resources": resources, "rate": rate})) }
}

pub(super) fn repositories(call: &Call) -> Answer {
    let seen = call.seen();
    let wrap =
        |shown: Vec<Value>| json!({"total_count": seen.len(), "repository_selection": "all", "repositories": shown});
    call.page_of(&seen, seen.len(), 30, |repository| call.view(repository).repository(), wrap)
}

pub(super) fn installations(call: &Call) -> Answer {
    let root = call.root;
    let settings = format!("https://github.com/organizations/{}/settings", call.organisation.login);
    let installation = json!({
        "id": INSTALLATION, "account": organisation(call.organisation, root), "repository_selection": "all",
        "access_tokens_url": format!("{root}/app/installations/{INSTALLATION}/access_tokens"),
        "repositories_url": format!("{root}/installation/repositories"), "app_id": 815, "app_slug": "vigie",
        "html_url": format!("{settings}/installations/{INSTALLATION}"),
        "target_id": call.organisation.id, "target_type": "Organization", "permissions": permissions(),
        "events": ["push", "pull_request", "deployment", "deployment_status"],
        "created_at": "2024-01-15T09:00:00.000Z", "updated_at": "2024-01-15T09:00:00.000Z",
        "single_file_name": null, "suspended_at": null, "suspended_by": null,
    });
    call.page(&[installation], Clone::clone)
}

/// A new token each time; its length is nobody's business.
pub(super) fn token(call: &Call, id: &str) -> Answer {
    if id != INSTALLATION.to_string() {
        return Answer::not_found();
    }
    let used: u64 = call.quotas.iter().map(|(_, quota)| quota.used).sum();
    let token = format!("ghs_{:x}{used:x}fake", call.now.timestamp_micros());
    let body = json!({
        "token": token, "expires_at": time(call.now + TimeDelta::hours(1)), "permissions": permissions(),
        "repository_selection": "all",
    });
    Answer { token: Some(token), ..Answer::new(201, &body) }
}

/// Paged by a cursor, newest first.
pub(super) fn deliveries(call: &Call) -> Answer {
    let all = call.organisation.delivery_list();
    let per_page = call.get("per_page").and_then(|it| it.parse().ok()).filter(|it| *it > 0).unwrap_or(30).min(100);
    let below = call.get("cursor").and_then(|it| it.strip_prefix("v1_")?.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let rest: Vec<_> = all.into_iter().filter(|it| it["id"].as_i64().is_some_and(|id| id < below)).collect();
    let page = &rest[..per_page.min(rest.len())];
    let answer = Answer::ok(&json!(page));
    match page.last().and_then(|it| it["id"].as_i64()) {
        Some(id) if rest.len() > page.len() => answer.with("link", call.link("cursor", format!("v1_{id}"), "next")),
        _ => answer,
    }
}

pub(super) fn delivery(call: &Call, id: &str) -> Answer {
    let found = id.parse().ok().and_then(|id| call.organisation.delivery_in_full(id));
    found.map_or_else(Answer::not_found, |found| Answer::ok(&found))
}

fn permissions() -> Value {
    json!({
        "actions": "read", "contents": "read", "deployments": "read", "issues": "read", "metadata": "read",
        "pull_requests": "read",
    })
}
