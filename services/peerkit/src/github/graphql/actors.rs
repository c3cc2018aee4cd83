//! Users, bots and the organisation.

#![allow(clippy::duplicated_attributes, reason = "fields of an interface may have the same type")]

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Interface, Object, Result};

use super::paging::{Paging, connection};
use super::repository::Repository;
use super::scalars::Uri;
use super::teams::{Team, TeamConnection};
use super::{Home, Session, forbidden};
use crate::github::faults::Part;
use crate::github::json::NodeId;
use crate::github::model::Account;

#[derive(Interface)]
#[graphql(
    field(name = "login", ty = "String"),
    field(name = "url", ty = "Uri"),
    field(name = "resource_path", ty = "Uri"),
    field(name = "avatar_url", ty = "Uri", arg(name = "size", ty = "Option<i32>"))
)]
pub(in crate::github) enum Actor {
    Bot(Bot),
    User(User),
    Organization(Organization),
}

#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "login", ty = "String"),
    field(name = "url", ty = "Uri"),
    field(name = "resource_path", ty = "Uri"),
    field(name = "avatar_url", ty = "Uri", arg(name = "size", ty = "Option<i32>")),
    field(
        name = "repositories",
        ty = "RepositoryConnection",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>"),
        arg(name = "order_by", ty = "Option<RepositoryOrder>"),
        arg(name = "is_archived", ty = "Option<bool>"),
        arg(name = "is_fork", ty = "Option<bool>"),
        arg(
            name = "owner_affiliations",
            ty = "Option<Vec<Option<RepositoryAffiliation>>>",
            default_with = "RepositoryAffiliation::usual()"
        )
    )
)]
pub(in crate::github) enum RepositoryOwner {
    User(User),
    Organization(Organization),
}

connection!(RepositoryConnection, RepositoryEdge, Repository);

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum RepositoryAffiliation {
    Owner,
    Collaborator,
    OrganizationMember,
}

