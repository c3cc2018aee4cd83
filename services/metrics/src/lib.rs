//! What the events mean, and what the numbers are: the folds from events to facts, the facts in memory, and the
//! metrics that are asked of them. The definitions are metrics.md's, to the word.
//!
//! - [`world`] and [`facts`] fold events into the facts of a service.
//! - A [`ServiceFrame`] holds one service's facts in columns; a [`Snapshot`] all of them, as they stood at one
//!   moment. Both are immutable, so an answer rests on one state and never on half of two.
//! - A question is a metric, a [`Scope`] and a window; [`Snapshot::ask`] answers it. A metric is a pure function of
//!   a [`Slice`], which is all that it sees.
//!
//! Deliberately absent: I/O, the clock (`now` is an argument), chance, and SQL. The same events, in any order and
//! any number of times, give the same numbers to the last bit: sums are of whole microseconds, and where numbers
//! are added that are not whole, it is in the order of slugs.
//!
//! To add a metric, write one file in `metrics/` with a [`registry::Metric`], a file of cases beside it, and one
//! line of [`registry::REGISTRY`].

pub mod facts;
pub mod world;

mod answer;
mod ask;
mod breakdown;
mod evidence;
mod frame;
mod levels;
mod lists;
mod metrics;
mod page;
mod quality;
pub mod registry;
mod sample;
mod scope;
mod slice;
mod snapshot;
mod statistics;
mod table;
mod targets;
mod teams;
mod windows;

pub use answer::{Answer, Exclusion, Measurement, NoData, TargetStatus};
pub use ask::Point;
pub use breakdown::{Dimension, Part};
pub use evidence::{EvidencePage, EvidenceRow, Row};
pub use frame::{Difference, Differing, FrameLoader, ServiceFrame, Table, TableError};
pub use levels::{GIVEN_UP_IN, Level, level_of, years as level_years};
pub use lists::{DeploymentFilter, IncidentFilter, ListPage, Listed};
pub use metrics::budget::{BurnRate, ErrorBudget, LOOK_BACKS};
pub use metrics::lead_time::{Stages, Waiting};
pub use metrics::rework_rate::Rollbacks;
pub use page::{Cursor, CursorError, Page};
pub use quality::{QualityItem, QualityReport};
pub use registry::{Definition, definition, exclusion_text};
pub use sample::{Sample, quantile, seconds};
pub use scope::{Scope, ScopeError, ScopeSpec};
pub use slice::{Slice, Slices};
pub use snapshot::{ServiceInfo, Snapshot};
pub use statistics::{Interval, Trend, difference, trend, trends};
pub use table::{MAX_TABLE_ROWS, TableAnswer, TableQuery, TableRow};
pub use teams::TeamInfo;
