//! What a slice knows of availability, service by service.

use vigie_model::Time;
use vigie_model::settings::{IncidentCoverage, UptimeSource};

use super::{Slice, Slices};
use crate::frame::Environment;
use crate::scope::Member;
use crate::windows::{Run, Windows};

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
    /// How much was good, of those with data.
    pub(crate) ratios: Mean,
    /// How much of the window was observed, of those whose time is.
    pub(crate) coverage: Mean,
    /// The one with data, where no other has any.
    pub(crate) only: Option<ServiceUptime>,
    /// How many have none.
    pub(crate) unknown: u64,
    /// How many were archived by the window's start.
    pub(crate) archived: u64,
}

/// A mean in the making. Its numbers are added in the order of the services' slugs, so that it is always the same.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mean {
    sum: f64,
    pub(crate) count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    #[allow(clippy::cast_precision_loss)] // a number of services
    pub(crate) fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl Uptimes {
    #[allow(clippy::cast_precision_loss)] // lengths of time
    fn add(&mut self, seen: Seen, length: Time) {
        match seen {
            Seen::Archived => self.archived += 1,
            Seen::Nothing => self.unknown += 1,
            Seen::Known(own) => {
                self.only = (self.ratios.count == 0).then_some(own);
                self.ratios.add(own.ratio());
                if own.source != UptimeSource::Requests {
                    self.coverage.add(own.observed as f64 / length as f64);
                }
            }
        }
    }
}

/// What is known of one service's availability in one window.
enum Seen {
    Archived,
    Nothing,
    Known(ServiceUptime),
}

impl Slices<'_> {
    fn uptimes(&self) -> Vec<Uptimes> {
        let mut found: Vec<Uptimes> = self.blank();
        self.availability(&self.windows, |number, length, seen| found[number].add(seen, length));
        found
    }

    /// Calls `each` for every service and window, with the window's length.
    fn availability(&self, windows: &Windows, mut each: impl FnMut(usize, Time, Seen)) {
        // How much was up and how much observed, of one service after another, in each window.
        let mut sums: Vec<(i64, i64)> = Vec::new();
        for member in &self.scope.members {
            let archived_at = member.frame.service().archived_at;
            let source = self.uptime_source(member, member.environment());
            sums.clear();
            sums.resize(windows.all().len(), (0, 0));
            if let Some(source) = source {
                for span in member.spans(Time::MIN, Time::MAX) {
                    windows.runs(span).for_each(|run| observe(member.environment(), source, run, &mut sums));
                }
            }
            for (number, (window, (up, observed))) in windows.all().iter().zip(&sums).enumerate() {
                let seen = match source {
                    _ if archived_at.is_some_and(|at| at <= window.from) => Seen::Archived,
                    Some(source) if *observed > 0 => {
                        Seen::Known(ServiceUptime { source, up: *up, observed: *observed })
                    }
                    _ => Seen::Nothing,
                };
                each(number, window.to - window.from, seen);
            }
        }
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

/// Adds how much of each window, or of its requests, was good, and how much was seen.
fn observe(environment: Option<&Environment>, source: UptimeSource, run: Run, sums: &mut [(i64, i64)]) {
    let mut add = |number: usize, up: i64, observed: i64| {
        let sums = &mut sums[number];
        *sums = (sums.0 + up, sums.1 + observed);
    };
    let Some(own) = environment.map(|own| &own.availability) else {
        // Every incident would be known, and there was none.
        return run.iter().for_each(|(number, (from, to))| add(number, to - from, to - from));
    };
    match source {
        UptimeSource::Requests => own.requests.sums(run, add),
        UptimeSource::Probes => {
            own.up.covered(run, |number, length| add(number, length, length));
            own.down.covered(run, |number, length| add(number, 0, length));
        }
        UptimeSource::Incidents => {
            run.iter().for_each(|(number, (from, to))| add(number, to - from, to - from));
            own.maintenance.covered(run, |number, length| add(number, -length, -length));
            own.outages.covered(run, |number, length| add(number, -length, 0));
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

    /// How much each service with data was up, in the order of their slugs.
    pub(crate) fn service_uptimes(&self) -> Vec<ServiceUptime> {
        let mut known = Vec::new();
        self.of.availability(&Windows::new(vec![self.window()]), |_, _, seen| {
            if let Seen::Known(own) = seen {
                known.push(own);
            }
        });
        known
    }

    /// The share of the window, maintenance taken out, that probes cover; `None` where uptime does not come from
    /// them.
    #[allow(clippy::cast_precision_loss)] // lengths of time
    pub(crate) fn probed(&self, member: &Member) -> Option<f64> {
        let environment = member.environment()?;
        if self.uptime_source(member, Some(environment))? != UptimeSource::Probes {
            return None;
        }
        let window = Windows::new(vec![self.window()]);
        let mut sums = [(0, 0)];
        let mut length = 0;
        for run in member.spans(Time::MIN, Time::MAX).flat_map(|span| window.runs(span)) {
            observe(Some(environment), UptimeSource::Probes, run, &mut sums);
            length += run.iter().map(|(_, (from, to))| to - from).sum::<Time>();
            environment.availability.maintenance.covered(run, |_, covered| length -= covered);
        }
        (length > 0).then(|| sums[0].1 as f64 / length as f64)
    }
}
