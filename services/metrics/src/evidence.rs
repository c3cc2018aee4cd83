//! The rows behind a value, page by page, newest first: those that count, and those that were left out, each with
//! the reason.

use hashbrown::HashSet;
use vigie_model::Time;
use vigie_model::facts::{ChangeFact, DeploymentFact, IncidentFact};
use vigie_model::settings::{MetricName, UptimeSource};
use vigie_model::window::Window;

use crate::frame::changes::ChangeClass;
use crate::frame::deployments::{Class, Deployments};
use crate::frame::incidents::Incident;
use crate::frame::seek;
use crate::lists::Place;
use crate::page::{Cursor, Page, cut};
use crate::scope::Scope;
use crate::slice::{Piece, Slice};
use crate::snapshot::Snapshot;

/// A row behind a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Of frequencies and rates.
    Deployment(DeploymentFact),
    /// Of lead time.
    Change(ChangeFact),
    /// Of time to restore and its like.
    Incident(IncidentFact),
    /// Of uptime: when a service was down, cut at the window's ends; where requests are counted, a sample with bad
    /// ones.
    Interval {
        /// The service's slug.
        service: Box<str>,
        /// When it begins.
        from: Time,
        /// When it ends.
        to: Time,
    },
}

/// See [`Row`].
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceRow {
    /// The row.
    pub row: Row,
    /// Whether the value counts it.
    pub counted: bool,
    /// Why not; see [`crate::exclusion_text`].
    pub reason: Option<&'static str>,
    /// What the next page begins after.
    pub cursor: Cursor,
}

/// A page of the rows behind a value.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidencePage {
    /// The rows, newest first.
    pub rows: Vec<EvidenceRow>,
    /// How many there are in all.
    pub total: u64,
    /// Whether rows follow.
    pub has_next: bool,
}

/// A row's place, and why it does not count.
type Found = (Time, (Place, Option<&'static str>));

impl Snapshot {
    /// The rows behind a metric's value.
    #[must_use]
    pub fn evidence(&self, metric: MetricName, scope: &Scope, window: Window, now: Time, page: &Page) -> EvidencePage {
        let slices = self.slices(scope, vec![window], now);
        let slice = slices.first();
        match metric {
            MetricName::DeploymentFrequency
            | MetricName::ChangeFailureRate
            | MetricName::FailedDeploymentRecoveryTime
            | MetricName::ReworkRate => {
                let key = |place| scope.deployment_key(place);
                let row = |place| scope.deployment(place).map(Row::Deployment);
                render(deployments(metric, &slice), page, key, row)
            }
            MetricName::LeadTime => {
                let key = |place| scope.change_key(place);
                let row = |place| scope.change(place).map(Row::Change);
                render(changes(&slice), page, key, row)
            }
            MetricName::Mttr | MetricName::Mttd | MetricName::Mtta => {
                let key = |place| scope.incident_key(place);
                let row = |place| scope.incident(place).map(Row::Incident);
                render(incidents(metric, &slice), page, key, row)
            }
            MetricName::Uptime => intervals(&slice, page),
        }
    }
}

fn render(
    found: Vec<Found>,
    page: &Page,
    key: impl Fn(Place) -> String,
    row: impl Fn(Place) -> Option<Row>,
) -> EvidencePage {
    let cut = cut(found, page, |(place, _)| key(place));
    let rows = cut.rows.into_iter();
    EvidencePage {
        rows: rows
            .filter_map(|((place, reason), cursor)| {
                Some(EvidenceRow { row: row(place)?, counted: reason.is_none(), reason, cursor })
            })
            .collect(),
        total: cut.total,
        has_next: cut.has_next,
    }
}

/// The pieces of a slice with the numbers of their members.
fn numbered<'a>(
    slice: &Slice<'a>,
    pieces: impl Iterator<Item = Piece<'a>>,
) -> impl Iterator<Item = (usize, Piece<'a>)> {
    let members = slice.members();
    pieces.map(move |piece| {
        let number = members.binary_search_by(|member| member.frame.slug().cmp(piece.member.frame.slug())).unwrap_or(0); // a piece is of a member
        (number, piece)
    })
}

fn deployments(metric: MetricName, slice: &Slice) -> Vec<Found> {
    let mut found = Vec::new();
    for (member, piece) in numbered(slice, slice.pieces()) {
        let own = &piece.environment.deployments;
        let is_watched = piece.member.frame.service().failure_signal;
        for row in own.range(piece.from, piece.to) {
            if !own.is_finished(row) {
                continue;
            }
            let Some(reason) = deployment_reason(metric, own, row, is_watched) else {
                continue;
            };
            let place = Place { member, row: own.in_table(row) };
            found.push((own.at(row), (place, reason)));
        }
    }
    found
}

/// Why a deployment does not count; the outer `None` where the metric does not speak of it at all.
fn deployment_reason(
    metric: MetricName,
    own: &Deployments,
    row: usize,
    is_watched: bool,
) -> Option<Option<&'static str>> {
    let is = |class| own.is(row, class);
    let other = if is(Class::OtherCategory) {
        Some("other_category")
    } else if is(Class::Joined) {
        Some("same_rollout")
    } else if is(Class::Redeployment) {
        Some("redeployment")
    } else {
        None
    };
    let is_judged = is(Class::Delivery) || is(Class::FailedOutcome);
    let unsuccessful = (!is(Class::Delivery) && !is(Class::Rollback)).then_some("unsuccessful");
    let rollback = is(Class::Rollback).then_some("rollback");
    let unwatched = (!is_watched).then_some("no_failure_signal");
    Some(match metric {
        MetricName::DeploymentFrequency => other.or(rollback).or(unsuccessful),
        MetricName::ReworkRate => other.or(unsuccessful).or(unwatched),
        // Where nobody watches, any delivery may have failed.
        MetricName::FailedDeploymentRecoveryTime if is_judged && !is_watched => unwatched,
        MetricName::FailedDeploymentRecoveryTime if is(Class::Failed) => {
            (!is(Class::Recovered)).then_some("not_recovered")
        }
        MetricName::FailedDeploymentRecoveryTime => return None,
        _ if is_judged => unwatched,
        _ => other.or(rollback).or(unsuccessful),
    })
}

