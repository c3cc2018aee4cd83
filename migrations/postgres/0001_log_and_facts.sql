-- The log and the facts, on PostgreSQL 14 and later. Instants are UTC microseconds (the v_ views show them as
-- timestamptz). Text compares by bytes, as on SQLite. Every large table's key begins with what it can be
-- distributed by, and no other constraint on it is unique, so that the same schema runs on Citus.

-- Everything that was ever recorded, in the order of its recording. Nothing here is changed or removed.
-- `home` groups what one fold reads together; (home, at, digest) recognises an event that comes again, and
-- keeps the events of a home together and in order of time, so that an import appends instead of scattering.
-- `content` is the digest of a timeless event without its time of arrival; others have none.
CREATE TABLE events (
    seq bigint NOT NULL,
    recorded_at bigint NOT NULL,
    home text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    digest bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    content bytea,
    body text COLLATE "C" NOT NULL,
    PRIMARY KEY (home, at, digest)
);
CREATE INDEX events_seq ON events (seq);
CREATE INDEX events_timeless ON events (home, content) WHERE content IS NOT NULL;

CREATE VIEW v_events AS SELECT
    seq,
    timestamptz 'epoch' + recorded_at * interval '1 microsecond' AS recorded_at,
    home,
    timestamptz 'epoch' + at * interval '1 microsecond' AS at,
    kind,
    body::jsonb AS body
FROM events;

-- The facts: one table for each row type of `vigie_model::facts`, in its order of columns (a test compares them).

-- A deployment with what became of it. Sorted by environment and order of deployment.
CREATE TABLE deployment_facts (
    service text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    position bigint,
    repository text COLLATE "C",
    revision text COLLATE "C",
    started_at bigint,
    exposed_at bigint,
    finished_at bigint,
    outcome text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    counted boolean NOT NULL,
    "trigger" text COLLATE "C",
    inferred boolean NOT NULL,
    branch text COLLATE "C",
    url text COLLATE "C",
    baseline boolean NOT NULL,
    rollback boolean NOT NULL,
    redeployment boolean NOT NULL,
    unplanned boolean NOT NULL,
    joined boolean NOT NULL,
    delivery boolean NOT NULL,
    failed boolean NOT NULL,
    failed_by text COLLATE "C",
    recovered_at bigint,
    rolled_back_finished_at bigint,
    rollout text COLLATE "C",
    blame text COLLATE "C" NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (service, region, source, id, environment)
);

-- A change that was deployed. Sorted by environment and `deployed_at`.
CREATE TABLE change_facts (
    service text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    repository text COLLATE "C" NOT NULL,
    sha text COLLATE "C" NOT NULL,
    pull_request bigint,
    title text COLLATE "C",
    bot boolean NOT NULL,
    counted boolean NOT NULL,
    started_at bigint NOT NULL,
    deployed_at bigint NOT NULL,
    lead_time bigint NOT NULL,
    clock_fault boolean NOT NULL,
    coding bigint,
    pickup bigint,
    review bigint,
    deploy bigint,
    deployment_region text COLLATE "C" NOT NULL,
    deployment_source text COLLATE "C" NOT NULL,
    deployment_id text COLLATE "C" NOT NULL,
    url text COLLATE "C",
    PRIMARY KEY (service, environment, category, repository, sha)
);

-- A merged change that no deployment has brought yet. Sorted by environment and `merged_at`.
CREATE TABLE waiting_facts (
    service text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    repository text COLLATE "C" NOT NULL,
    pull_request bigint NOT NULL,
    title text COLLATE "C",
    bot boolean NOT NULL,
    merged_at bigint NOT NULL,
    url text COLLATE "C",
    PRIMARY KEY (service, environment, repository, pull_request)
);

-- An incident as one of its services sees it. Sorted by environment and `started_at`.
CREATE TABLE incident_facts (
    service text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    title text COLLATE "C",
    severity text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    detected_at bigint,
    acknowledged_at bigint,
    mitigated_at bigint,
    resolved_at bigint,
    restored_at bigint,
    services text COLLATE "C" NOT NULL,
    blamed text COLLATE "C" NOT NULL,
    url text COLLATE "C",
    PRIMARY KEY (service, environment, source, id)
);

-- A stretch of time with what is known of the service in it. Sorted by environment, kind and `from`.
CREATE TABLE availability_facts (
    service text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    begins_at bigint NOT NULL,
    ends_at bigint,
    good bigint,
    total bigint,
    PRIMARY KEY (service, environment, state, begins_at)
);

-- Something that a person should know about the data.
CREATE TABLE quality_facts (
    service text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    at bigint,
    detail text COLLATE "C" NOT NULL,
    PRIMARY KEY (service, code, subject)
);

