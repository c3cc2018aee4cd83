//! The closed sets of words that settings and metrics are written in.

/// An enum whose variants have one written name each, in JSON, in the configuration and in messages.
macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$doc])* $variant,)+ }

        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// Every name, in the order of [`Self::ALL`].
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// The written name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The value of a written name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                Self::parse(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, Self::NAMES))
            }
        }
    };
}

names! {
    /// The metrics, in the order in which they are shown.
    MetricName {
        /// Deliveries per service per day.
        DeploymentFrequency = "deployment_frequency",
        /// Seconds, median.
        LeadTime = "lead_time",
        /// A ratio.
        ChangeFailureRate = "change_failure_rate",
        /// Seconds, median.
        FailedDeploymentRecoveryTime = "failed_deployment_recovery_time",
        /// A ratio.
        ReworkRate = "rework_rate",
        /// Time to restore: seconds, mean.
        Mttr = "mttr",
        /// Time to detect: seconds, mean.
        Mttd = "mttd",
        /// Time to acknowledge: seconds, mean.
        Mtta = "mtta",
        /// A ratio.
        Uptime = "uptime",
    }
}

impl MetricName {
    /// What its values are measured in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::DeploymentFrequency => Unit::PerDay,
            Self::LeadTime | Self::FailedDeploymentRecoveryTime | Self::Mttr | Self::Mttd | Self::Mtta => Unit::Seconds,
            Self::ChangeFailureRate | Self::ReworkRate | Self::Uptime => Unit::Ratio,
        }
    }

    /// On which side of its objective it is good.
    #[must_use]
    pub const fn comparison(self) -> Comparison {
        match self {
            Self::DeploymentFrequency | Self::Uptime => Comparison::Above,
            _ => Comparison::Below,
        }
    }
}

names! {
    /// What a metric is measured in.
    Unit {
        /// A rate a day.
        PerDay = "per_day",
        /// Seconds.
        Seconds = "seconds",
        /// 0 to 1.
        Ratio = "ratio",
    }
}

names! {
    /// On which side of its objective a metric is good.
    Comparison {
        /// More is better.
        Above = "above",
        /// Less is better.
        Below = "below",
    }
}

impl Comparison {
    /// Whether the value meets the objective. The comparison is strict: a value equal to it misses it.
    #[must_use]
    pub fn met(self, value: f64, objective: f64) -> bool {
        match self {
            Self::Above => value > objective,
            Self::Below => value < objective,
        }
    }
}

names! {
    /// How bad an incident is, in ascending order. An unknown severity is the absence of one.
    Severity {
        /// Nothing is broken.
        Info = "info",
        /// A nuisance.
        Minor = "minor",
        /// An outage of a part.
        Major = "major",
        /// An outage.
        Critical = "critical",
    }
}

names! {
    /// The rules by which a delivery failed, in the order in which they are tried.
    Rule {
        /// An incident names it.
        Explicit = "explicit",
        /// It was rolled back.
        Rollback = "rollback",
        /// A later delivery reverts it.
        Revert = "revert",
        /// The next successful deployment is unplanned.
        Unplanned = "unplanned",
        /// An incident started soon after it.
        Window = "window",
    }
}

names! {
    /// What is kept of the people in events.
    People {
        /// A keyed pseudonym.
        Pseudonym = "pseudonym",
        /// Nothing but whether it is a bot.
        None = "none",
        /// The name as it came.
        Names = "names",
    }
}

names! {
    /// What counts as one change.
    ChangeUnit {
        /// Pull requests, and commits outside them.
        Auto = "auto",
        /// Commits that are no merges.
        Commit = "commit",
        /// Pull requests only.
        PullRequest = "pull_request",
    }
}

names! {
    /// Where a change's lead time starts.
    LeadTimeStart {
        /// At its first commit, or when its pull request was opened, whichever is earlier.
        FirstCommit = "first_commit",
        /// When its pull request was opened.
        Opened = "opened",
        /// When its pull request was merged.
        Merged = "merged",
    }
}

names! {
    /// For which team the rows of a service count that changed its team.
    Ownership {
        /// For its present team.
        Now = "now",
        /// Each row for the team at its time.
        Then = "then",
    }
}

names! {
    /// The days that deployment frequency divides by.
    FrequencyDays {
        /// The window's length in days of 86,400 s.
        Calendar = "calendar",
        /// The working days of the site's calendar.
        Working = "working",
    }
}

names! {
    /// Which services the site's incident source covers.
    IncidentCoverage {
        /// Those that an incident ever named.
        Mapped = "mapped",
        /// Every service.
        All = "all",
    }
}

names! {
    /// When a change that is rolled out region by region is deployed.
    RolloutEnd {
        /// When it reaches the first region.
        First = "first",
        /// When every region has it.
        Last = "last",
    }
}

names! {
    /// Where a service's uptime comes from, in the order in which sources are tried.
    UptimeSource {
        /// Good and total requests.
        Requests = "requests",
        /// Intervals up and down.
        Probes = "probes",
        /// Outages by incidents.
        Incidents = "incidents",
    }
}