fn changes(slice: &Slice) -> Vec<Found> {
    let bots = slice.settings().count_bots;
    let mut found = Vec::new();
    for (member, piece) in numbered(slice, slice.pieces()) {
        let own = &piece.environment.changes;
        for row in own.range(piece.from, piece.to) {
            let reason = match own.class(row) {
                ChangeClass::Counted => None,
                ChangeClass::Bot => (!bots).then_some("bot"),
                ChangeClass::Other => Some("other_line"),
            };
            let place = Place { member, row: own.in_table(row) };
            found.push((own.at(row), (place, reason)));
        }
    }
    found
}

fn incidents(metric: MetricName, slice: &Slice) -> Vec<Found> {
    let least = slice.settings().min_severity;
    let end = slice.window().to;
    let reason = |incident: &Incident| {
        let length = match metric {
            MetricName::Mttd => incident.detect,
            MetricName::Mtta => incident.acknowledge,
            _ => incident.restore,
        };
        match length {
            _ if !incident.reaches(least) => Some("below_min_severity"),
            Some(length) if length >= 0 => None,
            Some(_) => Some("times_out_of_order"),
            None => Some("time_unknown"),
        }
    };
    let mut met: HashSet<&str> = HashSet::new();
    let mut found: Vec<Found> = Vec::new();
    let mut add = |member, piece: &Piece<'_>, row, at, reason| {
        let row = piece.environment.incidents.in_table(row);
        found.push((at, (Place { member, row }, reason)));
    };
    for (member, piece) in numbered(slice, slice.pieces()) {
        let own = &piece.environment.incidents;
        for (row, incident) in own.restored(seek::range(own.restored_at(), piece.from, piece.to)) {
            if incident.shared.as_ref().is_none_or(|key| met.insert(key)) {
                let at = incident.restored_at.unwrap_or(end);
                add(member, &piece, row, at, reason(incident));
            }
        }
    }
    // Open ones may have started long before the window.
    for (member, piece) in numbered(slice, slice.pieces_in(Time::MIN, end)) {
        for (row, incident) in piece.environment.incidents.open() {
            let at = incident.started_at;
            if piece.from <= at
                && at < piece.to
                && incident.reaches(least)
                && incident.shared.as_ref().is_none_or(|key| met.insert(key))
            {
                add(member, &piece, row, at, Some("open"));
            }
        }
    }
    found
}

fn intervals(slice: &Slice, page: &Page) -> EvidencePage {
    let mut found: Vec<(Time, (usize, Time))> = Vec::new();
    let archived = |piece: &Piece| {
        let at = piece.member.frame.service().archived_at;
        at.is_some_and(|at| at <= slice.window().from)
    };
    for (member, piece) in numbered(slice, slice.pieces()) {
        if archived(&piece) {
            continue;
        }
        let own = &piece.environment.availability;
        let mut add = |(from, to)| found.push((from, (member, to)));
        match slice.uptime_source(piece.member, Some(piece.environment)) {
            Some(UptimeSource::Requests) => own.requests.bad(piece.from, piece.to).for_each(add),
            Some(UptimeSource::Probes) => own.down.within(piece.from, piece.to).for_each(add),
            Some(UptimeSource::Incidents) => own.outages.within(piece.from, piece.to).for_each(&mut add),
            None => {}
        }
    }
    let members = slice.members();
    let slug = |member: usize| &**members[member].frame.slug();
    let cut = cut(found, page, |(member, to)| format!("{}\u{1f}{to}", slug(member)));
    let rows = cut.rows.into_iter();
    EvidencePage {
        rows: rows
            .map(|((member, to), cursor)| EvidenceRow {
                row: Row::Interval { service: slug(member).into(), from: cursor.at(), to },
                counted: true,
                reason: None,
                cursor,
            })
            .collect(),
        total: cut.total,
        has_next: cut.has_next,
    }
}
