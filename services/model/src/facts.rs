//! The facts: what the events of a service mean, as rows.
//!
//! Every fact's columns are described once, here. The store (tables, loading, writing by difference), the
//! frames and the exports are generic over [`FactRow`]. Rows of a table are unique by their first
//! [`FactRow::KEY`] columns, the first of which is always the service: the key that a large installation
//! distributes by.

use crate::Time;

/// What a column holds; the name says the Rust type too (see the aliases below).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// Text or nothing.
    OptText,
    /// A whole number.
    Int,
    /// A whole number or nothing.
    OptInt,
    /// An instant, UTC microseconds.
    At,
    /// An instant or nothing.
    OptAt,
    /// A truth value.
    Flag,
}

impl ColumnType {
    /// Whether the column may hold nothing.
    #[must_use]
    pub fn is_nullable(self) -> bool {
        matches!(self, Self::OptText | Self::OptInt | Self::OptAt)
    }
    /// Whether it holds text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::OptText)
    }
    /// Whether it holds an instant.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::At | Self::OptAt)
    }
}

/// See [`ColumnType::Text`].
pub type Text = Box<str>;
/// See [`ColumnType::OptText`].
pub type OptText = Option<Box<str>>;
/// See [`ColumnType::Int`].
pub type Int = i64;
/// See [`ColumnType::OptInt`].
pub type OptInt = Option<i64>;
/// See [`ColumnType::At`].
pub type At = Time;
/// See [`ColumnType::OptAt`].
pub type OptAt = Option<Time>;
/// See [`ColumnType::Flag`].
pub type Flag = bool;

/// A column of a fact table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in SQL, frames and exports.
    pub name: &'static str,
    /// What it holds.
    pub ty: ColumnType,
}

/// Takes the cells of a row, in the order of the columns.
pub trait CellWriter {
    /// A text cell.
    fn text(&mut self, value: Option<&str>);
    /// A number or an instant.
    fn int(&mut self, value: Option<i64>);
    /// A truth value.
    fn flag(&mut self, value: bool);
}

/// Gives the cells of a row, in the order of the columns.
pub trait CellReader {
    /// What can go wrong.
    type Error;
    /// A text cell.
    ///
    /// # Errors
    /// Where the cell does not hold text.
    fn text(&mut self) -> Result<Option<Box<str>>, Self::Error>;
    /// A number or an instant.
    ///
    /// # Errors
    /// Where the cell does not hold a number.
    fn int(&mut self) -> Result<Option<i64>, Self::Error>;
    /// A truth value.
    ///
    /// # Errors
    /// Where the cell does not hold one.
    fn flag(&mut self) -> Result<bool, Self::Error>;
    /// The error for a cell that is empty and must not be.
    fn missing(&self, column: &'static str) -> Self::Error;
}

/// A row of a fact table.
pub trait FactRow: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// How many of the first columns make a row unique.
    const KEY: usize;
    /// Gives every cell to `writer`.
    fn write(&self, writer: &mut impl CellWriter);
    /// Reads every cell from `reader`.
    ///
    /// # Errors
    /// The reader's, for a cell of another type or a missing value.
    fn read<R: CellReader>(reader: &mut R) -> Result<Self, R::Error>;
}

trait Cell: Sized {
    fn write(&self, writer: &mut impl CellWriter);
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error>;
}

impl Cell for Box<str> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.text(Some(self));
    }
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error> {
        reader.text()?.ok_or_else(|| reader.missing(column))
    }
}
impl Cell for Option<Box<str>> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.text(self.as_deref());
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.text()
    }
}
impl Cell for i64 {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.int(Some(*self));
    }
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error> {
        reader.int()?.ok_or_else(|| reader.missing(column))
    }
}
impl Cell for Option<i64> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.int(*self);
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.int()
    }
}
impl Cell for bool {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.flag(*self);
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.flag()
    }
}

macro_rules! facts {
    ($( $(#[doc = $doc:literal])+ $name:ident $table:literal key $key:literal {
        $( $(#[doc = $about:literal])+ $field:ident: $ty:ident, )+
    } )+) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[doc = $about])+ pub $field: $ty, )+ }

        impl FactRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [Column] =
                &[$( Column { name: stringify!($field), ty: ColumnType::$ty }, )+];
            const KEY: usize = $key;
            fn write(&self, writer: &mut impl CellWriter) {
                $( Cell::write(&self.$field, writer); )+
            }
            fn read<R: CellReader>(reader: &mut R) -> Result<Self, R::Error> {
                Ok(Self { $( $field: Cell::read(reader, stringify!($field))?, )+ })
            }
        }
    )+ };
}

