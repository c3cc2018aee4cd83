//! Ids that are the same in REST (`node_id`) and in GraphQL (`id`).

/// What an id says, to those who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::github) struct NodeId {
    /// The type: `DE` is a deployment.
    pub prefix: String,
    /// The repository, or the thing itself where it is in none.
    pub home: i64,
    /// The id within the repository.
    pub id: i64,
    /// The hash of a commit.
    pub sha: String,
}

impl NodeId {
    pub fn account(prefix: &str, id: i64) -> String {
        format!("{prefix}_kgDO{id:08x}")
    }

    pub fn part(prefix: &str, repository: i64, id: i64) -> String {
        format!("{prefix}_kwDO{repository:08x}{id:010x}")
    }

    pub fn commit(repository: i64, sha: &str) -> String {
        format!("C_kwDO{repository:08x}{sha}")
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_once('_')?;
        let rest = rest.strip_prefix("kgDO").or_else(|| rest.strip_prefix("kwDO"))?;
        let (home, rest) = rest.split_at_checked(8)?;
        let home = i64::from_str_radix(home, 16).ok()?;
        let (id, sha) = match rest.len() {
            0 => (0, ""),
            40 => (0, rest),
            _ => (i64::from_str_radix(rest, 16).ok()?, ""),
        };
        Some(Self { prefix: prefix.to_owned(), home, id, sha: sha.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::NodeId;

    #[test]
    fn an_id_is_read_back() {
        let id = NodeId::parse(&NodeId::part("DE", 100_000_007, 9_000_000_001)).unwrap();
        assert_eq!((id.prefix.as_str(), id.home, id.id), ("DE", 100_000_007, 9_000_000_001));
        assert_eq!(NodeId::parse("DE_"), None);
        assert_eq!(NodeId::parse("DE_kwDOéééééééééééé"), None);
    }
}
