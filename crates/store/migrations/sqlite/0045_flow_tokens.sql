-- Tokens of a workspace's flows, and the one workspace whose flows anybody may call.
--
-- What a column may say cannot be changed here, so the table is made anew. Rows elsewhere that refer to
-- it are checked when all is done.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE credentials_before AS SELECT * FROM credentials;
DROP TABLE credentials;
CREATE TABLE credentials (
    id            TEXT PRIMARY KEY,
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    kind          TEXT NOT NULL CHECK (kind IN ('api_key', 'workspace_token', 'oauth_grant', 'server_token', 'flow_token')),
    name          TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id),
    workspace_id  TEXT REFERENCES workspaces (id),
    origin        TEXT NOT NULL CHECK (origin IN ('default', 'manual', 'reconnect', 'consent')),
    scopes        TEXT NOT NULL,
    -- The hosted server behind a token of one, and the end user whom it is for.
    server_id     TEXT,
    end_user_id   TEXT,
    -- None for an OAuth grant, whose tokens stand below.
    secret_sha256 BLOB,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    last_used_at  BIGINT,
    revoked_at    BIGINT,
    -- Of a flow token: the ids of the flows that it reaches, as a JSON array; none for all of its workspace.
    flows         TEXT,
    -- Whether it is taken from an address, too.
    in_url        BOOLEAN NOT NULL DEFAULT FALSE
);
INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, scopes, server_id, end_user_id,
        secret_sha256, created_at, expires_at, last_used_at, revoked_at)
    SELECT id, org_id, kind, name, user_id, workspace_id, origin, scopes, server_id, end_user_id,
        secret_sha256, created_at, expires_at, last_used_at, revoked_at
    FROM credentials_before;
DROP TABLE credentials_before;
CREATE INDEX credentials_by_org ON credentials (org_id, kind);
CREATE UNIQUE INDEX credentials_one_default ON credentials (workspace_id)
    WHERE origin = 'default' AND kind = 'workspace_token' AND revoked_at IS NULL;
CREATE UNIQUE INDEX credentials_by_flow_name ON credentials (workspace_id, name)
    WHERE kind = 'flow_token' AND revoked_at IS NULL;

-- Only one workspace of all organizations has none, as there is one address.
ALTER TABLE workspaces ADD COLUMN requires_authentication BOOLEAN NOT NULL DEFAULT TRUE;
CREATE UNIQUE INDEX workspaces_one_open ON workspaces (requires_authentication)
    WHERE NOT requires_authentication AND deleted_at IS NULL;
