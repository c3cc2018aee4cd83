//! Environments, and workflows with their runs.

use async_graphql::{Enum, ID, Object, Result};

use super::Home;
use super::paging::{Paging, connection};
use super::scalars::{Instant, Uri};
use crate::github::model::Run;

#[derive(Clone)]
pub(in crate::github) struct Environment {
    pub home: Home,
    pub name: String,
}

#[derive(Clone)]
pub(in crate::github) struct Workflow {
    home: Home,
    /// One of its runs, which says what it is.
    run: Run,
}

#[derive(Clone)]
pub(in crate::github) struct WorkflowRun {
    home: Home,
    run: Run,
}

/// What one app checks of a commit: here always the run of a workflow.
#[derive(Clone)]
pub(in crate::github) struct CheckSuite {
    home: Home,
    run: Run,
}

connection!(CheckSuiteConnection, CheckSuiteEdge, CheckSuite);
connection!(EnvironmentConnection, EnvironmentEdge, Environment);
connection!(WorkflowRunConnection, WorkflowRunEdge, WorkflowRun);

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum WorkflowState {
    Active,
}

impl Workflow {
    /// A workflow by its number.
    pub fn of(home: &Home, id: i64) -> Option<Self> {
        let run = home.repository.runs.iter().find(|run| run.workflow == id)?.clone();
        Some(Self { home: home.clone(), run })
    }
}

impl CheckSuite {
    /// Those of a commit, by age.
    pub fn of(home: &Home, sha: &str, paging: &Paging) -> Result<CheckSuiteConnection> {
        let own = home.repository.runs.iter().filter(|run| run.sha == sha);
        let items = own.map(|run| ((run.created_at.timestamp(), run.id), run.clone())).collect();
        let page = paging.page("checkSuites", items, false)?;
        Ok(page.map(|run| Self { home: home.clone(), run }).into())
    }
}

#[Object]
impl CheckSuite {
    async fn id(&self) -> ID {
        self.home.view().id("CS", self.run.id + 1).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.run.id + 1)
    }
    async fn created_at(&self) -> Instant {
        Instant(self.run.created_at)
    }
    async fn workflow_run(&self) -> Option<WorkflowRun> {
        Some(WorkflowRun { home: self.home.clone(), run: self.run.clone() })
    }
}

#[Object]
impl Environment {
    async fn id(&self) -> ID {
        format!("EN_kwDO{:08x}{}", self.home.repository.id, self.name).into()
    }
    async fn name(&self) -> &str {
        &self.name
    }
}

#[Object]
impl Workflow {
    pub async fn id(&self) -> ID {
        self.home.view().id("W", self.run.workflow).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.run.workflow)
    }
    async fn name(&self) -> &str {
        &self.run.name
    }
    async fn state(&self) -> WorkflowState {
        WorkflowState::Active
    }
    async fn created_at(&self) -> Instant {
        Instant(self.home.repository.created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.home.repository.created_at)
    }
    async fn url(&self) -> Uri {
        let file = self.run.path.rsplit('/').next().unwrap_or_default();
        self.home.html(&format!("/actions/workflows/{file}"))
    }
    /// Newest first.
    async fn runs(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<WorkflowRunConnection> {
        let own = self.home.repository.runs.iter().filter(|run| run.workflow == self.run.workflow);
        let items = own.map(|run| ((run.created_at.timestamp(), run.id), run.clone())).collect();
        let page = Paging { first, after, last, before }.page("runs", items, true)?;
        Ok(page.map(|run| WorkflowRun { home: self.home.clone(), run }).into())
    }
}

#[Object]
impl WorkflowRun {
    async fn id(&self) -> ID {
        self.home.view().id("WFR", self.run.id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.run.id)
    }
    async fn event(&self) -> &str {
        &self.run.event
    }
    async fn run_number(&self) -> i64 {
        self.run.number
    }
    async fn created_at(&self) -> Instant {
        Instant(self.run.created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.run.updated_at)
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/actions/runs/{}", self.run.id))
    }
    async fn workflow(&self) -> Workflow {
        Workflow { home: self.home.clone(), run: self.run.clone() }
    }
}
