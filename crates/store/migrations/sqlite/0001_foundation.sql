-- Instants are microseconds since 1970 in UTC. Ids are texts with a prefix.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE organizations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT,
    created_at    BIGINT NOT NULL
);

CREATE TABLE members (
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    user_id      TEXT NOT NULL REFERENCES users (id),
    role         TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE workspaces (
    id          TEXT PRIMARY KEY,
    org_id      TEXT NOT NULL REFERENCES organizations (id),
    name        TEXT NOT NULL,
    slug        TEXT NOT NULL,
    daily_cap   BIGINT NOT NULL,
    quota_bytes BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- What tells of it stays: calls, events, credentials. Its name is free again.
    deleted_at  BIGINT,
    UNIQUE (org_id, name),
    UNIQUE (org_id, slug)
);

CREATE TABLE credentials (
    id            TEXT PRIMARY KEY,
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    kind          TEXT NOT NULL CHECK (kind IN ('api_key', 'workspace_token', 'oauth_grant', 'server_token')),
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
    revoked_at    BIGINT
);
CREATE INDEX credentials_by_org ON credentials (org_id, kind);
CREATE UNIQUE INDEX credentials_one_default ON credentials (workspace_id)
    WHERE origin = 'default' AND kind = 'workspace_token' AND revoked_at IS NULL;

-- The client behind a credential of kind oauth_grant, as it named itself.
CREATE TABLE oauth_clients (
    credential_id TEXT PRIMARY KEY REFERENCES credentials (id),
    client_id     TEXT NOT NULL,
    redirect_uri  TEXT NOT NULL
);

-- Authorization codes. A spent one stays for a while, so that a replay is noticed.
CREATE TABLE oauth_codes (
    id             TEXT PRIMARY KEY,
    secret_sha256  BLOB NOT NULL,
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    user_id        TEXT NOT NULL REFERENCES users (id),
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    scopes         TEXT NOT NULL,
    audience       TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    client_name    TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT,
    credential_id  TEXT REFERENCES credentials (id)
);

CREATE TABLE oauth_access_tokens (
    id            TEXT PRIMARY KEY,
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    secret_sha256 BLOB NOT NULL,
    scopes        TEXT NOT NULL,
    audience      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE TABLE oauth_refresh_tokens (
    id            TEXT PRIMARY KEY,
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    secret_sha256 BLOB NOT NULL,
    audience      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    -- When it was used first, and how often.
    rotated_at    BIGINT,
    uses          BIGINT NOT NULL
);

-- Links that are used once: sign-in links of users, reconnect links of workspaces.
CREATE TABLE links (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('sign_in', 'reconnect')),
    secret_sha256 BLOB NOT NULL,
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    user_id       TEXT REFERENCES users (id),
    workspace_id  TEXT REFERENCES workspaces (id),
    credential_id TEXT REFERENCES credentials (id),
    client_name   TEXT,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT
);
CREATE INDEX links_by_workspace ON links (workspace_id, created_at);

CREATE TABLE browser_sessions (
    id            TEXT PRIMARY KEY,
    secret_sha256 BLOB NOT NULL UNIQUE,
    user_id       TEXT NOT NULL REFERENCES users (id),
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    agent         TEXT NOT NULL,
    address       TEXT,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL
);
CREATE INDEX browser_sessions_by_user ON browser_sessions (user_id);

-- Who was asked to join an organization. One that is neither accepted nor revoked is pending.
CREATE TABLE invitations (
    id            TEXT PRIMARY KEY,
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    email         TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    invited_by    TEXT NOT NULL REFERENCES users (id),
    secret_sha256 BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    accepted_at   BIGINT,
    revoked_at    BIGINT
);
CREATE UNIQUE INDEX invitations_one_pending ON invitations (org_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- Links that set a new password. An administrator's one is of an organization.
CREATE TABLE password_resets (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id),
    origin        TEXT NOT NULL CHECK (origin IN ('administrator', 'operator', 'mail')),
    org_id        TEXT REFERENCES organizations (id),
    issued_by     TEXT REFERENCES users (id),
    secret_sha256 BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    replaced_at   BIGINT
);
-- One that was mailed and one that somebody made may live beside each other.
CREATE UNIQUE INDEX password_resets_one_live ON password_resets (user_id, (origin = 'mail'))
    WHERE used_at IS NULL AND replaced_at IS NULL;

-- Calls granted to a node for one UTC day, written before the calls are made.
CREATE TABLE daily_usage (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    day          BIGINT NOT NULL,
    leased       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, day)
);

