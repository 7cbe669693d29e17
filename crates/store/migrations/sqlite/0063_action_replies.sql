-- What came of an action that a program asked for with an idempotency key: the same request with the same key is
-- answered from here for a day. Without a reply the action is still running, or the server stopped during it.
CREATE TABLE action_replies (
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    key          TEXT NOT NULL,
    -- SHA-256 of what was asked for.
    asked        BLOB NOT NULL,
    begun_at     BIGINT NOT NULL,
    -- JSON.
    reply        TEXT,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX action_replies_by_age ON action_replies (begun_at);
