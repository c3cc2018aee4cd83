//! Where a pull stands: kept by the caller between runs, as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use gix::ObjectId;
use serde::{Deserialize, Serialize};
use vigie_model::{Time, format_time, parse_time};

use super::GitError;

/// What was given already. Cheap to clone; `to_string` is its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Commits that were given with all their ancestors.
    pub(super) tips: Vec<ObjectId>,
    /// The commits that were given without their parents: the end of a shallow clone.
    pub(super) boundary: Vec<ObjectId>,
    /// Whether they were given with their paths.
    pub(super) with_paths: bool,
    /// The tags that were given, and what each pointed to.
    pub(super) tags: Arc<BTreeMap<String, ObjectId>>,
    /// The last first-parent commit that was given as a deployment, and when that was finished.
    pub(super) merged: Option<(ObjectId, Time)>,
}

/// The form of the text. A later form gets another version.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u32,
    tips: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    boundary: Vec<String>,
    #[serde(default)]
    with_paths: bool,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged: Option<(String, String)>,
}

impl Cursor {
    /// Reads the text of an earlier run.
    ///
    /// # Errors
    /// [`GitError::Cursor`]
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let wrong = |why: String| GitError::Cursor { why };
        let form: Form = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if form.version != 1 {
            return Err(wrong(format!("it has the version {}, this program knows 1", form.version)));
        }
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).map_err(|e| wrong(format!("{hex}: {e}")));
        let merged = match &form.merged {
            Some((hex, at)) => Some((id(hex)?, parse_time(at).map_err(|e| wrong(e.to_string()))?)),
            None => None,
        };
        let tags: Result<_, GitError> = form.tags.into_iter().map(|(name, hex)| Ok((name, id(&hex)?))).collect();
        Ok(Self {
            tips: form.tips.iter().map(|hex| id(hex)).collect::<Result<_, _>>()?,
            boundary: form.boundary.iter().map(|hex| id(hex)).collect::<Result<_, _>>()?,
            with_paths: form.with_paths,
            tags: Arc::new(tags?),
            merged,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let form = Form {
            version: 1,
            tips: self.tips.iter().map(ToString::to_string).collect(),
            boundary: self.boundary.iter().map(ToString::to_string).collect(),
            with_paths: self.with_paths,
            tags: self.tags.iter().map(|(name, id)| (name.clone(), id.to_string())).collect(),
            merged: self.merged.map(|(id, at)| (id.to_string(), format_time(at))),
        };
        f.write_str(&serde_json::to_string(&form).map_err(|_| std::fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_from_its_text() {
        let id = |digit: &str| ObjectId::from_hex(digit.repeat(40).as_bytes()).unwrap();
        let cursor = Cursor {
            tips: vec![id("1"), id("2")],
            boundary: vec![id("5")],
            with_paths: true,
            tags: Arc::new(BTreeMap::from([("v1".to_owned(), id("3"))])),
            merged: Some((id("4"), 1_790_856_000_000_000)),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        assert_eq!(Cursor::parse(&Cursor::default().to_string()).unwrap(), Cursor::default());
    }

    #[test]
    fn what_is_no_cursor_says_what_to_do() {
        for text in [
            "",
            "{}",
            r#"{"version":2,"tips":[]}"#,
            r#"{"version":1,"tips":["x"]}"#,
            r#"{"version":1,"tips":[],"page":7}"#,
        ] {
            let error = Cursor::parse(text).unwrap_err().to_string();
            assert!(error.contains("pull without it"), "{error}");
        }
    }
}
