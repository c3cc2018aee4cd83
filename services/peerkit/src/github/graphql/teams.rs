//! Teams, and what they may do in repositories.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, Result, SimpleObject};

use super::actors::Organization;
use super::paging::{PageInfo, Paging, connection};
use super::repository::Repository;
use super::scalars::Uri;
use super::{Home, Session};
use crate::github::faults::Part;
use crate::github::json::NodeId;
use crate::github::model;

#[derive(Clone)]
pub(in crate::github) struct Team {
    pub session: Arc<Session>,
    /// Where it stands among the organisation's.
    pub index: usize,
}

connection!(TeamConnection, TeamEdge, Team);

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum RepositoryPermission {
    Admin,
    Maintain,
    Write,
    Triage,
    Read,
}

#[derive(SimpleObject)]
pub(in crate::github) struct TeamRepositoryEdge {
    cursor: String,
    node: Repository,
    permission: RepositoryPermission,
}

#[derive(SimpleObject)]
pub(in crate::github) struct TeamRepositoryConnection {
    edges: Option<Vec<Option<TeamRepositoryEdge>>>,
    nodes: Option<Vec<Option<Repository>>>,
    page_info: PageInfo,
    total_count: i32,
}

impl Team {
    fn it(&self) -> &model::Team {
        &self.session.organisation.teams[self.index]
    }
}

#[Object]
impl Team {
    pub async fn id(&self) -> ID {
        NodeId::account("T", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn slug(&self) -> &str {
        &self.it().slug
    }
    async fn combined_slug(&self) -> String {
        format!("{}/{}", self.session.organisation.login, self.it().slug)
    }
    async fn name(&self) -> &str {
        &self.it().name
    }
    async fn url(&self) -> Uri {
        Uri(format!("https://github.com/orgs/{}/teams/{}", self.session.organisation.login, self.it().slug))
    }
    async fn organization(&self) -> Organization {
        Organization(self.session.clone())
    }
    async fn parent_team(&self) -> Option<Team> {
        let parent = self.it().parent.as_ref()?;
        let index = self.session.organisation.teams.iter().position(|team| team.slug == *parent)?;
        Some(Team { session: self.session.clone(), index })
    }
    async fn repositories(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<TeamRepositoryConnection> {
        let all = &self.session.organisation.repositories;
        let seen = all.iter().filter(|it| self.session.faults.denies(it, Part::Repository).is_none());
        let items = seen.filter_map(|it| {
            let permission = match self.it().repositories.get(&it.id)?.as_str() {
                "ADMIN" => RepositoryPermission::Admin,
                "MAINTAIN" => RepositoryPermission::Maintain,
                "WRITE" => RepositoryPermission::Write,
                "TRIAGE" => RepositoryPermission::Triage,
                _ => RepositoryPermission::Read,
            };
            Some(((it.id, 0), (it.clone(), permission)))
        });
        let page = Paging { first, after, last, before }.page("repositories", items.collect(), false)?;
        let (page_info, total_count) = (page.info(), i32::try_from(page.total).unwrap_or(i32::MAX));
        let home = |repository: &Arc<model::Repository>| {
            Repository(Home { session: self.session.clone(), repository: repository.clone() })
        };
        let nodes = page.nodes.iter().map(|(_, item)| item.as_ref().map(|(it, _)| home(it))).collect();
        let edges = page.nodes.iter().map(|(cursor, item)| {
            let (it, permission) = item.as_ref()?;
            Some(TeamRepositoryEdge { cursor: cursor.clone(), node: home(it), permission: *permission })
        });
        Ok(TeamRepositoryConnection { edges: Some(edges.collect()), nodes: Some(nodes), page_info, total_count })
    }
}
