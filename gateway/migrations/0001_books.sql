-- The gateway's books. Amounts are decimal text: they have 128 bits. Times are milliseconds since 1970.

CREATE TABLE keys (
    id TEXT PRIMARY KEY NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    shown TEXT NOT NULL,
    name TEXT NOT NULL,
    cap TEXT,
    expires BIGINT,
    per_minute BIGINT,
    models TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT,
    -- Millionths of the coin's smallest unit.
    spent TEXT NOT NULL
);

-- One row. Its counter grows with each change of a key that somebody made, so that a running gateway sees it.
CREATE TABLE key_changes (counter BIGINT NOT NULL);
INSERT INTO key_changes (counter) VALUES (0);

-- Relays that were sent and have not ended: what they may cost is set aside.
CREATE TABLE running (
    relay_id BLOB PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL,
    session_id BLOB NOT NULL,
    supplier TEXT NOT NULL,
    seq BIGINT NOT NULL,
    max_cu BIGINT NOT NULL,
    started BIGINT NOT NULL,
    request BLOB NOT NULL
);

-- Relays that ended.
CREATE TABLE relays (
    relay_id BLOB PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL,
    service TEXT NOT NULL,
    session_id BLOB NOT NULL,
    supplier TEXT NOT NULL,
    seq BIGINT NOT NULL,
    status TEXT NOT NULL,
    fresh_in BIGINT NOT NULL,
    cached_in BIGINT NOT NULL,
    out BIGINT NOT NULL,
    cu BIGINT NOT NULL,
    cost TEXT NOT NULL,
    started BIGINT NOT NULL,
    first_byte BIGINT,
    finished BIGINT NOT NULL,
    request BLOB NOT NULL,
    receipt BLOB,
    opening BLOB
);
CREATE INDEX relays_by_key ON relays (key_id, finished, relay_id);
CREATE INDEX relays_by_session ON relays (session_id, supplier);
CREATE INDEX relays_by_age ON relays (finished);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    service TEXT NOT NULL,
    start_height BIGINT NOT NULL,
    session BLOB NOT NULL,
    -- Whether nothing more will become known of its claims.
    closed BOOLEAN NOT NULL
);

-- What each supplier claimed of a session, and what became of that.
CREATE TABLE claims (
    session_id BLOB NOT NULL,
    supplier TEXT NOT NULL,
    claim BLOB,
    settled BLOB,
    PRIMARY KEY (session_id, supplier)
);
