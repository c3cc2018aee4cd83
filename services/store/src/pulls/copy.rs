//! Runs in a backup, as they are.

use sqlx::{AssertSqlSafe, Row};

use super::{PullRun, PullStanding, RUN, run, state, whole};
use crate::Result;
use crate::connection::{Tx, each};

/// Rows that are read at once.
const ROWS: i64 = 1_000;

/// Copies all of them. Gives their number.
pub(crate) async fn copy_pull_runs(from: &mut Tx, to: &mut Tx) -> Result<u64> {
    let select = format!("{RUN} WHERE id > $1 ORDER BY id LIMIT $2");
    let insert = "INSERT INTO pull_runs (id, source, started_at, ended_at, state, events, duplicates, requests, done, total, \
        read_until, quota_left, notes, error, next_run_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let (mut after, mut count) = (0, 0);
    loop {
        let page: Vec<PullRun> = each!(&mut *from, source => {
            let query = sqlx::query(AssertSqlSafe(select.as_str())).bind(after).bind(ROWS);
            query.fetch_all(source).await?.iter().map(|row| Ok(run!(row))).collect::<Result<_>>()?
        });
        let Some(last) = page.last() else { break };
        after = last.id;
        count += page.len() as u64;
        for run in &page {
            let standing = &run.standing;
            each!(&mut *to, target => {
                let query = sqlx::query(insert).bind(run.id).bind(&run.source).bind(run.started_at).bind(run.ended_at);
                let query = query.bind(run.state.as_str()).bind(whole(run.events)).bind(whole(run.duplicates));
                let query = query.bind(whole(standing.requests)).bind(whole(standing.done)).bind(whole(standing.total));
                let query = query.bind(standing.read_until).bind(standing.quota_left.map(whole));
                let query = query.bind(standing.notes.join("\n")).bind(run.error.as_deref()).bind(run.next_run_at);
                query.execute(target).await?;
            });
        }
    }
    if let Tx::Postgres(tx) = to {
        let sql =
            "SELECT setval(pg_get_serial_sequence('pull_runs', 'id'), GREATEST((SELECT max(id) FROM pull_runs), 1))";
        sqlx::query(sql).execute(&mut **tx).await?;
    }
    Ok(count)
}
