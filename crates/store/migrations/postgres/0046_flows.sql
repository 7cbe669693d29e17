-- Flows of a workspace. What one does is in its versions, which never change.
CREATE TABLE flows (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    name         TEXT NOT NULL,
    -- What agents call it; none when it is no tool.
    tool         TEXT,
    title        TEXT NOT NULL,
    enabled      BOOLEAN NOT NULL,
    -- Every step is journalled, and a run goes on after a crash.
    durable      BOOLEAN NOT NULL,
    -- The version that runs.
    version      BIGINT NOT NULL,
    -- How many versions there were: the next one is one more.
    versions     BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, name),
    UNIQUE (workspace_id, tool)
);
CREATE INDEX flows_by_org ON flows (org_id, workspace_id);

CREATE TABLE flow_versions (
    flow_id TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    org_id  TEXT NOT NULL,
    -- From 1.
    version BIGINT NOT NULL,
    tool    TEXT,
    title   TEXT NOT NULL,
    durable BOOLEAN NOT NULL,
    -- As it was written.
    source  TEXT NOT NULL,
    -- SHA-256 of the source.
    digest  TEXT NOT NULL,
    -- Id of a person or credential, or 'command line'.
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (flow_id, version)
);

-- Raised with each change of the flows of a workspace that somebody could see.
CREATE TABLE flow_revisions (
    workspace_id TEXT PRIMARY KEY REFERENCES workspaces (id),
    org_id       TEXT NOT NULL,
    revision     BIGINT NOT NULL
);
CREATE INDEX flow_revisions_by_org ON flow_revisions (org_id);

-- What starts a flow besides calls, as its current version says.
CREATE TABLE flow_triggers (
    flow_id      TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    -- Where it stands among the triggers of the version.
    n            BIGINT NOT NULL,
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    -- cron or webhook.
    kind         TEXT NOT NULL,
    -- Of a webhook, behind the workspace.
    path         TEXT,
    -- Of a schedule: when it is due. None while the flow is disabled.
    next_at      BIGINT,
    PRIMARY KEY (flow_id, n)
);
CREATE UNIQUE INDEX flow_triggers_by_path ON flow_triggers (workspace_id, path) WHERE path IS NOT NULL;
CREATE INDEX flow_triggers_due ON flow_triggers (next_at) WHERE next_at IS NOT NULL;

-- Secrets that flows of a workspace put into requests.
CREATE TABLE flow_secrets (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    name         TEXT NOT NULL,
    secret       BYTEA NOT NULL,
    made_by      TEXT NOT NULL,
    changed_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, name)
);

-- One execution of a version. Secrets are masked in everything that is kept of it.
CREATE TABLE flow_runs (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    flow_id      TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    version      BIGINT NOT NULL,
    -- mcp, rest, page, try, flow, cron or webhook.
    started_by   TEXT NOT NULL,
    -- Id of the credential or person.
    caller       TEXT NOT NULL,
    -- ready, running, done, failed or cancelled.
    state        TEXT NOT NULL,
    -- JSON.
    input        TEXT NOT NULL,
    output       TEXT,
    -- The fault as JSON.
    error        TEXT,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    -- Of runs that go on after a crash: how often one was begun, when it may be begun again, who works on it and until when
    -- that is believed.
    durable      BOOLEAN NOT NULL,
    attempts     BIGINT NOT NULL,
    next_at      BIGINT,
    lease        TEXT,
    lease_until  BIGINT
);
CREATE INDEX flow_runs_by_flow ON flow_runs (flow_id, id);
CREATE INDEX flow_runs_by_workspace ON flow_runs (workspace_id, id);
CREATE INDEX flow_runs_open ON flow_runs (next_at) WHERE state IN ('ready', 'running');

CREATE TABLE flow_run_steps (
    run_id      TEXT NOT NULL REFERENCES flow_runs (id) ON DELETE CASCADE,
    org_id      TEXT NOT NULL,
    -- Where it stands, for example low[3].stock.
    path        TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    -- started, done, failed or skipped.
    state       TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    -- JSON.
    input       TEXT,
    output      TEXT,
    error       TEXT,
    started_at  BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    PRIMARY KEY (run_id, path)
);

-- What flows remember, and what their steps keep for a while.
CREATE TABLE flow_kv (
    org_id       TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    key          TEXT COLLATE "C" NOT NULL,
    -- JSON.
    value        TEXT NOT NULL,
    size         BIGINT NOT NULL,
    expires_at   BIGINT,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX flow_kv_by_expiry ON flow_kv (expires_at) WHERE expires_at IS NOT NULL;
