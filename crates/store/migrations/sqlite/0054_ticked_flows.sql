-- Flows among the single tools that were ticked, as a JSON array of their ids. Names of flows that were ticked
-- before stay in `tools`, and go on to be good.
ALTER TABLE credentials ADD COLUMN tool_flows TEXT;
ALTER TABLE oauth_codes ADD COLUMN tool_flows TEXT;

-- Which files were changed, when and by whom: a row for each path that a call or a person changed. Contents are
-- not kept. `actor` is a credential, or who did it as events say it; `other` is where a file was moved or copied
-- to, or came from.
CREATE TABLE file_changes (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    path         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    action       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    other        TEXT,
    etag         TEXT
);
CREATE INDEX file_changes_by_path ON file_changes (workspace_id, path, at);
CREATE INDEX file_changes_by_time ON file_changes (at);
