-- Upload sessions whose bytes become a document: they have a person and a title, and neither a workspace nor a credential.
--
-- What a column may say cannot be changed here, so both tables are made anew.
CREATE TABLE uploads_before AS SELECT * FROM uploads;
CREATE TABLE upload_parts_before AS SELECT * FROM upload_parts;
DROP TABLE upload_parts;
DROP TABLE uploads;
CREATE TABLE uploads (
    id              TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL,
    workspace_id    TEXT REFERENCES workspaces (id),
    credential_id   TEXT REFERENCES credentials (id),
    path            TEXT NOT NULL,
    size            BIGINT NOT NULL,
    part_size       BIGINT NOT NULL,
    part_count      BIGINT NOT NULL,
    mime            TEXT,
    sha256          TEXT,
    overwrite       BOOLEAN NOT NULL,
    if_match        TEXT,
    idempotency_key TEXT,
    state           TEXT NOT NULL CHECK (state IN ('open', 'completing', 'completed', 'aborted', 'expired')),
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    final_sha256    TEXT,
    -- Of a document: its id.
    result          TEXT,
    user_id         TEXT REFERENCES users (id),
    title           TEXT
);
INSERT INTO uploads (id, org_id, workspace_id, credential_id, path, size, part_size, part_count, mime, sha256, overwrite,
        if_match, idempotency_key, state, created_at, expires_at, final_sha256, result)
    SELECT id, org_id, workspace_id, credential_id, path, size, part_size, part_count, mime, sha256, overwrite,
        if_match, idempotency_key, state, created_at, expires_at, final_sha256, result
    FROM uploads_before;
DROP TABLE uploads_before;
CREATE UNIQUE INDEX uploads_idempotent ON uploads (credential_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX uploads_by_state ON uploads (state, expires_at);
CREATE INDEX uploads_of_documents ON uploads (org_id, state) WHERE user_id IS NOT NULL;

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    n         BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    sha256    TEXT,
    PRIMARY KEY (upload_id, n)
);
INSERT INTO upload_parts (upload_id, n, size, sha256) SELECT upload_id, n, size, sha256 FROM upload_parts_before;
DROP TABLE upload_parts_before;
