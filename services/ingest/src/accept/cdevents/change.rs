//! `change.created`, `.reviewed`, `.merged` and `.abandoned`: what happened to a pull request.
//!
//! A pull request is known by its repository and its number, so a change is one only where it names a repository and its
//! id is a number, or ends in one (`acme/shop/pull/42`, `acme/shop!42`). Others (Gerrit's) have no place here. CDEvents
//! name neither the merge commit nor the branches; whatever else tells of the same pull request adds them.

use std::borrow::Cow;

use vigie_model::json::{Json, shorten};
use vigie_model::{Kind, Rejection};

use super::announcement::{Announcement, place};
use super::artifact::repository_of_url;
use super::native::{Native, Unfit, title};

pub(super) fn created<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = pull_request(event)?;
    native.time("opened_at", event.at);
    if let Some(title) = event.find(&["description"])?.and_then(title) {
        native.text("title", place(&["description"]), title);
    }
    Ok(native)
}

/// Each review announces itself; the first is the one that counts.
pub(super) fn reviewed<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = pull_request(event)?;
    native.time("first_review_at", event.at);
    native.first_wins(event.at);
    Ok(native)
}

pub(super) fn merged<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = pull_request(event)?;
    native.time("merged_at", event.at);
    native.time("closed_at", event.at);
    Ok(native)
}

pub(super) fn abandoned<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = pull_request(event)?;
    native.time("closed_at", event.at);
    Ok(native)
}

fn pull_request<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let repository = event.find(&["repository", "id"])?.ok_or_else(|| {
        Unfit::NoPlace(Rejection::new(
            place(&["repository", "id"]),
            "it is missing",
            "name the repository, so that the change is known as one of its pull requests",
        ))
    })?;
    let number = number(event.subject_id).ok_or_else(|| {
        Unfit::NoPlace(Rejection::new(
            "subject.id",
            format!("\"{}\" is no number of a pull request", shorten(event.subject_id)),
            "a change is a pull request where its id is a number, or ends in /42, #42 or !42",
        ))
    })?;
    let mut native = Native::new(Kind::PullRequest, event);
    let name = repository_of_url(repository).map_or(Cow::Borrowed(repository), Cow::Owned);
    native.text("repository", place(&["repository", "id"]), name);
    native.put("number", Json::Int(number));
    Ok(native)
}

fn number(id: &str) -> Option<i64> {
    let digits = id.trim().rsplit(['/', '#', '!']).next().unwrap_or_default();
    (digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}
