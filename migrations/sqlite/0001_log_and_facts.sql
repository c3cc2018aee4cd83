-- The log and the facts, on SQLite. Instants are UTC microseconds, flags are 0 and 1.
-- Known by this number, "Vigi", so that no other program's file is ever taken for ours.
PRAGMA application_id = 1449748329;

-- Everything that was ever recorded, in the order of its recording. Nothing here is changed or removed.
-- `home` groups what one fold reads together; (home, at, digest) recognises an event that comes again, and
-- keeps the events of a home together and in order of time, so that an import appends instead of scattering.
-- `content` is the digest of a timeless event without its time of arrival; others have none.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    home TEXT NOT NULL,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    kind TEXT NOT NULL,
    content BLOB,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_home ON events (home, at, digest);
CREATE INDEX events_timeless ON events (home, content) WHERE content IS NOT NULL;

-- The facts: one table for each row type of `vigie_model::facts`, in its order of columns (a test compares them).

-- A deployment with what became of it. Sorted by environment and order of deployment.
CREATE TABLE deployment_facts (
    service TEXT NOT NULL,
    region TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    environment TEXT NOT NULL,
    position INTEGER,
    repository TEXT,
    revision TEXT,
    started_at INTEGER,
    exposed_at INTEGER,
    finished_at INTEGER,
    outcome TEXT NOT NULL,
    category TEXT NOT NULL,
    counted INTEGER NOT NULL,
    "trigger" TEXT,
    inferred INTEGER NOT NULL,
    branch TEXT,
    url TEXT,
    baseline INTEGER NOT NULL,
    rollback INTEGER NOT NULL,
    redeployment INTEGER NOT NULL,
    unplanned INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    failed_by TEXT,
    recovered_at INTEGER,
    rolled_back_finished_at INTEGER,
    rollout TEXT,
    blame TEXT NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (service, region, source, id, environment)
) STRICT, WITHOUT ROWID;

-- A change that was deployed. Sorted by environment and `deployed_at`.
CREATE TABLE change_facts (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    category TEXT NOT NULL,
    repository TEXT NOT NULL,
    sha TEXT NOT NULL,
    pull_request INTEGER,
    title TEXT,
    bot INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    deployed_at INTEGER NOT NULL,
    lead_time INTEGER NOT NULL,
    clock_fault INTEGER NOT NULL,
    coding INTEGER,
    pickup INTEGER,
    review INTEGER,
    deploy INTEGER,
    deployment_region TEXT NOT NULL,
    deployment_source TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (service, environment, category, repository, sha)
) STRICT, WITHOUT ROWID;

-- A merged change that no deployment has brought yet. Sorted by environment and `merged_at`.
CREATE TABLE waiting_facts (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    repository TEXT NOT NULL,
    pull_request INTEGER NOT NULL,
    title TEXT,
    bot INTEGER NOT NULL,
    merged_at INTEGER NOT NULL,
    url TEXT,
    PRIMARY KEY (service, environment, repository, pull_request)
) STRICT, WITHOUT ROWID;

-- An incident as one of its services sees it. Sorted by environment and `started_at`.
CREATE TABLE incident_facts (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT,
    severity TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    detected_at INTEGER,
    acknowledged_at INTEGER,
    mitigated_at INTEGER,
    resolved_at INTEGER,
    restored_at INTEGER,
    services TEXT NOT NULL,
    blamed TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (service, environment, source, id)
) STRICT, WITHOUT ROWID;

-- A stretch of time with what is known of the service in it. Sorted by environment, kind and `from`.
CREATE TABLE availability_facts (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    state TEXT NOT NULL,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER,
    good INTEGER,
    total INTEGER,
    PRIMARY KEY (service, environment, state, begins_at)
) STRICT, WITHOUT ROWID;

-- Something that a person should know about the data.
CREATE TABLE quality_facts (
    service TEXT NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (service, code, subject)
) STRICT, WITHOUT ROWID;

-- A service as it stands.
CREATE TABLE service_facts (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    team TEXT,
    teams TEXT NOT NULL,
    archived_at INTEGER,
    failure_signal INTEGER NOT NULL,
    repositories TEXT NOT NULL,
    environments TEXT NOT NULL,
    uptime_sources TEXT NOT NULL,
    declared INTEGER NOT NULL,
    PRIMARY KEY (service)
) STRICT, WITHOUT ROWID;

-- Which write last changed a service's facts, so that readers refresh what changed and nothing else. A removed
-- service stays as a mark.
CREATE TABLE fact_state (
    service TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    removed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_state_version ON fact_state (version);

-- Single values: the facts' version, how far the log is folded, the settings that the facts rest on.
CREATE TABLE vigie_state (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What one process at a time may do, and until when.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Access tokens; of each only the hash is kept.
CREATE TABLE tokens (
    name TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    rights TEXT NOT NULL,
    team TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Keys that the program made for itself, such as the one behind the pseudonyms of people.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each source has been pulled.
CREATE TABLE pull_cursors (
    source TEXT NOT NULL PRIMARY KEY,
    cursor TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
