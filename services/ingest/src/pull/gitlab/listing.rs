//! Which projects are meant.

use std::collections::HashSet;

use vigie_model::pattern::Pattern;

use super::super::PullError;
use super::super::notes::Notes;
use super::client::{Client, Got, Refusal, part};
use super::payload::Project;

/// What an entry found.
pub(super) enum Found {
    Projects(Vec<Project>),
    /// Nothing that may be seen, and why.
    Refused(Refusal),
}

/// The projects that entries mean, without those that are left out. An entry that means nothing is told in `notes`.
pub(super) async fn listed(
    client: &Client,
    entries: &[String],
    exclude: &[String],
    notes: &mut Notes,
) -> Result<Vec<Project>, PullError> {
    let excluded: Vec<Pattern> = exclude.iter().map(|text| Pattern::name(text)).collect();
    let mut projects: Vec<Project> = Vec::new();
    let mut refused = Vec::new();
    for entry in entries {
        match meant(client, entry).await? {
            Found::Projects(found) if found.is_empty() => {
                notes.add(format!("{entry} fits no project that the token may see"));
            }
            Found::Projects(found) => {
                if let Some(name) = renamed(entry, &found) {
                    notes.add(format!(
                        "{entry} is called {name} now: write that, and {entry} under formerly of its service's repository"
                    ));
                }
                projects.extend(found);
            }
            Found::Refused(refusal) => refused.push((entry.clone(), refusal)),
        }
    }
    if projects.is_empty() && !refused.is_empty() {
        return Err(nothing(&refused));
    }
    refused.iter().for_each(|(entry, refusal)| notes.add(told(entry, refusal)));
    projects.retain(|project| !excluded.iter().any(|pattern| pattern.matches_ignore_case(&project.path)));
    let mut seen = HashSet::new();
    projects.retain(|project| seen.insert(project.id));
    Ok(projects)
}

fn told(entry: &str, refusal: &Refusal) -> String {
    format!("{entry}, a project or group on GitLab: {}", refusal.why)
}

/// That of all entries none gave a project.
pub(super) fn nothing(refused: &[(String, Refusal)]) -> PullError {
    let all: Vec<String> = refused.iter().map(|(entry, refusal)| told(entry, refusal)).collect();
    let message = all.join("; ");
    match refused.iter().any(|(_, refusal)| refusal.is_passing()) {
        true => PullError::Unavailable { message, retry_after: None },
        false => PullError::Refused(message),
    }
}

/// What the project that an entry names is called now, where it is called otherwise. One that lies in a group is not named.
fn renamed<'f>(entry: &str, found: &'f [Project]) -> Option<&'f str> {
    let [Project { path, group: None, .. }] = found else { return None };
    (entry.contains('/') && !path.eq_ignore_ascii_case(entry)).then_some(path)
}

/// What one entry means: a project, a group, or by a pattern some of a group's.
pub(super) async fn meant(client: &Client, entry: &str) -> Result<Found, PullError> {
    if let Some(at) = entry.find(['*', '?']) {
        let group = entry[..at].rsplit_once('/').map_or(entry, |(group, _)| group);
        let pattern = Pattern::name(entry);
        return Ok(match group_of(client, group).await? {
            Found::Projects(mut all) => {
                all.retain(|project| pattern.matches_ignore_case(&project.path));
                Found::Projects(all)
            }
            refused @ Found::Refused(_) => refused,
        });
    }
    // A group may be called like a project, a project always lies in something.
    if entry.contains('/') {
        match client.get(&format!("projects/{}", part(entry)), "", None).await? {
            Got::Fresh(page) => return Ok(Found::Projects(Project::read(&page.body).into_iter().collect())),
            Got::Refused(refusal) if refusal.status != Some(404) => return Ok(Found::Refused(refusal)),
            _ => {}
        }
    }
    group_of(client, entry).await
}

/// All projects of a group and its subgroups, or of a user.
async fn group_of(client: &Client, name: &str) -> Result<Found, PullError> {
    let own = part(name);
    let lists = [
        (format!("groups/{own}/projects"), "include_subgroups=true&with_shared=false&"),
        (format!("users/{own}/projects"), ""),
    ];
    let mut why = Refusal { status: Some(404), why: "there is none, or the token may not see it".to_owned() };
    // A user's name is of one part.
    let most = if name.contains('/') { 1 } else { 2 };
    for (path, more) in lists.into_iter().take(most) {
        let mut query = Some(format!("{more}order_by=id&sort=asc&per_page=100"));
        let (mut all, mut is_there) = (Vec::new(), true);
        while let Some(next) = query.take() {
            match client.get(&path, &next, None).await? {
                Got::Fresh(page) => {
                    all.extend(page.items().iter().filter_map(Project::read));
                    query = page.next;
                }
                Got::Refused(refusal) => {
                    if refusal.status != Some(404) {
                        why = refusal;
                    }
                    is_there = false;
                }
                Got::TooLong => {
                    why = Refusal::too_long();
                    is_there = false;
                }
                Got::Unchanged => {}
            }
        }
        if is_there {
            if path.starts_with("groups/") {
                all.iter_mut().for_each(|project| project.group = Some(name.to_owned()));
            }
            return Ok(Found::Projects(all));
        }
    }
    Ok(Found::Refused(why))
}
