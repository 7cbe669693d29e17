-- What expressions see as .caller; none of runs of before.
ALTER TABLE flow_runs ADD COLUMN shown_caller TEXT;
-- Who may ask by get_run how far it is: the credential, or a code for where an anonymous caller came from. None where nobody called.
ALTER TABLE flow_runs ADD COLUMN owner TEXT;
-- When somebody began it for the first time: its time limit counts from there.
ALTER TABLE flow_runs ADD COLUMN begun_at BIGINT;
-- How many runs of its flow may be under way while it is.
ALTER TABLE flow_runs ADD COLUMN at_once BIGINT NOT NULL DEFAULT 20;
UPDATE flow_runs SET owner = caller WHERE started_by IN ('mcp', 'rest', 'page');
UPDATE flow_runs SET begun_at = started_at WHERE state = 'running';
-- Whoever looks for the next run reads the first of these, and when organizations or flows have no room many rows of the index,
-- but none of the table.
DROP INDEX flow_runs_open;
CREATE INDEX flow_runs_open ON flow_runs (next_at, id, org_id, flow_id, state, lease_until) WHERE state IN ('ready', 'running');
CREATE INDEX flow_runs_open_by_flow ON flow_runs (org_id, flow_id) WHERE state IN ('ready', 'running');
CREATE INDEX flow_runs_under_way ON flow_runs (org_id, flow_id, lease_until, at_once) WHERE state = 'running';

-- Outputs that steps keep for a while. They only save a request: when there are too many, the oldest go.
CREATE TABLE flow_cache (
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    key          TEXT NOT NULL,
    -- JSON.
    value        TEXT NOT NULL,
    size         BIGINT NOT NULL,
    kept_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX flow_cache_by_expiry ON flow_cache (expires_at);
-- Where they stood before.
DELETE FROM flow_kv WHERE key LIKE 'cache/%';
