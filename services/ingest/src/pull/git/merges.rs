//! Continuous delivery: each first-parent commit of the branch is a deployment.

use gix::ObjectId;
use gix::hashtable::HashSet;
use vigie_model::Time;

use super::GitError;
use super::graph::NewCommits;
use super::links::Reader;
use super::text;

/// The first-parent commits that are new as deployments, oldest first, each with the time when it was finished: its
/// commit date, and never earlier than its first parent's.
pub(super) fn new_merges(
    reader: &mut Reader,
    tip: ObjectId,
    merged: Option<(ObjectId, Time)>,
    commits: &NewCommits,
) -> Result<Vec<(ObjectId, Time)>, GitError> {
    let mut chain = Vec::new();
    let mut next = Some(tip);
    let mut since = None;
    while let Some(id) = next {
        if let Some((at, until)) = merged
            && at == id
        {
            since = Some(until);
            break;
        }
        let links = match commits.links(&id) {
            Some(links) => links.clone(),
            None => reader.links(&id, None)?.ok_or_else(|| GitError::object(&id, "it is missing"))?,
        };
        chain.push((id, text::time(links.seconds).unwrap_or(0)));
        next = links.parents.first().copied();
    }
    chain.reverse();
    let mut latest = since.unwrap_or(0);
    for (_, at) in &mut chain {
        latest = latest.max(*at);
        *at = latest;
    }
    // A branch that was rewritten shares its beginning with what was given.
    if let (None, Some((old, _))) = (since, merged) {
        let shared = fork(reader, old, &chain)?;
        chain.drain(..shared);
    }
    Ok(chain)
}

/// How many of the chain's first commits the old chain, which ends at `old`, has too.
fn fork(reader: &mut Reader, old: ObjectId, chain: &[(ObjectId, Time)]) -> Result<usize, GitError> {
    let members: HashSet = chain.iter().map(|(id, _)| *id).collect();
    let mut next = Some(old);
    while let Some(id) = next {
        if members.contains(&id) {
            return Ok(chain.iter().position(|(member, _)| *member == id).map_or(0, |at| at + 1));
        }
        // A rewritten branch's commits may be gone.
        next = reader.links(&id, None)?.and_then(|links| links.parents.first().copied());
    }
    Ok(0)
}
