-- Deliveries of webhooks, and what became of them.

-- What a tool sent, as it came: `content` is its headers and its body, compressed. `identity` is a digest of the
-- connector, the source and the tool's own id of the delivery, or its content where it has none; it recognises one that
-- comes again. `state` is pending, mapped, ignored or failed.
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    source TEXT NOT NULL,
    identity BLOB NOT NULL UNIQUE,
    tool_id TEXT,
    type TEXT,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    mapped_at INTEGER,
    events INTEGER NOT NULL,
    error TEXT,
    bytes INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX deliveries_state ON deliveries (state, seq, source);
CREATE INDEX deliveries_pending ON deliveries (source, seq) WHERE state = 'pending';

-- What deliveries say, so that a later mapping of one can take back what it says no more. `entity` is a digest of the
-- home and the identity of what the event is about, `content` the digest of the event as it was mapped; `at` is its own
-- time, `stamp` and `digest` are those under which the log has it. Delivery 0 stands for what others said of an entity
-- before it was said anew.
CREATE TABLE delivery_events (
    entity BLOB NOT NULL,
    delivery INTEGER NOT NULL,
    place INTEGER NOT NULL,
    home TEXT NOT NULL,
    content BLOB NOT NULL,
    at INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (entity, delivery, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_events_delivery ON delivery_events (delivery);

-- Entities of which something was taken back: the log has a deletion with the stamp `deleted_at`, and behind it, up to
-- `last`, all that is still said; `seen` is how far the log was read for that. `stale`: others have said something since
-- that belongs among it.
CREATE TABLE restated_entities (
    entity BLOB NOT NULL PRIMARY KEY,
    home TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    last INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    stale INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX restated_entities_stale ON restated_entities (home) WHERE stale = 1;

-- Services that a map guessed, because no pattern of the catalogue fits: what the latest delivery said of them (JSON).
CREATE TABLE unmapped_services (
    service TEXT NOT NULL,
    connector TEXT NOT NULL,
    matches TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (service, connector)
) STRICT, WITHOUT ROWID;

-- Grows with each change of the holder, so that what began under an earlier holding is not finished under a later one.
ALTER TABLE lease ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
