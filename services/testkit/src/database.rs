//! Databases to throw away.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::PostgresServer;

/// An empty database that goes away with this value.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    File(TempDir),
    Server { name: String, server: &'static PostgresServer },
}

impl TestDatabase {
    /// SQLite, a file in a folder of its own. The file is not there yet.
    ///
    /// # Panics
    /// Where no folder can be made.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("vigie.db").display());
        Self { url, kept: Kept::File(folder) }
    }

    /// PostgreSQL, on the server that all tests share.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed, with how to get it.
    pub async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = tokio::task::spawn_blocking(PostgresServer::shared).await.expect("the server starts");
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = connect(server).await;
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        // An earlier process of the same number may have left one behind.
        for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), create] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a database can be created");
        }
        Self { url: server.url(&name), kept: Kept::Server { name, server } }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is on PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.kept, Kept::Server { .. })
    }

    /// The file of a SQLite database.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn file(&self) -> std::path::PathBuf {
        match &self.kept {
            Kept::File(folder) => folder.path().join("vigie.db"),
            Kept::Server { .. } => panic!("a database on PostgreSQL has no file"),
        }
    }
}

async fn connect(server: &PostgresServer) -> PgConnection {
    PgConnection::connect(&server.url("postgres")).await.expect("the server answers")
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Kept::Server { name, server } = &self.kept {
            let (sql, server) = (format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), *server);
            // A thread, as this may run inside a runtime; and no fault of the tidying is one of the test.
            let tidied = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                runtime.block_on(async {
                    let mut connection = PgConnection::connect(&server.url("postgres")).await.ok()?;
                    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.ok()
                })
            });
            let _ = tidied.join();
        }
    }
}
