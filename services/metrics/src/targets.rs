//! How a value stands to its target (metrics.md, Targets).

use vigie_model::settings::{MetricName, Ownership, Target};

use crate::answer::{Measurement, TargetStatus};
use crate::metrics::budget;
use crate::sample::seconds;
use crate::scope::{Asked, Scope};
use crate::slice::Slice;
use crate::snapshot::Snapshot;

/// Below this share of the error budget an uptime that meets its target is at risk.
const LEAST_BUDGET: f64 = 0.25;

impl Snapshot {
    /// The target of a metric that is in force for a scope at the end of a window: a service's own, else the one
    /// of its team or the nearest above, else the organisation's, else the default.
    pub(crate) fn target(
        &self,
        metric: MetricName,
        scope: &Scope,
        window: vigie_model::window::Window,
    ) -> Option<Target> {
        // The end lies outside the window: a target from 1 July does not judge June.
        let at = window.to.saturating_sub(1).max(window.from);
        let (service, team) = match &scope.asked {
            Asked::Service(slug) => (Some(&**slug), self.team_at(scope, at)),
            Asked::Team(slug) => (None, Some(&**slug)),
            Asked::Organization => (None, None),
        };
        let teams = team.map(|team| self.team_tree().above(team));
        self.settings().target_for(metric, service, teams.as_deref().unwrap_or_default(), at)
    }

    /// The team that the rows of an instant count for, of a scope's only service.
    fn team_at<'a>(&self, scope: &'a Scope, at: vigie_model::Time) -> Option<&'a str> {
        let frame = &scope.members.first()?.frame;
        if self.settings().ownership == Ownership::Now || frame.owners().is_empty() {
            return frame.team().map(AsRef::as_ref);
        }
        let owners = frame.owners().iter();
        let last = owners.take_while(|(from, _)| *from <= at).last();
        last.and_then(|(_, team)| team.as_deref())
    }
}

/// How a measurement stands to its target.
pub(crate) fn judge(metric: MetricName, target: Option<&Target>, found: &Measurement, slice: &Slice) -> TargetStatus {
    let Some(target) = target else {
        return TargetStatus::NoData;
    };
    let objective = target.objective;
    let is_open_too_long =
        metric == MetricName::Mttr && found.open_for.is_some_and(|length| seconds(length) > objective);
    if is_open_too_long {
        return TargetStatus::Missed;
    }
    let Some(value) = found.value else {
        return TargetStatus::NoData;
    };
    if !target.comparison.met(value, objective) {
        return TargetStatus::Missed;
    }
    let is_near = if metric == MetricName::Uptime {
        budget::left(slice, objective).is_some_and(|left| left < LEAST_BUDGET)
    } else {
        // The least tolerance makes a value at exactly the margin near, whatever its last bit.
        let margin = slice.settings().at_risk_margin * objective;
        (value - objective).abs() <= margin * (1.0 + 1e-9)
    };
    if is_near { TargetStatus::AtRisk } else { TargetStatus::Met }
}
