//! The repository on disk: found, opened, and asked for its branch and its name.

use std::path::{Path, PathBuf};

use gix::head::Kind;
use gix::sec::trust::Mapping;
use gix::{ObjectId, Repository};

use super::{GitError, text};

/// Finds the repository of a folder: itself, its `.git`, or where not exactly this one is meant, one above.
pub(super) fn open(path: &Path, is_exact: bool) -> Result<Repository, GitError> {
    if !path.exists() {
        return Err(GitError::NotFound { path: path.to_owned() });
    }
    // Only the repository's own files count: the same commits wherever and as whomever it runs.
    let options = || gix::open::Options::isolated();
    let found = match is_exact {
        true => gix::ThreadSafeRepository::open_opts(path, options().open_path_as_is(true)),
        false => {
            let options = Mapping { full: options(), reduced: options() };
            gix::ThreadSafeRepository::discover_opts(path, gix::discover::upwards::Options::default(), options)
        }
    };
    match found {
        Ok(repository) => Ok(repository.to_thread_local()),
        Err(error) if error.downcast_any_ref::<gix::discover::upwards::Error>().is_some() => {
            Err(GitError::NotARepository { path: path.to_owned() })
        }
        Err(error) => Err(GitError::Open { path: path.to_owned(), why: error.probable_cause().to_string() }),
    }
}

/// What is read as the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its short name; `None` where HEAD is on none.
    pub name: Option<String>,
    pub tip: ObjectId,
}

/// The branch that was asked for, else the remote's default, else HEAD's, else the usual or only one: what somebody
/// happens to have checked out is not what the others deploy.
pub(super) fn branch(
    repository: &Repository,
    asked: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Branch, GitError> {
    let needed = |name: &str| named(repository, name)?.ok_or_else(|| no_branch(repository, name));
    if let Some(name) = asked {
        return needed(name);
    }
    let head = repository.head().map_err(|e| open_error(repository, &e))?;
    let remotes = remote_default(repository);
    if let Kind::Symbolic(reference) = head.kind {
        let name = reference.name.shorten().to_string();
        let default = remotes.as_deref().filter(|default| *default != name);
        if let Some(default) = default
            && let Some(branch) = named(repository, default)?
        {
            warnings.push(format!("HEAD is on {name}; {default}, the remote's default branch, was read"));
            return Ok(branch);
        }
        return needed(&name);
    }
    for name in remotes.iter().map(String::as_str).chain(["main", "master"]) {
        if let Some(branch) = named(repository, name)? {
            return Ok(branch);
        }
    }
    match head.kind {
        Kind::Detached { target, peeled } => {
            warnings
                .push("HEAD is on no branch, and no default branch is known: what HEAD points to was read".to_owned());
            Ok(Branch { name: None, tip: peeled.unwrap_or(target) })
        }
        _ => match &*branches(repository) {
            [] => Err(GitError::Empty { path: folder(repository) }),
            [only] => needed(only),
            _ => Err(no_branch(
                repository,
                &head.referent_name().map(|name| name.shorten().to_string()).unwrap_or_default(),
            )),
        },
    }
}

/// The branch of this name, here or on the remote `origin`.
fn named(repository: &Repository, name: &str) -> Result<Option<Branch>, GitError> {
    for full in [format!("refs/heads/{name}"), format!("refs/remotes/origin/{name}")] {
        if let Ok(Some(mut reference)) = repository.try_find_reference(full.as_str()) {
            let tip = match reference.peel_to_id() {
                Ok(tip) => tip.detach(),
                Err(error) => {
                    let id = reference.try_id().map(|id| id.to_string()).unwrap_or(full);
                    return Err(GitError::Object { id, why: error.probable_cause().to_string() });
                }
            };
            return Ok(Some(Branch { name: Some(name.to_owned()), tip }));
        }
    }
    Ok(None)
}

/// The branch that `origin/HEAD` points to.
fn remote_default(repository: &Repository) -> Option<String> {
    let reference = repository.try_find_reference("refs/remotes/origin/HEAD").ok()??;
    let target = reference.target().try_name()?.as_bstr().to_string();
    target.strip_prefix("refs/remotes/origin/").map(str::to_owned)
}

fn branches(repository: &Repository) -> Vec<String> {
    let names = |references: &gix::reference::iter::Platform| -> Option<Vec<String>> {
        let branches = references.local_branches().ok()?;
        Some(branches.flatten().map(|branch| branch.name().shorten().to_string()).collect())
    };
    repository.references().ok().and_then(|references| names(&references)).unwrap_or_default()
}

fn no_branch(repository: &Repository, name: &str) -> GitError {
    GitError::NoBranch { branch: name.to_owned(), branches: branches(repository) }
}

pub(super) fn open_error(repository: &Repository, error: &gix::Error) -> GitError {
    GitError::Open { path: folder(repository), why: error.probable_cause().to_string() }
}

/// The folder that people know the repository by.
pub(super) fn folder(repository: &Repository) -> PathBuf {
    let folder = repository.workdir().unwrap_or_else(|| repository.git_dir());
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// `owner/name` of the remote `origin`, else the folder's name.
pub(super) fn name(repository: &Repository) -> Option<String> {
    let url = repository.config_snapshot().string("remote.origin.url");
    let of_remote = url.and_then(|url| name_of_url(&url.to_string()));
    of_remote
        .or_else(|| {
            // A linked worktree is of the main repository.
            let common = repository.common_dir().canonicalize().ok()?;
            let folder = if common.ends_with(".git") { common.parent()? } else { &common };
            let name = folder.file_name()?.to_string_lossy().into_owned();
            Some(name.strip_suffix(".git").map_or(name.clone(), str::to_owned))
        })
        .and_then(|name| text::id(name.as_bytes()).map(String::from))
}

/// The path of a remote's URL; of a local one its last part, as the folders above it are a machine's affair.
fn name_of_url(url: &str) -> Option<String> {
    let parsed = gix::url::parse(url).ok()?;
    let path = parsed.path.to_string();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    let name = match parsed.host {
        // `~user/repo` of an SSH host.
        Some(_) => path.trim_start_matches(['~', '/']),
        None => path.rsplit(['/', '\\']).next()?,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_called_what_its_remote_calls_it() {
        for (url, name) in [
            ("https://github.com/acme/web.git", "acme/web"),
            ("https://user:secret@github.com/acme/web/", "acme/web"),
            ("git@github.com:acme/web.git", "acme/web"),
            ("ssh://git@git.example.com:2222/acme/tools/web.git", "acme/tools/web"),
            ("git://example.com/web", "web"),
            ("/srv/git/web.git", "web"),
            ("file:///srv/git/web", "web"),
            ("../web", "web"),
        ] {
            assert_eq!(name_of_url(url).as_deref(), Some(name), "{url}");
        }
        assert_eq!(name_of_url("https://example.com/"), None);
    }
}
