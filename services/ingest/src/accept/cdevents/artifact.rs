//! What an `artifactId` says of the revision: a package URL (`pkg:type/namespace/name@version?qualifiers`), or any text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What is known of an artifact.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Artifact<'t> {
    /// The commit it was built from where that stands in it, else its version, else the whole text.
    pub revision: Cow<'t, str>,
    /// The repository it was built from, where that stands in it.
    pub repository: Option<String>,
}

/// Hosts of repositories, whose packages are repositories and whose versions are revisions of them.
const FORGES: [&str; 3] = ["github", "gitlab", "bitbucket"];

impl<'t> Artifact<'t> {
    pub fn read(id: &'t str) -> Self {
        let Some(package) = Package::read(id) else {
            return Self { revision: Cow::Borrowed(id), repository: None };
        };
        let (vcs_repository, vcs_revision) = package.vcs_url.as_deref().map(version_control).unwrap_or_default();
        let forge = package.is_of_forge.then(|| package.path.trim_matches('/').to_owned());
        let repository = vcs_repository.or(forge.filter(|path| !path.is_empty()));
        let candidates = [vcs_revision.map(Cow::Owned), package.version, package.tag];
        let is_commit = |text: &&Cow<str>| is_sha(text);
        let revision = candidates.iter().flatten().find(is_commit).or_else(|| candidates[..2].iter().flatten().next());
        Self { revision: revision.cloned().unwrap_or(Cow::Borrowed(id)), repository }
    }
}

/// The parts of a package URL that say something here. It is read as leniently as possible: nothing is refused.
struct Package<'t> {
    is_of_forge: bool,
    /// Namespace and name.
    path: Cow<'t, str>,
    version: Option<Cow<'t, str>>,
    vcs_url: Option<Cow<'t, str>>,
    /// A container image's; its version is a digest.
    tag: Option<Cow<'t, str>>,
}

impl<'t> Package<'t> {
    fn read(id: &'t str) -> Option<Self> {
        let (scheme, rest) = id.trim().split_once(':')?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        // A scope (`@acme/shop`) begins like a version, but a name follows.
        let (rest, version) = match rest.rsplit_once('@') {
            Some((before, version)) if !version.contains('/') => (before, Some(version)),
            _ => (rest, None),
        };
        let (ty, path) = rest.trim_start_matches('/').split_once('/')?;
        let qualifier = |name: &str| {
            let pairs = qualifiers.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| decoded(value))
        };
        Some(Self {
            is_of_forge: FORGES.iter().any(|forge| ty.eq_ignore_ascii_case(forge)),
            path: decoded(path)?,
            version: version.and_then(decoded),
            vcs_url: qualifier("vcs_url"),
            tag: qualifier("tag"),
        })
    }
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    (!text.trim().is_empty()).then(|| percent_decode_str(text).decode_utf8_lossy())
}

/// The repository and the revision of `git+https://host/acme/shop.git@revision`.
fn version_control(url: &str) -> (Option<String>, Option<String>) {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (address, revision) = match url.rsplit_once('@') {
        // Else the sign belongs to a user: `git@host:acme/shop`.
        Some((address, revision)) if !revision.is_empty() && !revision.contains(['/', ':']) => {
            (address, Some(revision.to_owned()))
        }
        _ => (url, None),
    };
    (repository_of_url(address), revision)
}

/// `acme/shop` of `https://host/acme/shop.git`, `ssh://git@host/acme/shop` or `git@host:acme/shop.git`; `None` where
/// that is no address.
pub(super) fn repository_of_url(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once('@')?.1.split_once(':')?.1,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!path.is_empty()).then(|| path.to_owned())
}

/// Whether a text is a commit's hash, as the log knows them.
fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str) -> String {
        let Artifact { revision, repository } = Artifact::read(id);
        format!("{revision} of {}", repository.as_deref().unwrap_or("?"))
    }

    #[test]
    fn an_artifact_tells_its_commit_or_its_version() {
        let sha = "9fceb02d0ae598e95dc970b74767f19372d61af8";
        let digest = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";
        for (id, expected) in [
            (format!("pkg:oci/myapp@sha256%3A{digest}"), format!("sha256:{digest} of ?")),
            (format!("pkg:oci/myapp@sha256%3A{digest}?tag={sha}"), format!("{sha} of ?")),
            (format!("pkg:oci/myapp@sha256%3A{digest}?tag=v1.4"), format!("sha256:{digest} of ?")),
            ("pkg:golang/mygit.com/myorg/myapp@234fd47e07d1004f0aed9c".into(), "234fd47e07d1004f0aed9c of ?".into()),
            (format!("pkg:github/Acme/Shop@{sha}"), format!("{sha} of Acme/Shop")),
            ("pkg:npm/%40acme/shop@1.2.3".into(), "1.2.3 of ?".into()),
            ("pkg:npm/@acme/shop".into(), "pkg:npm/@acme/shop of ?".into()),
            (
                format!("pkg:maven/com.acme/shop@1.2?vcs_url=git%2Bhttps%3A%2F%2Fgithub.com%2Facme%2Fshop.git%40{sha}"),
                format!("{sha} of acme/shop"),
            ),
            (
                "PKG:generic/shop@1.2?a=b&vcs_url=git+ssh://git@git.acme.com/web/shop@v1.2#sub".into(),
                "v1.2 of web/shop".into(),
            ),
            ("pkg:generic/shop@1.2?vcs_url=git@git.acme.com:web/shop.git".into(), "1.2 of web/shop".into()),
            (sha.into(), format!("{sha} of ?")),
            ("six-1.14.0-py2.py3-none-any.whl".into(), "six-1.14.0-py2.py3-none-any.whl of ?".into()),
            ("pkg:".into(), "pkg: of ?".into()),
            ("pkg:oci/@?tag=&vcs_url=%".into(), "pkg:oci/@?tag=&vcs_url=% of ?".into()),
        ] {
            assert_eq!(told(&id), expected, "{id}");
        }
    }
}