-- One row a tool call. Written in batches, so the last second of a crash is lost.
CREATE TABLE calls (
    id            TEXT PRIMARY KEY,
    org_id        TEXT NOT NULL,
    workspace_id  TEXT,
    credential_id TEXT NOT NULL,
    user_id       TEXT,
    tool          TEXT NOT NULL,
    source        TEXT NOT NULL,
    client        TEXT,
    started_at    BIGINT NOT NULL,
    duration_us   BIGINT NOT NULL,
    transport     TEXT NOT NULL,
    protocol      TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    -- The connected accounts that it used, and the last status of their service.
    accounts        TEXT,
    upstream_status BIGINT
);
CREATE INDEX calls_by_workspace ON calls (workspace_id, started_at);
CREATE INDEX calls_by_org ON calls (org_id, started_at);

-- Management and credential events, written in the transaction of the change.
-- Every node reads them to drop what it has cached.
CREATE TABLE events (
    id            TEXT PRIMARY KEY,
    at            BIGINT NOT NULL,
    org_id        TEXT NOT NULL,
    workspace_id  TEXT,
    credential_id TEXT,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    details       TEXT NOT NULL
);
CREATE INDEX events_by_time ON events (at);

CREATE TABLE uploads (
    id              TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL,
    workspace_id    TEXT NOT NULL REFERENCES workspaces (id),
    credential_id   TEXT NOT NULL REFERENCES credentials (id),
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
    result          TEXT
);
CREATE UNIQUE INDEX uploads_idempotent ON uploads (credential_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX uploads_by_state ON uploads (state, expires_at);

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    n         BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    sha256    TEXT,
    PRIMARY KEY (upload_id, n)
);

-- Data keys, wrapped by the key-encryption key. The organization 'instance' stands for the server.
CREATE TABLE data_keys (
    id         TEXT PRIMARY KEY,
    org_id     TEXT NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE instance_secrets (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
);

-- Connected accounts of connectors. What is secret in them is sealed with the organization's key.
CREATE TABLE connections (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    workspace_id TEXT REFERENCES workspaces (id),
    end_user_id  TEXT,
    integration_id TEXT,
    connector    TEXT NOT NULL,
    name         TEXT NOT NULL,
    external_id  TEXT,
    display_name TEXT,
    label        TEXT,
    auth         TEXT NOT NULL,
    fields       TEXT NOT NULL,
    secrets      BLOB NOT NULL,
    is_local     BOOLEAN NOT NULL,
    -- Where an organization's own definition sends its credentials; none for a connector of everybody.
    destination  TEXT,
    problem      TEXT,
    user_id      TEXT NOT NULL REFERENCES users (id),
    created_at   BIGINT NOT NULL,
    verified_at  BIGINT,
    -- Of an access token: its end, and when it is renewed before that.
    expires_at   BIGINT,
    renew_at     BIGINT,
    -- Raised with each change of the credentials.
    revision     BIGINT NOT NULL,
    -- Which node renews the token at present, and until when it may.
    renewing_by    TEXT,
    renewing_until BIGINT,
    UNIQUE (org_id, connector, name)
);
CREATE INDEX connections_by_end_user ON connections (end_user_id, connector);
-- What developers call an account; one person of theirs can have what another has, too.
CREATE UNIQUE INDEX connections_external ON connections
    (org_id, connector, external_id, COALESCE(workspace_id, ''), COALESCE(end_user_id, ''));

-- Definitions of connectors that belong to one organization.
CREATE TABLE definitions (
    id         TEXT PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organizations (id),
    key        TEXT NOT NULL,
    -- As it was written: YAML.
    source     TEXT NOT NULL,
    -- What lists say of it: JSON.
    entry      TEXT NOT NULL,
    -- Counts replacements, from 1.
    revision   BIGINT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, key)
);

-- The persons of a developer's own product.
CREATE TABLE end_users (
    id           TEXT PRIMARY KEY,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    external_id  TEXT NOT NULL,
    display_name TEXT,
    email        TEXT,
    metadata     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, external_id)
);

-- Connectors that are switched on in a workspace.
CREATE TABLE integrations (
    id              TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL REFERENCES organizations (id),
    workspace_id    TEXT NOT NULL REFERENCES workspaces (id),
    connector       TEXT NOT NULL,
    alias           TEXT NOT NULL,
    strategy        TEXT NOT NULL CHECK (strategy IN ('fixed', 'per_user', 'per_user_with_fallback')),
    auth            TEXT,
    -- May name one that is gone: its calls fail then, rather than use another account.
    connection_id   TEXT,
    display_name    TEXT,
    enabled_actions TEXT,
    is_implied      BOOLEAN NOT NULL,
    settings        TEXT NOT NULL,
    sort_order      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (workspace_id, alias)
);

-- Saved inputs of actions.
CREATE TABLE partials (
    id             TEXT PRIMARY KEY,
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    workspace_id   TEXT NOT NULL REFERENCES workspaces (id),
    connector      TEXT NOT NULL,
    integration_id TEXT REFERENCES integrations (id) ON DELETE CASCADE,
    action         TEXT,
    name           TEXT NOT NULL,
    description    TEXT,
    inputs         TEXT NOT NULL,
    enforced       TEXT NOT NULL,
    is_default     BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (workspace_id, connector, name)
);

