//! What a slice knows of deployments.

use vigie_model::DAY;

use super::Slice;
use crate::frame::deployments::{Class, Counts};
use crate::sample::Sample;

/// For how long before a window a service without deliveries still counts as deployed.
const DORMANT_AFTER: i64 = 90 * DAY;

/// Which services are deployed at all, and for how long the window had each of them.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Services with a delivery in the window or in the 90 days before it.
    pub(crate) active: u64,
    /// The others.
    pub(crate) dormant: u64,
    /// The days of the window, summed over the active services.
    pub(crate) days: f64,
}

impl Slice<'_> {
    /// How many deployments of each class ended in the slice.
    pub(crate) fn deployments(&self) -> Counts {
        let mut sums = Counts::default();
        for piece in self.pieces() {
            let deployments = &piece.environment.deployments;
            sums.add(&deployments.counts(&deployments.range(piece.from, piece.to)));
        }
        sums
    }

    /// The same, apart for services with a failure signal and those without.
    pub(crate) fn deployments_by_signal(&self) -> (Counts, Counts) {
        let (mut with, mut without) = (Counts::default(), Counts::default());
        for piece in self.pieces() {
            let deployments = &piece.environment.deployments;
            let counts = deployments.counts(&deployments.range(piece.from, piece.to));
            if piece.member.frame.service().failure_signal {
                with.add(&counts);
            } else {
                without.add(&counts);
            }
        }
        (with, without)
    }

    /// The lengths of a class's deployments, of services with a failure signal: recoveries of
    /// [`Class::Recovered`], the time since what they rolled back of [`Class::Rollback`].
    pub(crate) fn lengths(&self, class: Class) -> Sample {
        let mut values = Vec::new();
        for piece in self.pieces() {
            if piece.member.frame.service().failure_signal {
                let deployments = &piece.environment.deployments;
                let range = deployments.range(piece.from, piece.to);
                if deployments.counts(&range).of(class) > 0 {
                    values.extend(deployments.lengths(class, range));
                }
            }
        }
        values.into()
    }

    /// See [`Activity`].
    #[allow(clippy::cast_precision_loss)] // a number of services
    pub(crate) fn activity(&self) -> Activity {
        let window = self.window();
        let since = window.from.saturating_sub(DORMANT_AFTER);
        let mut activity = Activity::default();
        let mut whole = 0_u64;
        for member in self.members() {
            let is_active = member.environment().is_some_and(|own| {
                own.deployments.has(Class::Delivery, window.from, window.to)
                    || own.deployments.has(Class::Delivery, since, window.from)
            });
            if !is_active {
                activity.dormant += 1;
                continue;
            }
            activity.active += 1;
            if member.owned.is_none() {
                whole += 1;
            } else {
                let spans = member.spans(window.from, window.to);
                activity.days += spans.map(|(from, to)| self.days(from, to)).sum::<f64>();
            }
        }
        activity.days += whole as f64 * self.days(window.from, window.to);
        activity
    }
}
