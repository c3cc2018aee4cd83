//! What a person should know about the data behind the numbers.

use std::sync::Arc;

use async_graphql::{Object, SimpleObject};
use vigie_engine::{Unmapped, say_unmapped};
use vigie_metrics::{QualityItem, Scope};
use vigie_model::window::Window;

use super::catalogue::Service;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::page::{Connection, PageArgs};
use crate::graphql::parts::count;
use crate::graphql::scalars::DateTime;

/// What is wrong or missing in the data behind the numbers of a scope and a window, and how to mend it. No issue: the
/// numbers are as good as the events.
#[derive(SimpleObject)]
pub struct DataQuality {
    /// One for each sort of fault, the most frequent first.
    issues: Vec<DataQualityIssue>,
}

/// What a person should know of a scope in a window.
///
/// # Errors
/// The request has used up its budget.
pub fn report(view: &Arc<View>, scope: &Scope, window: Window, unmapped: &[Unmapped]) -> Result<DataQuality> {
    let mut report = view.snapshot.quality(scope, window, view.now);
    say_unmapped(&mut report.items, unmapped);
    view.budget.spend(view.price(scope) + report.items.len() as u64 / 10)?;
    let items: Arc<Vec<QualityItem>> = Arc::new(report.items);
    let mut issues = Vec::new();
    let mut from = 0;
    for same in items.chunk_by(|a, b| a.code == b.code) {
        let rows = from..from + same.len();
        from = rows.end;
        issues.push(DataQualityIssue { view: view.clone(), items: items.clone(), rows });
    }
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.rows.len()));
    Ok(DataQuality { issues })
}

/// See the GraphQL type.
pub struct DataQualityIssue {
    view: Arc<View>,
    items: Arc<Vec<QualityItem>>,
    /// Never empty.
    rows: std::ops::Range<usize>,
}

impl DataQualityIssue {
    fn rows(&self) -> &[QualityItem] {
        &self.items[self.rows.clone()]
    }

    fn sort(&self) -> &str {
        self.rows().first().map_or("", |row| &row.code)
    }
}

/// One sort of fault in the data.
#[Object]
impl DataQualityIssue {
    /// What sort, in `snake_case`.
    async fn code(&self) -> &str {
        self.sort()
    }

    /// How often.
    async fn count(&self) -> i32 {
        count(self.rows.len())
    }

    /// What is wrong, and what it does to the numbers.
    async fn detail(&self) -> &str {
        explain(self.sort()).0
    }

    /// How to mend it.
    async fn remedy(&self) -> &str {
        explain(self.sort()).1
    }

    /// Where, sorted by service and time.
    async fn examples(
        &self,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the examples behind it.")] after: Option<String>,
    ) -> Result<Connection<DataQualityExample>> {
        let page = PageArgs::new(first, after)?;
        let key =
            |row: &QualityItem| format!("{}\u{1f}{:020}\u{1f}{}", row.service, row.at.unwrap_or_default(), row.subject);
        let mut keyed: Vec<(String, &QualityItem)> = self.rows().iter().map(|row| (key(row), row)).collect();
        keyed.sort();
        page.cut(
            &keyed,
            |(key, _)| key,
            |(_, row)| DataQualityExample { view: self.view.clone(), item: (*row).clone() },
        )
    }
}

/// See the GraphQL type.
pub struct DataQualityExample {
    view: Arc<View>,
    item: QualityItem,
}

/// One fault in the data.
#[Object]
impl DataQualityExample {
    /// The service whose numbers it touches.
    async fn service(&self) -> Option<Service> {
        Service::find(&self.view, &self.item.service)
    }

    /// When the row happened that it is about; null: it is about no single moment.
    async fn at(&self) -> Option<DateTime> {
        self.item.at.map(DateTime::at)
    }

    /// The row that it is about: its kind, a colon, and what names it.
    async fn subject(&self) -> &str {
        &self.item.subject
    }

    /// What is wrong with it, and what that does to the numbers.
    async fn detail(&self) -> &str {
        &self.item.detail
    }
}

