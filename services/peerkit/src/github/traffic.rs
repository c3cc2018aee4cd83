//! What was asked, and what is left of the quota.

use chrono::TimeDelta;

use super::model::Time;
use super::server;

/// A request and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    /// What was sent: a query and its variables.
    pub body: String,
    pub status: u16,
    /// Requests of REST, points of GraphQL.
    pub cost: u64,
    /// Of the body as it was sent, before compression.
    pub bytes: usize,
}

/// All requests since the start, or since [`super::GitHub::forget_traffic`].
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    pub requests: Vec<Request>,
}

impl Traffic {
    /// Requests to REST.
    #[must_use]
    pub fn rest(&self) -> usize {
        self.requests.len() - self.graphql()
    }

    /// Requests to GraphQL.
    #[must_use]
    pub fn graphql(&self) -> usize {
        self.requests.iter().filter(|request| request.is_graphql()).count()
    }

    /// Answers that said that nothing has changed.
    #[must_use]
    pub fn not_modified(&self) -> usize {
        self.with_status(304)
    }

    /// Answers with a status.
    #[must_use]
    pub fn with_status(&self, status: u16) -> usize {
        self.requests.iter().filter(|request| request.status == status).count()
    }

    /// What GraphQL cost.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.requests.iter().filter(|request| request.is_graphql()).map(|request| request.cost).sum()
    }

    /// Bytes of bodies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.requests.iter().map(|request| request.bytes).sum()
    }

    /// Requests whose path has this text in it.
    #[must_use]
    pub fn to(&self, path: &str) -> Vec<&Request> {
        self.requests.iter().filter(|request| request.path.contains(path)).collect()
    }
}

impl Request {
    pub(crate) fn is_graphql(&self) -> bool {
        server::is_graphql(&self.path)
    }
}

/// A quota for an hour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub limit: u64,
    pub used: u64,
    pub reset: Time,
}

impl Quota {
    pub fn new(now: Time) -> Self {
        Self { limit: 5_000, used: 0, reset: now + TimeDelta::hours(1) }
    }

    /// A new hour begins.
    pub fn roll(&mut self, now: Time) {
        if now >= self.reset {
            self.used = 0;
            self.reset = now + TimeDelta::hours(1);
        }
    }

    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}
