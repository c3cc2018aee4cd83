//! What a request's resolvers share: who asks, the one snapshot that every answer comes from, and what is left of the
//! request's budget.
//!
//! Every look-up is one in memory, in the snapshot that the request began with: a list that leads to other objects asks
//! no database for each of them, so there is nothing for a loader to batch. Only an earlier instant (`asOf`) is fetched,
//! once for all fields that name it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vigie_engine::{Engine, Unmapped};
use vigie_metrics::{Point, Scope, ScopeSpec, ServiceInfo, Snapshot};
use vigie_model::settings::MetricName;
use vigie_model::window::{Granularity, Window, buckets};
use vigie_model::{Time, format_time};

use super::budget::Budget;
use super::inputs::{ScopeInput, WindowInput};
use super::scalars::DateTime;
use crate::auth::{Access, Right};
use crate::error::{ApiError, Code, Result};
use crate::team_view::TeamViews;

/// A request, to its resolvers.
pub struct Ask {
    engine: Engine,
    teams: Arc<TeamViews>,
    access: Access,
    present: Arc<View>,
    /// Something beside the snapshot was looked at, so that an equal request may have another answer.
    volatile: AtomicBool,
}

/// One state of the data at one instant: what answers are computed from.
pub struct View {
    /// The state.
    pub snapshot: Arc<Snapshot>,
    /// Now, up to the end of its second; of an earlier state, its instant.
    pub now: Time,
    /// What the request may still use.
    pub budget: Arc<Budget>,
}

impl Ask {
    /// A request that comes now.
    pub fn new(
        engine: Engine,
        teams: Arc<TeamViews>,
        access: &Access,
        snapshot: Arc<Snapshot>,
        now: Time,
        budget: Budget,
    ) -> Self {
        let snapshot = teams.of(&snapshot, None, access.team.as_deref());
        let present = Arc::new(View { snapshot, now, budget: Arc::new(budget) });
        Self { engine, teams, access: access.clone(), present, volatile: AtomicBool::new(false) }
    }

    /// The engine, for those who administer: what is asked of it changes beside the snapshot.
    ///
    /// # Errors
    /// The right is missing.
    pub fn admin(&self) -> Result<&Engine> {
        self.volatile.store(true, Ordering::Relaxed);
        self.access.need(Right::Admin)?;
        if self.access.team.is_some() {
            let message = "deliveries and pulls are those of all teams; ask with a token that is not limited to one";
            return Err(ApiError::new(Code::Forbidden, message));
        }
        Ok(&self.engine)
    }

    /// The services that maps guessed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn unmapped(&self) -> Result<Vec<Unmapped>> {
        self.volatile.store(true, Ordering::Relaxed);
        Ok(self.engine.unmapped().await?)
    }

    /// Whether an equal request at this moment may have another answer.
    pub fn is_volatile(&self) -> bool {
        self.volatile.load(Ordering::Relaxed)
    }

    /// The state as of an earlier instant, or the present one.
    ///
    /// # Errors
    /// The instant is none or lies ahead, or the state cannot be had.
    pub async fn view(&self, as_of: Option<DateTime>) -> Result<Arc<View>> {
        let Some(as_of) = as_of else { return Ok(self.present.clone()) };
        let at = as_of.time("asOf")?;
        if at > self.engine.now() {
            let message = format!(
                "asOf: {} lies ahead; give an earlier instant, or leave it out for the present",
                format_time(at)
            );
            return Err(ApiError::bad_input(message));
        }
        let snapshot = self.engine.snapshot_as_of(at).await?;
        let snapshot = self.teams.of(&snapshot, Some(at), self.access.team.as_deref());
        Ok(Arc::new(View { snapshot, now: at, budget: self.present.budget.clone() }))
    }
}

impl View {
    /// The scope that is asked about.
    ///
    /// # Errors
    /// A name is unknown; the message has the nearest known ones.
    pub fn scope(&self, scope: Option<ScopeInput>) -> Result<Arc<Scope>> {
        let spec = scope.unwrap_or_default().spec()?;
        Ok(Arc::new(self.snapshot.scope(&spec)?))
    }

    /// The services, of a team and those below it where one is given, sorted by slug.
    ///
    /// # Errors
    /// There is no such team.
    pub fn services(&self, team: Option<&str>) -> Result<Vec<ServiceInfo>> {
        let Some(slug) = team else { return Ok(self.snapshot.services().to_vec()) };
        // The scope's look-up knows the nearest name.
        self.snapshot.scope(&ScopeSpec { teams: vec![slug.to_owned()], ..ScopeSpec::default() })?;
        Ok(self.snapshot.services_of_team(slug).into_iter().cloned().collect())
    }

    /// What one value of a scope costs: it grows with the services that it is found in.
    #[must_use]
    pub fn price(&self, scope: &Scope) -> u64 {
        1 + scope.len() as u64 / 10
    }

    /// A metric in every bucket of a window.
    ///
    /// # Errors
    /// There are too many buckets.
    pub fn series(&self, name: MetricName, scope: &Scope, window: Window, every: Granularity) -> Result<Vec<Point>> {
        let too_many = |error| ApiError::new(Code::TooComplex, format!("every: {error}"));
        let buckets = buckets(window, self.snapshot.zone(), every).map_err(too_many)?;
        self.budget.spend(self.price(scope).saturating_mul(buckets.len() as u64))?;
        self.snapshot.series(name, scope, window, every, self.now).map_err(too_many)
    }

    /// The window that is asked about.
    ///
    /// # Errors
    /// It is none.
    pub fn window(&self, window: &WindowInput) -> Result<Window> {
        window.resolve(self.snapshot.zone(), self.now)
    }
}