impl RepositoryAffiliation {
    #[allow(clippy::unnecessary_wraps, reason = "the type of the argument")]
    fn usual() -> Option<Vec<Option<Self>>> {
        Some(vec![Some(Self::Owner), Some(Self::Collaborator)])
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum OrderDirection {
    Asc,
    Desc,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum RepositoryOrderField {
    CreatedAt,
    UpdatedAt,
    PushedAt,
    Name,
}

#[derive(InputObject)]
pub(in crate::github) struct RepositoryOrder {
    field: RepositoryOrderField,
    direction: OrderDirection,
}

/// Somebody's account, or what stands for one that is gone.
#[derive(Clone)]
pub(in crate::github) struct User(pub Account);

#[derive(Clone)]
pub(in crate::github) struct Bot(pub Account);

#[derive(Clone)]
pub(in crate::github) struct Organization(pub Arc<Session>);

/// Nobody, where the account is gone.
pub(super) fn actor(session: &Session, index: usize) -> Option<Actor> {
    let account = session.organisation.accounts.get(index).filter(|account| !account.deleted)?.clone();
    Some(if account.bot { Actor::Bot(Bot(account)) } else { Actor::User(User(account)) })
}

/// The ghost, where the account is gone and the schema wants somebody.
pub(super) fn actor_or_ghost(session: &Session, index: usize) -> Actor {
    actor(session, index).unwrap_or_else(|| {
        Actor::User(User(Account {
            id: 10_137,
            login: "ghost".to_owned(),
            name: "Deleted user".to_owned(),
            email: String::new(),
            bot: false,
            deleted: false,
            offset: 0,
        }))
    })
}

fn avatar(id: i64) -> Uri {
    Uri(format!("https://avatars.githubusercontent.com/u/{id}?v=4"))
}

#[Object]
impl User {
    pub async fn id(&self) -> ID {
        NodeId::account("U", self.0.id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.0.id)
    }
    /// A bot that made a commit is shown as a user, with the name that REST gives it.
    async fn login(&self) -> String {
        self.0.rest_login()
    }
    async fn name(&self) -> Option<String> {
        Some(self.0.name.clone())
    }
    async fn url(&self) -> Uri {
        Uri(format!("https://github.com/{}", self.0.login))
    }
    async fn resource_path(&self) -> Uri {
        Uri(format!("/{}", self.0.login))
    }
    async fn avatar_url(&self, size: Option<i32>) -> Uri {
        let _ = size;
        avatar(self.0.id)
    }
    #[allow(clippy::too_many_arguments, reason = "GitHub's")]
    async fn repositories(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        order_by: Option<RepositoryOrder>,
        is_archived: Option<bool>,
        is_fork: Option<bool>,
        #[graphql(default_with = "RepositoryAffiliation::usual()")] owner_affiliations: Option<
            Vec<Option<RepositoryAffiliation>>,
        >,
    ) -> Result<RepositoryConnection> {
        // people have none of their own here
        let _ = (order_by, is_archived, is_fork, owner_affiliations);
        Ok(Paging { first, after, last, before }.page("repositories", Vec::new(), false)?.into())
    }
}

#[Object]
impl Bot {
    pub async fn id(&self) -> ID {
        NodeId::account("BOT", self.0.id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.0.id)
    }
    async fn login(&self) -> &str {
        &self.0.login
    }
    async fn url(&self) -> Uri {
        Uri(format!("https://github.com/apps/{}", self.0.login))
    }
    async fn resource_path(&self) -> Uri {
        Uri(format!("/apps/{}", self.0.login))
    }
    async fn avatar_url(&self, size: Option<i32>) -> Uri {
        let _ = size;
        avatar(self.0.id)
    }
}

#[Object]
impl Organization {
    pub async fn id(&self) -> ID {
        NodeId::account("O", self.0.organisation.id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.0.organisation.id)
    }
    async fn login(&self) -> &str {
        &self.0.organisation.login
    }
    async fn name(&self) -> Option<&str> {
        Some("Harbour")
    }
    async fn url(&self) -> Uri {
        Uri(format!("https://github.com/{}", self.0.organisation.login))
    }
    async fn resource_path(&self) -> Uri {
        Uri(format!("/{}", self.0.organisation.login))
    }
    async fn avatar_url(&self, size: Option<i32>) -> Uri {
        let _ = size;
        avatar(self.0.organisation.id)
    }
    async fn team(&self, slug: String) -> Result<Option<Team>> {
        let index = self.0.organisation.teams.iter().position(|team| team.slug.eq_ignore_ascii_case(&slug));
        match self.0.faults.denies_teams() {
            true => Err(forbidden()),
            false => Ok(index.map(|index| Team { session: self.0.clone(), index })),
        }
    }
    async fn teams(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<TeamConnection> {
        if self.0.faults.denies_teams() {
            return Err(forbidden());
        }
        let items = (0_i64..).zip(0..self.0.organisation.teams.len()).map(|(rank, index)| ((rank, 0), index)).collect();
        let page = Paging { first, after, last, before }.page("teams", items, false)?;
        Ok(page.map(|index| Team { session: self.0.clone(), index }).into())
    }
    #[allow(clippy::too_many_arguments, reason = "GitHub's")]
    async fn repositories(
        &self,
        _context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        order_by: Option<RepositoryOrder>,
        is_archived: Option<bool>,
        is_fork: Option<bool>,
        #[graphql(default_with = "RepositoryAffiliation::usual()")] owner_affiliations: Option<
            Vec<Option<RepositoryAffiliation>>,
        >,
    ) -> Result<RepositoryConnection> {
        let owned = owner_affiliations.is_none_or(|it| it.contains(&Some(RepositoryAffiliation::Owner)));
        let session = &self.0;
        let all: Vec<_> = session
            .organisation
            .repositories
            .iter()
            .filter(|it| owned && session.faults.denies(it, Part::Repository).is_none())
            .filter(|it| is_archived.is_none_or(|wanted| wanted == it.archived))
            .filter(|it| is_fork.is_none_or(|wanted| wanted == it.fork))
            .collect();
        let mut names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        let order =
            order_by.unwrap_or(RepositoryOrder { field: RepositoryOrderField::Name, direction: OrderDirection::Asc });
        let key = |it: &crate::github::model::Repository| match order.field {
            RepositoryOrderField::CreatedAt => it.created_at.timestamp(),
            RepositoryOrderField::UpdatedAt => it.updated_at.timestamp(),
            RepositoryOrderField::PushedAt => it.pushed_at.map_or(0, |at| at.timestamp()),
            RepositoryOrderField::Name => {
                names.binary_search(&it.name.as_str()).ok().and_then(|rank| i64::try_from(rank).ok()).unwrap_or(0)
            }
        };
        let items = all.iter().map(|it| ((key(it), it.id), (*it).clone())).collect();
        let paging = Paging { first, after, last, before };
        let page = paging.page("repositories", items, order.direction == OrderDirection::Desc)?;
        Ok(page.map(|repository| Repository(Home { session: session.clone(), repository })).into())
    }
}
