//! Issues and labels.

use async_graphql::{Enum, ID, InputObject, Object, Result, Union};

use super::Home;
use super::actors::{Actor, OrderDirection, actor};
use super::paging::{Paging, connection};
use super::repository::Repository;
use super::scalars::{BigInt, Instant, Uri};
use crate::github::model::{self, Time};

#[derive(Clone)]
pub(in crate::github) struct Issue {
    pub home: Home,
    pub index: usize,
}

#[derive(Clone)]
pub(in crate::github) struct Label {
    pub home: Home,
    pub label: model::Label,
}

connection!(IssueConnection, IssueEdge, Issue);
connection!(LabelConnection, LabelEdge, Label);
connection!(IssueTimelineItemsConnection, IssueTimelineItemsEdge, IssueTimelineItems);

/// Of what happened to an issue, what somebody has asked for so far.
#[derive(Union, Clone)]
pub(in crate::github) enum IssueTimelineItems {
    Unlabeled(UnlabeledEvent),
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum IssueTimelineItemsItemType {
    UnlabeledEvent,
}

#[derive(Clone)]
pub(in crate::github) struct UnlabeledEvent {
    home: Home,
    issue: i64,
    label: model::Label,
    at: Time,
}

#[Object]
impl UnlabeledEvent {
    async fn id(&self) -> ID {
        self.home.view().id("UNLE", self.issue * 1_000_000 + self.at.timestamp() % 1_000_000).into()
    }
    async fn created_at(&self) -> Instant {
        Instant(self.at)
    }
    async fn label(&self) -> Label {
        Label { home: self.home.clone(), label: self.label.clone() }
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum IssueState {
    Open,
    Closed,
}

impl IssueState {
    pub fn of(closed: bool) -> Self {
        if closed { Self::Closed } else { Self::Open }
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum IssueOrderField {
    CreatedAt,
    UpdatedAt,
}

#[derive(InputObject)]
pub(in crate::github) struct IssueOrder {
    field: IssueOrderField,
    direction: OrderDirection,
}

impl IssueOrder {
    pub fn key(order: Option<&Self>, created_at: Time, updated_at: Time) -> i64 {
        let updated = order.is_some_and(|order| order.field == IssueOrderField::UpdatedAt);
        if updated { updated_at.timestamp() } else { created_at.timestamp() }
    }

    pub fn descending(order: Option<&Self>) -> bool {
        order.is_some_and(|order| order.direction == OrderDirection::Desc)
    }
}

#[derive(InputObject)]
pub(in crate::github) struct IssueFilters {
    pub labels: Option<Vec<String>>,
    pub since: Option<Instant>,
    pub states: Option<Vec<IssueState>>,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum LabelOrderField {
    Name,
    CreatedAt,
}

#[derive(InputObject)]
pub(in crate::github) struct LabelOrder {
    pub field: LabelOrderField,
    pub direction: OrderDirection,
}

impl Default for LabelOrder {
    fn default() -> Self {
        Self { field: LabelOrderField::CreatedAt, direction: OrderDirection::Asc }
    }
}

impl LabelOrder {
    #[allow(clippy::unnecessary_wraps, reason = "the type of the argument")]
    pub fn usual() -> Option<Self> {
        Some(Self::default())
    }

    pub fn key(&self, all: &[model::Label], label: &model::Label) -> i64 {
        match self.field {
            LabelOrderField::CreatedAt => label.created_at.timestamp(),
            LabelOrderField::Name => {
                let before = all.iter().filter(|other| other.name < label.name).count();
                i64::try_from(before).unwrap_or(i64::MAX)
            }
        }
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum IssueStateReason {
    Completed,
    NotPlanned,
    Reopened,
    Duplicate,
}

impl Issue {
    fn it(&self) -> &model::Issue {
        &self.home.repository.issues[self.index]
    }
}

#[Object]
impl Issue {
    pub async fn id(&self) -> ID {
        self.home.view().id("I", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn full_database_id(&self) -> Option<BigInt> {
        Some(BigInt(self.it().id.to_string()))
    }
    async fn number(&self) -> i64 {
        self.it().number
    }
    async fn title(&self) -> &str {
        &self.it().title
    }
    async fn body(&self) -> &str {
        self.it().body.as_deref().unwrap_or_default()
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/issues/{}", self.it().number))
    }
    async fn state(&self) -> IssueState {
        IssueState::of(self.it().closed_at.is_some())
    }
    async fn state_reason(
        &self,
        #[graphql(default_with = "Some(false)")] enable_duplicate: Option<bool>,
    ) -> Option<IssueStateReason> {
        let _ = enable_duplicate;
        self.it().closed_at.map(|_| IssueStateReason::Completed)
    }
    async fn closed(&self) -> bool {
        self.it().closed_at.is_some()
    }
    async fn created_at(&self) -> Instant {
        Instant(self.it().created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.it().updated_at)
    }
    async fn closed_at(&self) -> Option<Instant> {
        self.it().closed_at.map(Instant)
    }
    async fn author(&self) -> Option<Actor> {
        actor(&self.home.session, self.it().author)
    }
    async fn repository(&self) -> Repository {
        Repository(self.home.clone())
    }
    async fn labels(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(default_with = "LabelOrder::usual()")] order_by: Option<LabelOrder>,
    ) -> Result<Option<LabelConnection>> {
        let all = &self.home.repository.labels;
        let order = order_by.unwrap_or_default();
        let items = all
            .iter()
            .filter(|label| self.it().labels.contains(&label.name))
            .map(|label| ((order.key(all, label), label.id), label.clone()))
            .collect();
        let descending = order.direction == OrderDirection::Desc;
        let page = Paging { first, after, last, before }.page("labels", items, descending)?;
        Ok(Some(page.map(|label| Label { home: self.home.clone(), label }).into()))
    }
    async fn timeline_items(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        item_types: Option<Vec<IssueTimelineItemsItemType>>,
    ) -> Result<IssueTimelineItemsConnection> {
        let of_type = |kind: &IssueTimelineItemsItemType| *kind == IssueTimelineItemsItemType::UnlabeledEvent;
        let is_wanted = item_types.is_none_or(|types| types.iter().any(of_type));
        let all = self.it().unlabeled.iter().filter(|_| is_wanted);
        let labels = &self.home.repository.labels;
        let items = all.filter_map(|(name, at)| {
            let label = labels.iter().find(|label| label.name == *name)?.clone();
            let event = UnlabeledEvent { home: self.home.clone(), issue: self.it().id, label, at: *at };
            Some(((at.timestamp(), event.label.id), IssueTimelineItems::Unlabeled(event)))
        });
        Ok(Paging { first, after, last, before }.page("timelineItems", items.collect(), false)?.into())
    }
}

#[Object]
impl Label {
    pub async fn id(&self) -> ID {
        self.home.view().id("LA", self.label.id).into()
    }
    async fn name(&self) -> &str {
        &self.label.name
    }
    async fn color(&self) -> &str {
        &self.label.color
    }
    async fn description(&self) -> Option<&str> {
        self.label.description.as_deref()
    }
    async fn is_default(&self) -> bool {
        false
    }
    async fn created_at(&self) -> Option<Instant> {
        Some(Instant(self.label.created_at))
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/labels/{}", self.label.name))
    }
}
