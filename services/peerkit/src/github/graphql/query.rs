//! Where a query begins.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Interface, Object, Result, SimpleObject};

use super::actions::Workflow;
use super::actors::{Bot, Organization, RepositoryOwner, User};
use super::commits::{Commit, Ref};
use super::cost::Cost;
use super::issues::{Issue, Label};
use super::paging::below;
use super::pulls::{PullRequest, PullRequestCommit, PullRequestReview};
use super::repository::Repository;
use super::scalars::Instant;
use super::ships::{Deployment, DeploymentStatus, Release};
use super::{Home, Session, error, forbidden};
use crate::github::faults::Part;
use crate::github::json::NodeId;

pub(in crate::github) struct Query;

#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub(in crate::github) enum Node {
    User(User),
    Bot(Bot),
    Organization(Organization),
    Repository(Repository),
    Commit(Commit),
    Ref(Ref),
    PullRequest(PullRequest),
    PullRequestCommit(PullRequestCommit),
    PullRequestReview(PullRequestReview),
    Issue(Issue),
    Label(Label),
    Deployment(Deployment),
    DeploymentStatus(DeploymentStatus),
    Release(Release),
    Workflow(Workflow),
}

/// What is left of the quota after this query.
#[derive(SimpleObject)]
pub(in crate::github) struct RateLimit {
    cost: u64,
    limit: u64,
    node_count: u64,
    remaining: u64,
    reset_at: Instant,
    used: u64,
}

#[Object]
impl Query {
    async fn rate_limit(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<Option<RateLimit>> {
        let _ = dry_run;
        let (quota, cost) = (session(context)?.quota, context.data::<Cost>()?);
        Ok(Some(RateLimit {
            cost: cost.points,
            limit: quota.limit,
            node_count: cost.nodes,
            remaining: quota.remaining(),
            reset_at: Instant(quota.reset),
            used: quota.used,
        }))
    }

    async fn viewer(&self, context: &Context<'_>) -> Result<User> {
        let organisation = &session(context)?.organisation;
        let viewer = organisation.viewer().and_then(|index| organisation.accounts.get(index));
        viewer.cloned().map(User).ok_or_else(|| error("FORBIDDEN", "Resource not accessible by integration"))
    }

    async fn repository(
        &self,
        context: &Context<'_>,
        owner: String,
        name: String,
        #[graphql(default_with = "Some(true)")] follow_renames: Option<bool>,
    ) -> Result<Option<Repository>> {
        let session = session(context)?;
        let organisation = &session.organisation;
        let found = match follow_renames {
            Some(false) => organisation.current(&name),
            _ => organisation.find(&name),
        };
        let seen = found.filter(|it| {
            organisation.login.eq_ignore_ascii_case(&owner) && session.faults.denies(it, Part::Repository).is_none()
        });
        let message = || format!("Could not resolve to a Repository with the name '{owner}/{name}'.");
        let repository = seen.cloned().ok_or_else(|| error("NOT_FOUND", message()))?;
        Ok(Some(Repository(Home { session: session.clone(), repository })))
    }

    async fn repository_owner(&self, context: &Context<'_>, login: String) -> Result<Option<RepositoryOwner>> {
        let session = session(context)?;
        if session.organisation.login.eq_ignore_ascii_case(&login) {
            return Ok(Some(RepositoryOwner::Organization(Organization(session.clone()))));
        }
        Ok(user(session, &login).map(RepositoryOwner::User))
    }

    async fn organization(&self, context: &Context<'_>, login: String) -> Result<Option<Organization>> {
        let session = session(context)?;
        if session.organisation.login.eq_ignore_ascii_case(&login) {
            return Ok(Some(Organization(session.clone())));
        }
        Err(error("NOT_FOUND", format!("Could not resolve to an Organization with the login of '{login}'.")))
    }

    async fn user(&self, context: &Context<'_>, login: String) -> Result<Option<User>> {
        let message = format!("Could not resolve to a User with the login of '{login}'.");
        user(session(context)?, &login).map(Some).ok_or_else(|| error("NOT_FOUND", message))
    }

    async fn node(&self, context: &Context<'_>, id: ID) -> Result<Option<Node>> {
        node(session(context)?, &id).map(Some)
    }

    /// What is not there, or not to be seen, is null and an error of its own.
    async fn nodes(&self, context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        let session = session(context)?;
        if ids.len() > 100 {
            let message = format!("You may not provide more than 100 node ids; you provided {}.", ids.len());
            return Err(error("ARGUMENT_LIMIT", message));
        }
        let nodes = ids.iter().enumerate().map(|(index, id)| {
            node(session, id)
                .map_err(|error| {
                    let error = context.set_error_path(error.into_server_error(context.item.pos));
                    context.add_error(below(error, &[], index));
                })
                .ok()
        });
        Ok(nodes.collect())
    }
}

fn session<'a>(context: &Context<'a>) -> Result<&'a Arc<Session>> {
    context.data::<Arc<Session>>()
}