/// What a sort of fault means, and how to mend it.
fn explain(code: &str) -> (&'static str, &'static str) {
    match code {
        "two_deployment_sources" => (
            "Two sources report deployments of the same service, and all of them count.",
            "Name the one that counts in deployments_from of the service.",
        ),
        "incomplete" => (
            "Events changed rows that were never told in full: they are counted nowhere until they are.",
            "Send what they lack; the examples name it.",
        ),
        "tied" => (
            "Two events of the same instant disagree on a row; one of them was taken by a fixed rule.",
            "Send a later event that settles it, with its own at.",
        ),
        "bad_path_pattern" => (
            "Path patterns of a service cannot be read: the whole repository counts as its own.",
            "Correct the paths of its repository in the configuration or in a service event.",
        ),
        "unknown_revision" => (
            "Deployed revisions are not among the known commits: such deployments bring no change, and lead time leaves them out.",
            "Pull or send the commits of the repository, or list the commits in the deployment event.",
        ),
        "times_out_of_order" => (
            "Times of a row are in an order that cannot be; they are used as they are, and a length between two of them counts as unknown or 0.",
            "Look at the clocks of the sender, and send the row again with the right times.",
        ),
        "unknown_paths" => (
            "Commits do not say which paths they touch, so they count for every service of the repository.",
            "Send the paths with the commits, or pull the repository.",
        ),
        "unknown_link" => (
            "Incidents name a deployment or revision that is not known: they blame nobody, and the failure rate is too low.",
            "Correct the link, or send the deployment.",
        ),
        "recovered_before_finished" => (
            "Failed deployments recovered before they finished; their recovery time counts as 0.",
            "Look at the times of the incidents that blame them.",
        ),
        "unknown_same_as" => (
            "Incidents repeat another one that was never reported; they count on their own.",
            "Send the incident that same_as names, or correct it.",
        ),
        "absent_source" => (
            "The source that counts for these services reports nothing, and what others report counts nowhere.",
            "Correct deployments_from or incidents_from of the service, or connect the source that it names.",
        ),
        "overlapping_incidents" => (
            "Incidents of several sources overlap: where they are one outage, it counts as often as it was reported.",
            "Link them with same_as, or name the source that counts in incidents_from of the service.",
        ),
        "restored_before_started" => (
            "Incidents were restored before they started; their time to restore counts as 0.",
            "Send them again with the right times.",
        ),
        "maintenance_declared_late" => (
            "Maintenance was declared after it began; it is taken out of uptime all the same.",
            "Announce maintenance before it begins; clear what was no maintenance.",
        ),
        "clock_fault" => (
            "Changes began after they were deployed; their lead time counts as 0.",
            "Look at the clocks of the machines that write commits and report deployments.",
        ),
        "undeclared_service" => (
            "Services are named by events and not by the catalogue: they have no team, and their repository is guessed by their name.",
            "Declare them in the configuration, or send service events.",
        ),
        "unmapped_service" => (
            "Webhooks say something of these services, and nothing in the catalogue says which service is meant: the name is a guess.",
            "Put the line that the example shows under the [[service]] that is meant, then run vigie replay.",
        ),
        "service_without_team" => (
            "No team runs these services, so they are in no team's numbers.",
            "Give them a team in the configuration or in a service event.",
        ),
        "no_failure_signal" => (
            "Nobody would notice a failure of these services: their deployments are left out of the failure and rework rates.",
            "Connect an incident or monitoring tool, or set failure_signal for the service.",
        ),
        "no_uptime_source" => (
            "Neither requests, probes nor incidents of these services are known: they have no uptime.",
            "Send availability events, or connect a monitoring tool.",
        ),
        "patchy_probes" => (
            "Probes cover only a part of the window; the rest is unobserved and left out of uptime.",
            "Look why the probes pause, and pull what they missed.",
        ),
        _ => ("The examples say what is wrong.", "The examples say what is wrong; correct the events that they name."),
    }
}