-- A service as it stands.
CREATE TABLE service_facts (
    service text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    team text COLLATE "C",
    teams text COLLATE "C" NOT NULL,
    archived_at bigint,
    failure_signal boolean NOT NULL,
    repositories text COLLATE "C" NOT NULL,
    environments text COLLATE "C" NOT NULL,
    uptime_sources text COLLATE "C" NOT NULL,
    declared boolean NOT NULL,
    PRIMARY KEY (service)
);

CREATE VIEW v_deployment_facts AS SELECT
    service,
    region,
    source,
    id,
    environment,
    position,
    repository,
    revision,
    timestamptz 'epoch' + started_at * interval '1 microsecond' AS started_at,
    timestamptz 'epoch' + exposed_at * interval '1 microsecond' AS exposed_at,
    timestamptz 'epoch' + finished_at * interval '1 microsecond' AS finished_at,
    outcome,
    category,
    counted,
    "trigger",
    inferred,
    branch,
    url,
    baseline,
    rollback,
    redeployment,
    unplanned,
    joined,
    delivery,
    failed,
    failed_by,
    timestamptz 'epoch' + recovered_at * interval '1 microsecond' AS recovered_at,
    timestamptz 'epoch' + rolled_back_finished_at * interval '1 microsecond' AS rolled_back_finished_at,
    rollout,
    blame,
    changes
FROM deployment_facts;

CREATE VIEW v_change_facts AS SELECT
    service,
    environment,
    category,
    repository,
    sha,
    pull_request,
    title,
    bot,
    counted,
    timestamptz 'epoch' + started_at * interval '1 microsecond' AS started_at,
    timestamptz 'epoch' + deployed_at * interval '1 microsecond' AS deployed_at,
    lead_time,
    clock_fault,
    coding,
    pickup,
    review,
    deploy,
    deployment_region,
    deployment_source,
    deployment_id,
    url
FROM change_facts;

CREATE VIEW v_waiting_facts AS SELECT
    service,
    environment,
    repository,
    pull_request,
    title,
    bot,
    timestamptz 'epoch' + merged_at * interval '1 microsecond' AS merged_at,
    url
FROM waiting_facts;

CREATE VIEW v_incident_facts AS SELECT
    service,
    environment,
    source,
    id,
    title,
    severity,
    timestamptz 'epoch' + started_at * interval '1 microsecond' AS started_at,
    timestamptz 'epoch' + detected_at * interval '1 microsecond' AS detected_at,
    timestamptz 'epoch' + acknowledged_at * interval '1 microsecond' AS acknowledged_at,
    timestamptz 'epoch' + mitigated_at * interval '1 microsecond' AS mitigated_at,
    timestamptz 'epoch' + resolved_at * interval '1 microsecond' AS resolved_at,
    timestamptz 'epoch' + restored_at * interval '1 microsecond' AS restored_at,
    services,
    blamed,
    url
FROM incident_facts;

CREATE VIEW v_availability_facts AS SELECT
    service,
    environment,
    state,
    timestamptz 'epoch' + begins_at * interval '1 microsecond' AS begins_at,
    timestamptz 'epoch' + ends_at * interval '1 microsecond' AS ends_at,
    good,
    total
FROM availability_facts;

CREATE VIEW v_quality_facts AS SELECT
    service,
    code,
    subject,
    timestamptz 'epoch' + at * interval '1 microsecond' AS at,
    detail
FROM quality_facts;

CREATE VIEW v_service_facts AS SELECT
    service,
    name,
    team,
    teams,
    timestamptz 'epoch' + archived_at * interval '1 microsecond' AS archived_at,
    failure_signal,
    repositories,
    environments,
    uptime_sources,
    declared
FROM service_facts;

-- Which write last changed a service's facts, so that readers refresh what changed and nothing else. A removed
-- service stays as a mark.
CREATE TABLE fact_state (
    service text COLLATE "C" NOT NULL PRIMARY KEY,
    version bigint NOT NULL,
    removed boolean NOT NULL
);
CREATE INDEX fact_state_version ON fact_state (version);

-- Single values: the facts' version, how far the log is folded, the settings that the facts rest on.
CREATE TABLE vigie_state (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);

-- What one process at a time may do, and until when.
CREATE TABLE lease (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    until bigint NOT NULL
);

-- Access tokens; of each only the hash is kept.
CREATE TABLE tokens (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    rights text COLLATE "C" NOT NULL,
    team text COLLATE "C",
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);

-- Keys that the program made for itself, such as the one behind the pseudonyms of people.
CREATE TABLE secrets (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

-- How far each source has been pulled.
CREATE TABLE pull_cursors (
    source text COLLATE "C" NOT NULL PRIMARY KEY,
    cursor text COLLATE "C" NOT NULL,
    updated_at bigint NOT NULL
);