fn user(session: &Session, login: &str) -> Option<User> {
    let mut people = session.organisation.accounts.iter().filter(|account| !account.bot && !account.deleted);
    people.find(|account| account.login.eq_ignore_ascii_case(login)).cloned().map(User)
}

fn node(session: &Arc<Session>, id: &str) -> Result<Node, Error> {
    let nothing = || error("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'."));
    let wanted = NodeId::parse(id).ok_or_else(nothing)?;
    let organisation = &session.organisation;
    let account =
        || organisation.accounts.iter().find(|account| account.id == wanted.home && !account.deleted).cloned();
    match wanted.prefix.as_str() {
        "U" => return account().map(|account| Node::User(User(account))).ok_or_else(nothing),
        "BOT" => return account().map(|account| Node::Bot(Bot(account))).ok_or_else(nothing),
        "O" if wanted.home == organisation.id => return Ok(Node::Organization(Organization(session.clone()))),
        _ => (),
    }
    let repository = organisation.repositories.iter().find(|it| it.id == wanted.home).ok_or_else(nothing)?.clone();
    let home = Home { session: session.clone(), repository };
    if home.denies(Part::Repository) {
        return Err(nothing());
    }
    let part = match wanted.prefix.as_str() {
        "DE" | "DES" => Part::Deployments,
        "PR" => Part::Pulls,
        "I" | "LA" => Part::Issues,
        "C" => Part::Commits,
        "RE" => Part::Releases,
        "W" => Part::Runs,
        _ => Part::Repository,
    };
    if home.denies(part) {
        return Err(forbidden());
    }
    let it = home.repository.clone();
    let found = match wanted.prefix.as_str() {
        "R" => Some(Node::Repository(Repository(home))),
        "C" => Commit::of(&home, &wanted.sha).map(Node::Commit),
        "PR" => {
            let index = it.pulls.iter().position(|pull| pull.id == wanted.id);
            index.map(|index| Node::PullRequest(PullRequest { home, index }))
        }
        "I" => {
            let index = it.issues.iter().position(|issue| issue.id == wanted.id);
            index.map(|index| Node::Issue(Issue { home, index }))
        }
        "LA" => {
            let label = it.labels.iter().find(|label| label.id == wanted.id).cloned();
            label.map(|label| Node::Label(Label { home, label }))
        }
        "DE" => {
            let index = it.deployments.binary_search_by_key(&wanted.id, |deployment| deployment.id).ok();
            index.map(|index| Node::Deployment(Deployment { home, index }))
        }
        "RE" => {
            let index = it.releases.iter().position(|release| release.id == wanted.id);
            index.map(|index| Node::Release(Release { home, index }))
        }
        "W" => Workflow::of(&home, wanted.id).map(Node::Workflow),
        _ => None,
    };
    found.ok_or_else(nothing)
}
