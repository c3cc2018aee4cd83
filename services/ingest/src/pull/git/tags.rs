//! Tags: which are deployments, what they point to, and since when.

use gix::objs::{FindExt, Kind, TagRef};
use gix::{ObjectId, Repository};

use super::commit::RawCommit;
use super::repository::open_error;
use super::{Deployments, GitError, text};

/// A tag that is a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub name: String,
    /// What the reference points to: a tag object, or the commit itself.
    pub target: ObjectId,
    pub commit: ObjectId,
    /// The tagger's date, else the commit's; `None` where it is impossible.
    pub seconds: Option<i64>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// Sorted by name.
    pub matching: Vec<Tag>,
    /// The names of all others.
    pub others: Vec<String>,
    /// Matching ones that point to something other than a commit, or to nothing that is here.
    pub no_commits: Vec<String>,
}

/// Whether a tag's name looks like a version: numbers with dots between them, or a number behind a `v`, alone or
/// after a word (`v1`, `1.0`, `release-2026.10.1`, `checkout@3.0.0-rc1`, `app/v2.1+build5`).
pub(super) fn is_version(name: &str) -> bool {
    let last = name.rsplit(['/', '@']).next().unwrap_or(name);
    let Some(at) = last.find(|c: char| c.is_ascii_digit()) else {
        return false;
    };
    let (word, number) = last.split_at(at);
    let (number, rest) =
        number.split_at(number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len()));
    let is_dotted = number.split('.').filter(|part| !part.is_empty()).count() > 1;
    let is_marked = matches!(word, "v" | "V") || word.ends_with("-v") || word.ends_with("_v");
    let ends_well = rest.chars().next().is_none_or(|c| c.is_alphabetic() || matches!(c, '-' | '_' | '+'));
    (is_dotted || is_marked) && ends_well
}

/// All tags, sorted out.
pub(super) fn find(repository: &Repository, deployments: &Deployments) -> Result<Tags, GitError> {
    let mut found = Tags::default();
    let references = repository.references().map_err(|e| open_error(repository, &e))?;
    let tags = references.tags().map_err(|e| open_error(repository, &e))?;
    let mut buffer = Vec::new();
    // One that cannot be read is no tag.
    for reference in tags.flatten() {
        let name = reference.name().shorten().to_string();
        let target = reference.target().try_id().map(ToOwned::to_owned);
        if !deployments.matches(&name) {
            found.others.push(name);
            continue;
        }
        let commit = target.and_then(|target| Some((target, peel(repository, target, &mut buffer)?)));
        match commit {
            Some((target, (commit, seconds))) => found.matching.push(Tag { name, target, commit, seconds }),
            None => found.no_commits.push(name),
        }
    }
    found.matching.sort_by(|a, b| a.name.cmp(&b.name));
    found.others.sort();
    Ok(found)
}

/// The commit behind a tag and the date; `None` where there is none, or not here (a shallow or partial clone).
fn peel(repository: &Repository, mut id: ObjectId, buffer: &mut Vec<u8>) -> Option<(ObjectId, Option<i64>)> {
    let mut tagged = None;
    // A tag may be of a tag, but not of itself: its hash is of its content.
    loop {
        let object = repository.objects.find(&id, buffer).ok()?;
        match object.kind {
            Kind::Commit => {
                return Some((id, tagged.unwrap_or_else(|| RawCommit::of(object.data).committed_seconds())));
            }
            Kind::Tag => {
                let tag = TagRef::from_bytes(object.data, id.kind()).ok()?;
                // The outermost tag is the deployment. Very old ones have no tagger.
                if let (None, Some(tagger)) = (tagged, tag.tagger) {
                    tagged = Some(text::signature(tagger).1);
                }
                id = tag.target();
            }
            Kind::Tree | Kind::Blob => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_another_name() {
        for name in [
            "v1",
            "v1.2",
            "1.0",
            "1.0.0-rc.1",
            "v2026.10.01",
            "release-1.2.3",
            "release/1.2",
            "checkout@3.0.0",
            "app/v2.1+build5",
            "checkout-v1.2.3",
            "V7",
            "v1.2.3beta1",
            "release_1.2",
            "go1.21.5",
        ] {
            assert!(is_version(name), "{name}");
        }
        for name in ["latest", "nightly", "before-merge", "2026-10-01", "build-77", "v", "vnext", "issue-12", "", "."] {
            assert!(!is_version(name), "{name}");
        }
    }
}