facts! {
    /// A deployment with what became of it. Sorted by environment and order of deployment. One in a region stands
    /// twice: as what it is in production, and as what it is in the region alone.
    DeploymentFact "deployment_facts" key 5 {
        /// The service's slug.
        service: Text,
        /// The environment as it was named, lower case; a region where the service has regions.
        region: Text,
        /// Who reported it.
        source: Text,
        /// The source's id.
        id: Text,
        /// The environment that it counts for: aliases and regions become `production`, which each region stands
        /// beside.
        environment: Text,
        /// Its place among the finished deployments of the environment; null while in progress.
        position: OptInt,
        /// The repository of the revision.
        repository: OptText,
        /// The revision as it was given.
        revision: OptText,
        /// When it began.
        started_at: OptAt,
        /// When the first users met it.
        exposed_at: OptAt,
        /// When it ended.
        finished_at: OptAt,
        /// `succeeded`, `failed`, `cancelled` or `in_progress`.
        outcome: Text,
        /// What was changed.
        category: Text,
        /// Whether the category is one that the metrics count.
        counted: Flag,
        /// What set it off.
        trigger: OptText,
        /// Guessed from a tag or a merge.
        inferred: Flag,
        /// The branch it was built from.
        branch: OptText,
        /// Where to read more.
        url: OptText,
        /// The first successful deployment of its line.
        baseline: Flag,
        /// It goes back to an earlier revision.
        rollback: Flag,
        /// It brings nothing new.
        redeployment: Flag,
        /// It is a rollback, or was marked unplanned, or came from a hotfix branch.
        unplanned: Flag,
        /// It joined an earlier rollout in another region, the one whose key is in `rollout`.
        joined: Flag,
        /// A successful deployment that is neither rollback, redeployment nor joined.
        delivery: Flag,
        /// It counts on both sides of the failure rate.
        failed: Flag,
        /// The rule that first blamed it.
        failed_by: OptText,
        /// Since when users were well again, where it failed and recovered.
        recovered_at: OptAt,
        /// Of a rollback: the `finished_at` of what it rolled back.
        rolled_back_finished_at: OptAt,
        /// Of a joined deployment: `region source id` of the rollout's first, as a JSON array.
        rollout: OptText,
        /// Why it failed, as JSON: a list of [`Blame`].
        blame: Text,
        /// How many changes it brought.
        changes: Int,
    }

    /// A change that was deployed. Sorted by environment and `deployed_at`.
    ChangeFact "change_facts" key 5 {
        /// The service's slug.
        service: Text,
        /// The environment that it reached.
        environment: Text,
        /// The category of the line that brought it.
        category: Text,
        /// The repository.
        repository: Text,
        /// The commit; of a pull request, its merge commit.
        sha: Text,
        /// The pull request's number.
        pull_request: OptInt,
        /// The pull request's title, or the first line of the commit's message.
        title: OptText,
        /// Its author is a program.
        bot: Flag,
        /// It counts: its category does, and no line of the environment brought it earlier.
        counted: Flag,
        /// When it began.
        started_at: At,
        /// When it was deployed.
        deployed_at: At,
        /// Microseconds from start to deployment, 0 where the clocks disagree.
        lead_time: Int,
        /// Its start lies after its deployment.
        clock_fault: Flag,
        /// Microseconds from first commit to opened.
        coding: OptInt,
        /// Microseconds from opened to first review.
        pickup: OptInt,
        /// Microseconds from first review to merged.
        review: OptInt,
        /// Microseconds from merged to deployed.
        deploy: OptInt,
        /// The deployment's region.
        deployment_region: Text,
        /// The deployment's source.
        deployment_source: Text,
        /// The deployment's id.
        deployment_id: Text,
        /// Where to read more.
        url: OptText,
    }

    /// A merged change that no deployment has brought yet. Sorted by environment and `merged_at`.
    WaitingFact "waiting_facts" key 4 {
        /// The service's slug.
        service: Text,
        /// The environment that it has not reached.
        environment: Text,
        /// The repository.
        repository: Text,
        /// The pull request's number.
        pull_request: Int,
        /// Its title.
        title: OptText,
        /// Its author is a program.
        bot: Flag,
        /// When it was merged.
        merged_at: At,
        /// Where to read more.
        url: OptText,
    }

    /// An incident as one of its services sees it. Sorted by environment and `started_at`.
    IncidentFact "incident_facts" key 4 {
        /// The service's slug.
        service: Text,
        /// The environment that it counts for.
        environment: Text,
        /// Who reported it; of linked incidents: the one that the others name.
        source: Text,
        /// The source's id.
        id: Text,
        /// What it is called.
        title: OptText,
        /// `critical`, `major`, `minor`, `info` or `unknown`.
        severity: Text,
        /// When it began.
        started_at: At,
        /// When it was noticed.
        detected_at: OptAt,
        /// When somebody took it up.
        acknowledged_at: OptAt,
        /// When users were well again.
        mitigated_at: OptAt,
        /// When it was over.
        resolved_at: OptAt,
        /// `mitigated_at`, else `resolved_at`; null: open.
        restored_at: OptAt,
        /// Every service that it hits, as a JSON array, sorted.
        services: Text,
        /// The deployments of this service that it is blamed on, as a JSON array of `[region, source, id]`.
        blamed: Text,
        /// Where to read more.
        url: OptText,
    }

    /// A stretch of time with what is known of the service in it. Sorted by environment, kind and `from`.
    AvailabilityFact "availability_facts" key 4 {
        /// The service's slug.
        service: Text,
        /// The environment.
        environment: Text,
        /// `up` or `down` (probes, disjoint, maintenance taken out), `requests` (a sample), `outage` (union of
        /// incidents that count as one, maintenance taken out) or `maintenance` (disjoint).
        state: Text,
        /// When it begins.
        begins_at: At,
        /// When it ends; null: not yet.
        ends_at: OptAt,
        /// Requests answered well.
        good: OptInt,
        /// Requests.
        total: OptInt,
    }

    /// Something that a person should know about the data.
    QualityFact "quality_facts" key 3 {
        /// The service's slug.
        service: Text,
        /// What sort of fault, in `snake_case`.
        code: Text,
        /// The row that it is about.
        subject: Text,
        /// When that row happened, for windows.
        at: OptAt,
        /// What is wrong and what it does to the numbers.
        detail: Text,
    }

    /// A service as it stands.
    ServiceFact "service_facts" key 1 {
        /// Its slug.
        service: Text,
        /// What people call it.
        name: Text,
        /// The team that runs it.
        team: OptText,
        /// Which team ran it from when on, as a JSON array of `[at, team or null]`, oldest first.
        teams: Text,
        /// Since when it is no longer run.
        archived_at: OptAt,
        /// Whether failures of it would be known (metrics.md, Failure signal).
        failure_signal: Flag,
        /// The repositories that its facts rest on, as a JSON array.
        repositories: Text,
        /// Its environments, as a JSON array.
        environments: Text,
        /// In which of its environments an incident was ever recorded, as a JSON array.
        incident_environments: Text,
        /// It stands in the catalogue, rather than only in other events.
        declared: Flag,
    }
}

/// Why a deployment is blamed. Stored as JSON in [`DeploymentFact::blame`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Blame {
    /// `explicit`, `rollback`, `revert`, `unplanned` or `window`.
    pub rule: String,
    /// `[source, id]` of the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<(String, String)>,
    /// `[region, source, id]` of the deployment that mended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<(String, String, String)>,
    /// Whether it makes the deployment a failed one; evidence that came too late does not.
    pub counts: bool,
    /// The reason in words.
    pub note: String,
}

/// Everything that the fold of one service gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// The service itself.
    pub service: ServiceFact,
    /// See [`DeploymentFact`].
    pub deployments: Vec<DeploymentFact>,
    /// See [`ChangeFact`].
    pub changes: Vec<ChangeFact>,
    /// See [`WaitingFact`].
    pub waiting: Vec<WaitingFact>,
    /// See [`IncidentFact`].
    pub incidents: Vec<IncidentFact>,
    /// See [`AvailabilityFact`].
    pub availability: Vec<AvailabilityFact>,
    /// See [`QualityFact`].
    pub quality: Vec<QualityFact>,
}
