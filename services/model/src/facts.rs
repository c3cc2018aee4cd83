//! The facts: what the events of a service mean, as rows.
//!
//! Every fact's columns are described once, here. The store (tables, loading, writing by difference), the
//! frames and the exports are generic over [`FactRow`]. Rows of a table are unique by their first
//! [`FactRow::KEY`] columns, the first of which is always the service: the key that a large installation
//! distributes by.

mod row;

pub use row::{At, CellReader, CellWriter, Column, ColumnType, FactRow, Flag, Int, OptAt, OptInt, OptText, Text};
use row::{Cell, facts};

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
        /// Which sources of uptime ever had data in its environments, as a JSON array of `[environment, source]`.
        uptime_sources: Text,
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

impl From<ServiceFact> for ServiceFacts {
    /// The service without anything that happened.
    fn from(service: ServiceFact) -> Self {
        Self {
            service,
            deployments: Vec::new(),
            changes: Vec::new(),
            waiting: Vec::new(),
            incidents: Vec::new(),
            availability: Vec::new(),
            quality: Vec::new(),
        }
    }
}
