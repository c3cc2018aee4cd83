//! What a request may do.

use std::sync::Arc;

use crate::error::{ApiError, Code, Result};

/// One thing that a token may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To send events.
    Ingest,
    /// To ask.
    Read,
    /// To administer.
    Admin,
}

impl Right {
    /// What it allows, as a sentence says it.
    fn verb(self) -> &'static str {
        match self {
            Self::Admin => "administer",
            other => other.as_str(),
        }
    }

    /// As the command line writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// The rights of a token. None follows from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Rights {
    /// See [`Right::Ingest`].
    pub ingest: bool,
    /// See [`Right::Read`].
    pub read: bool,
    /// See [`Right::Admin`].
    pub admin: bool,
}

impl Rights {
    /// Every right.
    pub const ALL: Self = Self { ingest: true, read: true, admin: true };

    /// The rights of a list like `ingest,read`. What is no right gives none.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let has = |right: Right| list.split(',').any(|name| name.trim() == right.as_str());
        Self { ingest: has(Right::Ingest), read: has(Right::Read), admin: has(Right::Admin) }
    }

    /// Whether the right is among them.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        match right {
            Right::Ingest => self.ingest,
            Right::Read => self.read,
            Right::Admin => self.admin,
        }
    }
}

/// Who asks, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The token's name; `None`: nobody said who they are, and nobody had to.
    pub name: Option<Arc<str>>,
    /// What they may.
    pub rights: Rights,
    /// They see only this team and those below it.
    pub team: Option<Arc<str>>,
}

impl Access {
    /// Where no token is asked for: everything, as nobody in particular.
    #[must_use]
    pub fn open() -> Self {
        Self { name: None, rights: Rights::ALL, team: None }
    }

    /// Passes where the right is there.
    ///
    /// # Errors
    /// `FORBIDDEN`; the message says which right is missing and how to get it.
    pub fn need(&self, right: Right) -> Result<()> {
        if self.rights.has(right) {
            return Ok(());
        }
        let (name, verb) = (self.name.as_deref().unwrap_or("this token"), right.verb());
        let right = right.as_str();
        Err(ApiError::new(Code::Forbidden, format!("the token {name:?} may not {verb}; create one with --may {right}")))
    }

    /// The source of events that name none: the token's name, which it keeps when it is rotated.
    #[must_use]
    pub fn source(&self) -> &str {
        self.name.as_deref().unwrap_or("api")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_there_or_named_as_missing() {
        let rights = Rights::parse("ingest, nonsense");
        let access = Access { name: Some("ci".into()), rights, team: None };
        assert!(access.need(Right::Ingest).is_ok());
        assert_eq!(
            access.need(Right::Read).unwrap_err().message,
            "the token \"ci\" may not read; create one with --may read"
        );
    }
}
