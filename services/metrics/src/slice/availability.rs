//! What a slice knows of availability, service by service.

use vigie_model::settings::{IncidentCoverage, UptimeSource};

use super::Slice;
use crate::frame::Environment;
use crate::scope::Member;

/// How much of a service's time, or of its requests, was good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceUptime {
    pub(crate) source: UptimeSource,
    /// Microseconds up, or good requests.
    pub(crate) up: i64,
    /// Microseconds observed, or requests; more than 0.
    pub(crate) observed: i64,
}

impl ServiceUptime {
    /// 0 to 1.
    #[allow(clippy::cast_precision_loss)] // counts and lengths far below 2^53
    pub(crate) fn ratio(&self) -> f64 {
        self.up as f64 / self.observed as f64
    }
}

/// The services of a slice by what is known of their availability.
#[derive(Debug, Default)]
pub(crate) struct Uptimes {
    /// Of those with data, in the order of their slugs.
    pub(crate) known: Vec<ServiceUptime>,
    /// How many have none.
    pub(crate) unknown: u64,
    /// How many were archived by the window's start.
    pub(crate) archived: u64,
}

impl Slice<'_> {
    /// Where a service's uptime comes from: what its settings say, else the first source that has any data, ever.
    /// `None` where there is none.
    pub(crate) fn uptime_source(&self, member: &Member, environment: Option<&Environment>) -> Option<UptimeSource> {
        let settings = self.settings();
        let all = settings.incident_coverage == IncidentCoverage::All;
        let has = |source: UptimeSource| match environment {
            Some(own) => own.availability.has(source, all),
            None => all && source == UptimeSource::Incidents,
        };
        let chosen = match settings.services.is_empty() {
            true => None,
            false => settings.service(member.frame.slug()).and_then(|own| own.uptime),
        };
        match chosen {
            Some(chosen) => has(chosen).then_some(chosen),
            None => UptimeSource::ALL.iter().copied().find(|s| has(*s)),
        }
    }

    /// See [`Uptimes`].
    pub(crate) fn uptimes(&self) -> Uptimes {
        let window = self.window();
        let mut found = Uptimes::default();
        for member in self.members() {
            let archived_at = member.frame.service().archived_at;
            if archived_at.is_some_and(|at| at <= window.from) {
                found.archived += 1;
                continue;
            }
            match self.uptime(member) {
                Some(uptime) => found.known.push(uptime),
                None => found.unknown += 1,
            }
        }
        found
    }

    fn uptime(&self, member: &Member) -> Option<ServiceUptime> {
        let environment = member.environment();
        let source = self.uptime_source(member, environment)?;
        let window = self.window();
        let (mut up, mut observed) = (0, 0);
        for (from, to) in member.spans(window.from, window.to) {
            let Some(own) = environment.map(|own| &own.availability) else {
                // Every incident would be known, and there was none.
                up += to - from;
                observed += to - from;
                continue;
            };
            match source {
                UptimeSource::Requests => {
                    let (good, total) = own.requests.sums(from, to);
                    up += good;
                    observed += total;
                }
                UptimeSource::Probes => {
                    let good = own.up.covered(from, to);
                    up += good;
                    observed += good + own.down.covered(from, to);
                }
                UptimeSource::Incidents => {
                    let seen = to - from - own.maintenance.covered(from, to);
                    up += seen - own.outages.covered(from, to);
                    observed += seen;
                }
            }
        }
        (observed > 0).then_some(ServiceUptime { source, up, observed })
    }

    /// The share of the window, maintenance taken out, that probes cover; `None` where uptime does not come from
    /// them.
    #[allow(clippy::cast_precision_loss)] // lengths of time
    pub(crate) fn probed(&self, member: &Member) -> Option<f64> {
        let environment = member.environment()?;
        if self.uptime_source(member, Some(environment))? != UptimeSource::Probes {
            return None;
        }
        let own = &environment.availability;
        let window = self.window();
        let (mut covered, mut length) = (0, 0);
        for (from, to) in member.spans(window.from, window.to) {
            covered += own.up.covered(from, to) + own.down.covered(from, to);
            length += to - from - own.maintenance.covered(from, to);
        }
        (length > 0).then(|| covered as f64 / length as f64)
    }
}
