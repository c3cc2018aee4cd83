//! What is kept beside the log and the facts: single values, leases, tokens, secrets and how far pulls have come.

use sqlx::Row;
use vigie_model::Time;

use crate::connection::{Tx, each};
use crate::{Result, Store, StoreError};

/// How far the log is folded into facts, among the single values.
pub const FOLDED_SEQ: &str = "folded_seq";
/// Under which settings the facts were folded.
pub const SETTINGS_DIGEST: &str = "settings_digest";
/// How often facts were written.
pub(crate) const FACTS_VERSION: &str = "facts_version";

/// How far a source has been pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The source.
    pub source: String,
    /// Whatever its puller needs to go on.
    pub value: String,
}

/// Shows that a write rests on a lease: it fails where the lease is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseProof {
    /// The lease.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The number that the lease had when the work began that is written.
    pub fence: i64,
    /// The instant of the write.
    pub now: Time,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called, and the source of the events that it sends.
    pub name: String,
    /// A hash of the secret, which is kept nowhere.
    pub hash: Vec<u8>,
    /// What its bearer may do, separated by commas.
    pub rights: String,
    /// The team that it is limited to.
    pub team: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// From when on it is void.
    pub expires_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

const TOKEN: &str = "SELECT name, hash, rights, team, created_at, expires_at, revoked_at FROM tokens";

macro_rules! token {
    ($row:expr) => {{
        let row = $row;
        Token {
            name: row.try_get(0)?,
            hash: row.try_get(1)?,
            rights: row.try_get(2)?,
            team: row.try_get(3)?,
            created_at: row.try_get(4)?,
            expires_at: row.try_get(5)?,
            revoked_at: row.try_get(6)?,
        }
    }};
}

/// Runs one writing statement in a transaction of its own; gives the number of rows that it touched.
macro_rules! write {
    ($store:expr, $sql:expr $(, $value:expr)*) => {{
        let mut tx = $store.begin().await?;
        let touched = each!(&mut tx, connection => {
            sqlx::query($sql)$(.bind($value))*.execute(connection).await?.rows_affected()
        });
        tx.commit().await?;
        touched
    }};
}

impl Store {
    /// A single value.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn state(&self, name: &str) -> Result<Option<String>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let row = sqlx::query("SELECT value FROM vigie_state WHERE name = $1").bind(name).fetch_optional(connection).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
    }

    /// Sets a single value.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_state(&self, name: &str, value: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        write_state(&mut tx, name, value).await?;
        tx.commit().await
    }

    /// Takes a lease, or holds it for longer; `None` while another holder has it. Gives a number that grows with each
    /// change of the holder. `ttl` in microseconds. Clocks of several machines are expected to agree to well within it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lease(&self, name: &str, holder: &str, ttl: Time, now: Time) -> Result<Option<i64>> {
        let sql = "INSERT INTO lease (name, holder, until, fence) VALUES ($1, $2, $3, 1) \
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, \
            fence = lease.fence + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END \
            WHERE lease.holder = excluded.holder OR lease.until <= $4 RETURNING fence";
        let mut tx = self.begin().await?;
        let fence = each!(&mut tx, connection => {
            let query = sqlx::query(sql).bind(name).bind(holder).bind(now.saturating_add(ttl)).bind(now);
            query.fetch_optional(connection).await?.map(|row| row.try_get(0)).transpose()?
        });
        tx.commit().await?;
        Ok(fence)
    }

    /// Gives a lease back; nothing where it is not held by this holder.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release(&self, name: &str, holder: &str) -> Result<()> {
        // It stays as nobody's, so that its number goes on.
        write!(self, "UPDATE lease SET holder = '', until = 0 WHERE name = $1 AND holder = $2", name, holder);
        Ok(())
    }

    /// Adds a token; `false` where its name is taken.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn add_token(&self, token: &Token) -> Result<bool> {
        let mut tx = self.begin().await?;
        let touched = write_token(&mut tx, token).await?;
        tx.commit().await?;
        Ok(touched > 0)
    }

    /// Gives a token another secret and another end, and makes it valid again; its name, and with it the source of
    /// its events, stays. `false` where there is none of this name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rotate_token(&self, name: &str, hash: &[u8], expires_at: Option<Time>) -> Result<bool> {
        let sql = "UPDATE tokens SET hash = $2, expires_at = $3, revoked_at = NULL WHERE name = $1";
        Ok(write!(self, sql, name, hash, expires_at) > 0)
    }

    /// Takes a token back; `false` where there is none of this name that is still valid.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revoke_token(&self, name: &str, now: Time) -> Result<bool> {
        let sql = "UPDATE tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";
        Ok(write!(self, sql, name, now) > 0)
    }

    /// Every token, those that were taken back included, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let mut reader = self.backend().reader().await?;
        let sql = format!("{TOKEN} ORDER BY name");
        each!(&mut reader, connection => {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(token!(row))).collect()
        })
    }

    /// The token with this hash, valid or not.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token_by_hash(&self, hash: &[u8]) -> Result<Option<Token>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let query = sqlx::query(sqlx::AssertSqlSafe(format!("{TOKEN} WHERE hash = $1")));
            match query.bind(hash).fetch_optional(connection).await? {
                Some(row) => Ok(Some(token!(&row))),
                None => Ok(None),
            }
        })
    }

    /// A secret of the program's own. Where there is none yet, `make` makes it; of several processes that do so at
    /// once, all get the same.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn secret_or(&self, name: &str, make: impl FnOnce() -> Vec<u8> + Send) -> Result<Vec<u8>> {
        if let Some(secret) = self.secret(name).await? {
            return Ok(secret);
        }
        let mut tx = self.begin().await?;
        write_secret(&mut tx, name, &make()).await?;
        tx.commit().await?;
        self.secret(name).await?.ok_or_else(|| StoreError::Corrupt {
            table: "secrets",
            column: "value",
            row: name.to_owned(),
            reason: "it vanished as it was written".to_owned(),
        })
    }

    /// A secret of the program's own, where it was made.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let row = sqlx::query("SELECT value FROM secrets WHERE name = $1").bind(name).fetch_optional(connection).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
    }

    /// Every secret of the program's own, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn secrets(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query("SELECT name, value FROM secrets ORDER BY name").fetch_all(connection).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    /// Destroys a secret: what was made with it can be made out no more. `false` where there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn destroy_secret(&self, name: &str) -> Result<bool> {
        Ok(write!(self, "DELETE FROM secrets WHERE name = $1", name) > 0)
    }

    /// How far a source has been pulled.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cursor(&self, source: &str) -> Result<Option<String>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let row = sqlx::query("SELECT cursor FROM pull_cursors WHERE source = $1").bind(source).fetch_optional(connection).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
    }

    /// Notes how far a source has been pulled. Where events came with it: [`Store::append_with`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_cursor(&self, cursor: &Cursor, now: Time) -> Result<()> {
        let mut tx = self.begin().await?;
        write_cursor(&mut tx, cursor, now).await?;
        tx.commit().await
    }

    /// Every source that was pulled, with its cursor and when it was set, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cursors(&self) -> Result<Vec<(Cursor, Time)>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query("SELECT source, cursor, updated_at FROM pull_cursors ORDER BY source").fetch_all(connection).await?;
            rows.iter().map(|row| Ok((Cursor { source: row.try_get(0)?, value: row.try_get(1)? }, row.try_get(2)?))).collect()
        })
    }
}

