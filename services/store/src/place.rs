//! Where the database is: its URL, and how to name it without telling its password.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::{Result, StoreError};

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Never write: not even a migration.
    pub read_only: bool,
    /// Create the SQLite file where there is none.
    pub create: bool,
    /// How long to wait for the lock of another process before saying that it is locked.
    pub busy_timeout: Duration,
    /// How many connections may read side by side (and on PostgreSQL write).
    pub connections: u32,
    /// How many megabytes of pages the SQLite connection that writes keeps in memory, and each that reads half of.
    pub cache_megabytes: u32,
    /// SQLite refuses to grow beyond so many pages, as on a full disk.
    pub max_pages: Option<u32>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            create: true,
            busy_timeout: Duration::from_secs(10),
            connections: 8,
            cache_megabytes: 128,
            max_pages: None,
        }
    }
}

impl ConnectOptions {
    /// To look and not to touch.
    #[must_use]
    pub fn read_only() -> Self {
        Self { read_only: true, create: false, ..Self::default() }
    }

    /// The same for a process that is to stay small: what it does not keep, the system's own cache most often has.
    #[must_use]
    pub fn sparing(self) -> Self {
        Self { cache_megabytes: 8, connections: 4, ..self }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Sqlite { path: PathBuf, read_only: bool },
    Postgres(Box<PgConnectOptions>),
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let bad = |reason: &str| StoreError::BadUrl { given: redact(url), reason: reason.to_owned() };
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(bad("it has no scheme"));
        };
        match scheme {
            "sqlite" => {
                let read_only = match rest.split_once('?').map(|(_, parameters)| parameters) {
                    None | Some("mode=rwc" | "mode=rw") => false,
                    Some("mode=ro") => true,
                    Some(_) => return Err(bad("the only parameter is ?mode=ro")),
                };
                let options = SqliteConnectOptions::from_str(url).map_err(|e| bad(&e.to_string()))?;
                let path = options.get_filename().to_owned();
                if path.as_os_str().is_empty() {
                    return Err(bad("it names no file"));
                }
                if rest.contains(":memory:") {
                    return Err(bad("a database in memory would forget what it acknowledged"));
                }
                Ok(Self::Sqlite { path, read_only })
            }
            "postgres" | "postgresql" => {
                // The driver's own message may quote the URL; ours must not hold the password.
                let options = PgConnectOptions::from_str(url).map_err(|_| bad("it is no valid URL"))?;
                Ok(Self::Postgres(Box::new(options)))
            }
            _ => Err(bad("the scheme is neither sqlite nor postgres")),
        }
    }
}

/// A database URL for messages: passwords are masked, in the authority and in parameters.
#[must_use]
pub fn redact(url: &str) -> String {
    let (head, parameters) = match url.split_once('?') {
        Some((head, parameters)) => (head, Some(parameters)),
        None => (url, None),
    };
    let mut shown = match head.split_once("://") {
        // A password may hold a slash or an at sign that nobody encoded, so the last at sign counts.
        Some((scheme, rest)) if !scheme.starts_with("sqlite") => match rest.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
                None => head.to_owned(),
            },
            None => head.to_owned(),
        },
        _ => head.to_owned(),
    };
    if let Some(parameters) = parameters {
        let parameters = parameters.split('&').map(|parameter| match parameter.split_once('=') {
            Some((key, _)) if key.to_ascii_lowercase().contains("password") => format!("{key}=***"),
            _ => parameter.to_owned(),
        });
        shown.push('?');
        shown.push_str(&parameters.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked() {
        assert_eq!(redact("postgres://me:secret@db/vigie"), "postgres://me:***@db/vigie");
        assert_eq!(redact("postgres://me:a/b@c@db/vigie"), "postgres://me:***@db/vigie");
        assert_eq!(redact("postgres://me@db/vigie"), "postgres://me@db/vigie");
        assert_eq!(
            redact("postgres://db/vigie?user=me&password=x&a=b"),
            "postgres://db/vigie?user=me&password=***&a=b"
        );
        assert_eq!(redact("sqlite://a@b.db"), "sqlite://a@b.db");
    }

    #[test]
    fn what_is_no_database_is_refused() {
        for url in [
            "vigie.db",
            "mysql://x/y",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://x.db?cache=shared",
            "postgres://[/x",
        ] {
            let error = Place::parse(url).expect_err(url);
            assert!(matches!(error, StoreError::BadUrl { .. }), "{url}: {error}");
        }
        let error = Place::parse("postgres://me:secret@db:99999999/vigie").expect_err("port");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert!(matches!(Place::parse("sqlite://x.db?mode=ro"), Ok(Place::Sqlite { read_only: true, .. })));
    }
}
