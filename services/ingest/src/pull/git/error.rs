//! What can keep a repository from being read, each with what to do.

use std::path::PathBuf;

use vigie_model::json::shorten;

/// Why a pull ends. Nothing that was recorded before is lost.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The path leads nowhere.
    #[error("there is no folder {}; name the folder of a clone", .path.display())]
    NotFound {
        /// As it was given.
        path: PathBuf,
    },
    /// Neither the folder nor one above it is a repository.
    #[error("{} is no git repository, and no folder above it is one; name the folder of a clone (git clone URL makes one)", .path.display())]
    NotARepository {
        /// As it was given.
        path: PathBuf,
    },
    /// It looks like a repository and cannot be opened.
    #[error("the repository at {} cannot be opened: {why}; see what `git -C {} status` says", .path.display(), .path.display())]
    Open {
        /// As it was given.
        path: PathBuf,
        /// In git's words.
        why: String,
    },
    /// There is no commit.
    #[error("the repository at {} has no commits yet; pull it again when it has", .path.display())]
    Empty {
        /// The repository's folder.
        path: PathBuf,
    },
    /// The branch to read does not exist.
    #[error("there is no branch {branch}; {}", existing("branches", .branches))]
    NoBranch {
        /// As it was given, or what HEAD points to.
        branch: String,
        /// Those that exist.
        branches: Vec<String>,
    },
    /// No tag matches what was asked for.
    #[error("no tag matches {}: {}; name others with --tags, or take every merge for a deployment with --every-merge", .patterns.join(" or "), existing("tags", .tags))]
    NoMatchingTags {
        /// As they were given.
        patterns: Vec<String>,
        /// Those that exist.
        tags: Vec<String>,
    },
    /// An object is missing or damaged.
    #[error(
        "the object {id} cannot be read: {why}; the clone is damaged or incomplete: `git fsck` says more, a fresh clone helps"
    )]
    Object {
        /// Its hash.
        id: String,
        /// In git's words.
        why: String,
    },
    /// The cursor is not one of this source.
    #[error("the cursor of the last pull cannot be read: {why}; pull without it: what is known already is recognised")]
    Cursor {
        /// What is wrong with it.
        why: String,
    },
    /// No thread could be started, or one died.
    #[error("reading the repository failed: {0}")]
    Threads(#[from] std::io::Error),
}

impl GitError {
    pub(super) fn object(id: &gix::oid, why: impl std::fmt::Display) -> Self {
        Self::Object { id: id.to_string(), why: why.to_string() }
    }
}

/// `there are the tags a, b and 7 more`
fn existing(what: &str, names: &[String]) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return format!("there are no {what} at all");
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| shorten(name)).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the {what} are {}{more}", shown.join(", "))
}