/// Gives the number of rows that were written: none where the name is taken.
pub(crate) async fn write_token(tx: &mut Tx, token: &Token) -> Result<u64> {
    let sql = "INSERT INTO tokens (name, hash, rights, team, created_at, expires_at, revoked_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING";
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(&token.name).bind(&token.hash).bind(&token.rights).bind(&token.team);
        let query = query.bind(token.created_at).bind(token.expires_at).bind(token.revoked_at);
        Ok(query.execute(connection).await?.rows_affected())
    })
}

/// Removes every secret of the program's own.
pub(crate) async fn forget_secrets(tx: &mut Tx) -> Result<()> {
    each!(tx, connection => {
        sqlx::query("DELETE FROM secrets").execute(connection).await?;
    });
    Ok(())
}

/// Nothing where there is one of this name.
pub(crate) async fn write_secret(tx: &mut Tx, name: &str, value: &[u8]) -> Result<()> {
    let sql = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    each!(tx, connection => {
        sqlx::query(sql).bind(name).bind(value).execute(connection).await?;
    });
    Ok(())
}

pub(crate) async fn write_cursor(tx: &mut Tx, cursor: &Cursor, now: Time) -> Result<()> {
    let sql = "INSERT INTO pull_cursors (source, cursor, updated_at) VALUES ($1, $2, $3) \
        ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at";
    each!(tx, connection => {
        sqlx::query(sql).bind(&cursor.source).bind(&cursor.value).bind(now).execute(connection).await?;
    });
    Ok(())
}

pub(crate) async fn write_state(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    let sql =
        "INSERT INTO vigie_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    each!(tx, connection => {
        sqlx::query(sql).bind(name).bind(value).execute(connection).await?;
    });
    Ok(())
}

/// Fails unless the lease is held; on PostgreSQL nobody else can take it before this transaction ends.
pub(crate) async fn check_lease(tx: &mut Tx, proof: &LeaseProof) -> Result<()> {
    let sql = "UPDATE lease SET until = until WHERE name = $1 AND holder = $2 AND until > $3 AND fence = $4";
    let held = each!(tx, connection => {
        sqlx::query(sql).bind(&proof.name).bind(&proof.holder).bind(proof.now).bind(proof.fence).execute(connection).await?.rows_affected()
    });
    if held == 0 { Err(StoreError::LeaseLost { name: proof.name.clone() }) } else { Ok(()) }
}
