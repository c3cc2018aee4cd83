-- The latest runs of pulls: when each source was asked, what came of it, and when it is asked next.

-- `source` is what the cursor of a pull is kept under. `state` is running, succeeded, failed or interrupted. `events` were
-- recorded, `duplicates` were known; `done` of `total` is how far the run has come, in whatever its source counts.
-- `read_until`: everything up to this instant was read. `quota_left` is what the source's limit of requests leaves.
-- `notes` is what is missing or odd, a line each.
CREATE TABLE pull_runs (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    state TEXT NOT NULL,
    events INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    read_until INTEGER,
    quota_left INTEGER,
    notes TEXT NOT NULL,
    error TEXT,
    next_run_at INTEGER
) STRICT;
CREATE INDEX pull_runs_source ON pull_runs (source, id);
