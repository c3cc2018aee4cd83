//! What a slice knows of availability, service by service.

use vigie_model::Time;
use vigie_model::settings::{IncidentCoverage, UptimeSource};

use super::{Slice, Slices};
use crate::frame::Environment;
use crate::frame::seek::Seeker;
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

/// Where the searches in a service's availability ended.
#[derive(Default)]
struct Seekers {
    first: Seeker,
    second: Seeker,
}

impl Slices<'_> {
    fn uptimes(&self) -> Vec<Uptimes> {
        let mut found: Vec<Uptimes> = self.blank();
        for member in &self.scope.members {
            let archived_at = member.frame.service().archived_at;
            let source = self.uptime_source(member, member.environment());
            let mut seekers = Seekers::default();
            for (window, own) in self.windows.iter().zip(&mut found) {
                if archived_at.is_some_and(|at| at <= window.from) {
                    own.archived += 1;
                    continue;
                }
                let mut sums = (0, 0);
                if let Some(source) = source {
                    for (from, to) in member.spans(window.from, window.to) {
                        let (up, observed) = observed(member.environment(), source, &mut seekers, from, to);
                        sums = (sums.0 + up, sums.1 + observed);
                    }
                }
                match (source, sums) {
                    (Some(source), (up, observed)) if observed > 0 => {
                        own.known.push(ServiceUptime { source, up, observed });
                    }
                    _ => own.unknown += 1,
                }
            }
        }
        found
    }

    /// Where a service's uptime comes from: what its settings say, else the first source that has any data, ever.
    /// `None` where there is none.
    fn uptime_source(&self, member: &Member, environment: Option<&Environment>) -> Option<UptimeSource> {
        let settings = self.settings;
        let all = settings.incident_coverage == IncidentCoverage::All;
        let has = |source: UptimeSource| match environment {
            Some(own) => own.has_uptime(source, all),
            None => all && source == UptimeSource::Incidents,
        };
        // Most sites set nothing of single services.
        let own = (!settings.services.is_empty()).then(|| settings.service(member.frame.slug())).flatten();
        match own.and_then(|own| own.uptime) {
            Some(chosen) => has(chosen).then_some(chosen),
            None => UptimeSource::ALL.iter().copied().find(|source| has(*source)),
        }
    }
}

/// How much of a stretch of time, or of its requests, was good, and how much was seen.
fn observed(
    environment: Option<&Environment>,
    source: UptimeSource,
    seekers: &mut Seekers,
    from: Time,
    to: Time,
) -> (i64, i64) {
    let Some(own) = environment.map(|own| &own.availability) else {
        return (to - from, to - from); // every incident would be known, and there was none
    };
    let Seekers { first, second } = seekers;
    match source {
        UptimeSource::Requests => own.requests.sums(first, from, to),
        UptimeSource::Probes => {
            let up = own.up.covered(first, from, to);
            (up, up + own.down.covered(second, from, to))
        }
        UptimeSource::Incidents => {
            let seen = to - from - own.maintenance.covered(first, from, to);
            (seen - own.outages.covered(second, from, to), seen)
        }
    }
}

impl<'a> Slice<'a> {
    /// See [`Slices::uptime_source`].
    pub(crate) fn uptime_source(&self, member: &Member, environment: Option<&Environment>) -> Option<UptimeSource> {
        self.of.uptime_source(member, environment)
    }

    /// See [`Uptimes`].
    pub(crate) fn uptimes(&self) -> &'a Uptimes {
        &self.of.found.uptimes.get_or_init(|| self.of.uptimes())[self.number]
    }

    /// The share of the window, maintenance taken out, that probes cover; `None` where uptime does not come from
    /// them.
    #[allow(clippy::cast_precision_loss)] // lengths of time
    pub(crate) fn probed(&self, member: &Member) -> Option<f64> {
        let environment = member.environment()?;
        if self.uptime_source(member, Some(environment))? != UptimeSource::Probes {
            return None;
        }
        let (mut covered, mut length) = (0, 0);
        let mut seekers = Seekers::default();
        let mut seeker = Seeker::default();
        for (from, to) in member.spans(self.window().from, self.window().to) {
            covered += observed(Some(environment), UptimeSource::Probes, &mut seekers, from, to).1;
            length += to - from - environment.availability.maintenance.covered(&mut seeker, from, to);
        }
        (length > 0).then(|| covered as f64 / length as f64)
    }
}
