//! Where code lives, by the address that a catalogue gives.

use crate::proposal::is_text;

/// A repository, and the folder of it that is meant; none: all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// `owner/name`, without the host.
    pub repository: String,
    /// From the repository's root, without slashes around it.
    pub folder: Option<String>,
}

/// Reads the address of a repository, or of a folder or file in one, as GitHub, GitLab, Gitea, Bitbucket and Azure DevOps
/// write them. `None`: it is none.
pub(super) fn locate(address: &str) -> Option<Location> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (rest, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    let (host, path) = rest.split_once('/')?;
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    // How many parts name the repository, and those behind them without the branch.
    let (name, inside): (Vec<&str>, &[&str]) = match parts.as_slice() {
        [organization, project, "_git", name, ..] if host.contains("azure") => {
            return named(vec![*organization, *project, *name], path_of(query).as_deref());
        }
        all if all.contains(&"-") => {
            let end = all.iter().position(|part| *part == "-").unwrap_or(all.len());
            (all[..end].to_vec(), behind(&all[end + 1..]))
        }
        [owner, name, "src", "branch" | "tag" | "commit", _, inside @ ..] => (vec![*owner, *name], inside),
        [owner, name, rest @ ..] if matches!(rest, ["tree" | "blob" | "edit" | "raw" | "src", ..]) => {
            (vec![*owner, *name], behind(rest))
        }
        // Elsewhere groups may stand in groups.
        [owner, name, ..] if matches!(host, "github.com" | "bitbucket.org" | "codeberg.org") => {
            (vec![*owner, *name], &[])
        }
        all => (all.to_vec(), &[]),
    };
    let is_file = parts.contains(&"blob") || parts.contains(&"edit") || parts.contains(&"raw");
    let inside = if is_file { inside.split_last().map_or(inside, |(_, folders)| folders) } else { inside };
    named(name, Some(&inside.join("/")))
}

/// `owner/name` as annotations have it.
pub(super) fn slug(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('/');
    let is_good = is_text(text)
        && text.split('/').count() >= 2
        && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "{}$:?#*\\".contains(c));
    is_good.then(|| text.trim_end_matches(".git").to_owned())
}

fn named(parts: Vec<&str>, folder: Option<&str>) -> Option<Location> {
    let repository = slug(&parts.join("/"))?;
    let folder = folder.map(|folder| folder.trim_matches('/')).filter(|folder| !folder.is_empty());
    Some(Location { repository, folder: folder.map(str::to_owned) })
}

/// What stands behind `tree/BRANCH`.
fn behind<'a, 'p>(parts: &'a [&'p str]) -> &'a [&'p str] {
    parts.get(2..).unwrap_or_default()
}

fn path_of(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix("path=")).map(decoded)
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_repository_and_a_folder() {
        for (address, repository, folder) in [
            ("https://github.com/acme/shop", "acme/shop", None),
            ("https://github.com/acme/shop.git", "acme/shop", None),
            ("https://github.com/acme/shop/tree/main/", "acme/shop", None),
            ("https://github.com/acme/shop/tree/main/services/check%20out/", "acme/shop", Some("services/check out")),
            ("https://github.com/acme/shop/blob/main/checkout/catalog-info.yaml", "acme/shop", Some("checkout")),
            ("https://github.com/acme/shop/blob/main/catalog-info.yaml", "acme/shop", None),
            ("https://github.example.com/acme/shop/tree/main/lib", "acme/shop", Some("lib")),
            ("https://gitlab.com/acme/web/shop", "acme/web/shop", None),
            ("https://gitlab.com/acme/web/shop/-/tree/main/checkout?ref_type=heads", "acme/web/shop", Some("checkout")),
            ("https://gitea.example.com/acme/shop/src/branch/main/lib", "acme/shop", Some("lib")),
            ("https://bitbucket.org/acme/shop/src/main/lib/", "acme/shop", Some("lib")),
            ("https://dev.azure.com/acme/web/_git/shop?path=/lib&version=GBmain", "acme/web/shop", Some("lib")),
        ] {
            let expected = Location { repository: repository.to_owned(), folder: folder.map(str::to_owned) };
            assert_eq!(locate(address), Some(expected), "{address}");
        }
        for address in
            ["", "shop", "file:/tmp/shop", "https://github.com/acme", "https://github.com/${{ values.repo }}"]
        {
            assert_eq!(locate(address), None, "{address}");
        }
    }

    #[test]
    fn a_slug_has_an_owner_and_a_name() {
        assert_eq!(slug("Acme/Shop"), Some("Acme/Shop".to_owned()));
        assert_eq!(slug("acme/web/shop/"), Some("acme/web/shop".to_owned()));
        for bad in ["shop", "", "/", "a//b", "${{values.owner}}/shop", "https://github.com/acme/shop", "a/b c"] {
            assert_eq!(slug(bad), None, "{bad}");
        }
    }
}
