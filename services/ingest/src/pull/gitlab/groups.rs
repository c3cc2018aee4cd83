//! What changed in whole groups: two questions about all the projects of a group, in place of two for each of them.
//!
//! A group says nothing of what may not be seen in a project, neither what it is nor that there is some: so once a day each
//! project is asked itself.

use std::collections::{BTreeMap, BTreeSet};

use vigie_model::{DAY, Time};

use super::super::PullError;
use super::client::{Client, Got, part};
use super::cursor::GroupPlace;
use super::payload::Project;

/// A group of fewer projects is not worth the questions.
const FEW: usize = 3;
/// Where there are more pages of changes than these, any project may have changed.
const PAGES: usize = 5;

/// The projects whose lists need not be asked for, and from when on the next run is to ask.
#[derive(Debug, Default)]
pub(super) struct Groups {
    merge_requests: BTreeSet<u64>,
    issues: BTreeSet<u64>,
    /// What holds once all projects were read.
    pub places: BTreeMap<String, GroupPlace>,
}

/// What changed in a group.
struct Changed {
    /// The numbers of projects; `None`: any may have changed.
    projects: Option<BTreeSet<u64>>,
    /// The last change.
    until: Option<String>,
}

impl Groups {
    /// Asks what changed in the groups of projects since an earlier run.
    pub(super) async fn look(
        client: &Client,
        projects: &[Project],
        known: &BTreeMap<String, GroupPlace>,
        now: Time,
    ) -> Result<Self, PullError> {
        let mut own: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for project in projects {
            if let Some(group) = &project.group {
                own.entry(group.to_lowercase()).or_default().push(project.id);
            }
        }
        let mut groups = Self::default();
        for (group, ids) in own.into_iter().filter(|(_, ids)| ids.len() >= FEW) {
            // Without what is known only how far the group is is asked.
            let place = known.get(&group).filter(|place| place.whole_at.is_some_and(|at| now - at < DAY));
            let place = place.cloned().unwrap_or_default();
            let merge_requests = changed(client, &group, "merge_requests", place.merge_requests).await?;
            let issues = changed(client, &group, "issues", place.issues).await?;
            let quiet = |changed: &Changed| -> Vec<u64> {
                let Some(changed) = &changed.projects else { return Vec::new() };
                ids.iter().filter(|id| !changed.contains(id)).copied().collect()
            };
            groups.merge_requests.extend(quiet(&merge_requests));
            groups.issues.extend(quiet(&issues));
            let place = GroupPlace {
                merge_requests: merge_requests.until,
                issues: issues.until,
                whole_at: place.whole_at.or(Some(now)),
            };
            groups.places.insert(group, place);
        }
        Ok(groups)
    }

    /// Whether no merge request, and whether no issue of a project changed since an earlier run read them all.
    pub(super) fn quiet(&self, project: u64) -> (bool, bool) {
        (self.merge_requests.contains(&project), self.issues.contains(&project))
    }
}

async fn changed(client: &Client, group: &str, list: &str, since: Option<String>) -> Result<Changed, PullError> {
    let path = format!("groups/{}/{list}", part(group));
    // Without an earlier run only the instant of the last change is of interest.
    let range = match &since {
        Some(since) => format!("per_page=100&updated_after={}", part(since)),
        None => "per_page=1".to_owned(),
    };
    let first = format!("scope=all&non_archived=false&order_by=updated_at&sort=desc&{range}");
    let is_first = since.is_none();
    let mut changed = Changed { projects: (!is_first).then(BTreeSet::new), until: since };
    let mut query = Some(first);
    for number in 0.. {
        let Some(next) = query.take() else { break };
        match client.get(&path, &next, None).await? {
            Got::Fresh(page) if number < PAGES => {
                if number == 0
                    && let Some(last) = page.items().first().and_then(|item| item["updated_at"].as_str())
                {
                    changed.until = Some(last.to_owned());
                }
                if let Some(projects) = &mut changed.projects {
                    projects.extend(page.items().iter().filter_map(|item| item["project_id"].as_u64()));
                    query = page.next;
                }
            }
            // Each project is asked itself then.
            _ => changed.projects = None,
        }
    }
    Ok(changed)
}