-- MCP servers that users made. Their tokens are credentials.
CREATE TABLE servers (
    id              TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL REFERENCES organizations (id),
    workspace_id    TEXT NOT NULL REFERENCES workspaces (id),
    name            TEXT NOT NULL,
    description     TEXT,
    mode            TEXT NOT NULL CHECK (mode IN ('TOOLS', 'CODE')),
    settings        TEXT NOT NULL,
    auth_mode       TEXT NOT NULL CHECK (auth_mode IN ('oauth', 'bearer', 'oauth_and_bearer')),
    end_user_access TEXT NOT NULL CHECK (end_user_access IN ('restricted', 'open')),
    end_user_id     TEXT REFERENCES end_users (id),
    is_picked       BOOLEAN NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id),
    revision        BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX servers_by_workspace ON servers (org_id, workspace_id);

-- The tools that were picked by hand for a server.
CREATE TABLE server_tools (
    id             TEXT PRIMARY KEY,
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    server_id      TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    integration_id TEXT NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    action         TEXT NOT NULL,
    connection_id  TEXT,
    display_name   TEXT,
    description    TEXT,
    input_defaults TEXT NOT NULL,
    partial_ids    TEXT,
    sort_order     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (server_id, integration_id, action)
);

-- Somebody is asked to connect an account, by a link whose secret is made from the id.
CREATE TABLE connect_sessions (
    id               TEXT PRIMARY KEY,
    org_id           TEXT NOT NULL REFERENCES organizations (id),
    workspace_id     TEXT NOT NULL REFERENCES workspaces (id),
    connector        TEXT NOT NULL,
    integration_id   TEXT REFERENCES integrations (id) ON DELETE CASCADE,
    auth             TEXT,
    name             TEXT NOT NULL,
    external_id      TEXT NOT NULL,
    scope            TEXT NOT NULL CHECK (scope IN ('ORGANIZATION', 'WORKSPACE', 'USER')),
    end_user_id      TEXT REFERENCES end_users (id),
    user_id          TEXT NOT NULL REFERENCES users (id),
    success_redirect TEXT,
    error_redirect   TEXT,
    status           TEXT NOT NULL CHECK (status IN ('PENDING', 'CONNECTING', 'COMPLETED', 'FAILED')),
    connection_id    TEXT REFERENCES connections (id) ON DELETE SET NULL,
    problem          TEXT,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX connect_sessions_by_end_user ON connect_sessions (end_user_id, connector);
-- Signing in to outside services by OAuth.

-- An organization's app at the authorization server of a connector.
CREATE TABLE oauth_apps (
    id         TEXT PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organizations (id),
    connector  TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    -- None of a public client.
    secret     BLOB,
    -- JSON: where an organization's own definition sends the secret, by way to sign in.
    destinations TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL,
    UNIQUE (org_id, connector)
);

-- Sign-ins of accounts that are under way. Each is used once.
CREATE TABLE authorizations (
    id             TEXT PRIMARY KEY,
    org_id         TEXT NOT NULL REFERENCES organizations (id),
    user_id        TEXT NOT NULL REFERENCES users (id),
    begun_by       TEXT NOT NULL,
    flow           TEXT NOT NULL CHECK (flow IN ('code', 'device')),
    connector      TEXT NOT NULL,
    auth           TEXT NOT NULL,
    -- The connection that signs in again; none makes a new one.
    connection_id  TEXT,
    name           TEXT,
    workspace_id   TEXT,
    -- The connect session that somebody without an account here began it from.
    session_id     TEXT,
    is_local       BOOLEAN NOT NULL,
    fields         TEXT NOT NULL,
    -- Secret fields, the verifier, the device code.
    sealed         BLOB NOT NULL,
    -- Of the state in the address, and of the cookie of the browser that went there.
    state_sha256   BLOB,
    browser_sha256 BLOB,
    user_code      TEXT,
    verification_uri          TEXT,
    verification_uri_complete TEXT,
    interval_s     BIGINT NOT NULL,
    poll_after     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT,
    -- What came of it: a connection, or why not.
    connected_id   TEXT,
    problem        TEXT
);

-- The tools of the MCP servers of connections, as they were found. What a server tells, cleaned; no secret.
CREATE TABLE connection_tools (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    org_id        TEXT NOT NULL REFERENCES organizations (id),
    found         TEXT NOT NULL,
    digest        TEXT NOT NULL,
    accepted      TEXT NOT NULL,
    found_at      BIGINT NOT NULL,
    changed_at    BIGINT
);
CREATE INDEX connection_tools_by_org ON connection_tools (org_id);
