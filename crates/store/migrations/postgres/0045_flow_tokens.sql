-- Tokens of a workspace's flows, and the one workspace whose flows anybody may call.
ALTER TABLE credentials DROP CONSTRAINT credentials_kind_check;
ALTER TABLE credentials ADD CONSTRAINT credentials_kind_check
    CHECK (kind IN ('api_key', 'workspace_token', 'oauth_grant', 'server_token', 'flow_token'));
-- Of a flow token: the ids of the flows that it reaches, as a JSON array; none for all of its workspace.
ALTER TABLE credentials ADD COLUMN flows TEXT;
-- Whether it is taken from an address, too.
ALTER TABLE credentials ADD COLUMN in_url BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX credentials_by_flow_name ON credentials (workspace_id, name)
    WHERE kind = 'flow_token' AND revoked_at IS NULL;

-- Only one workspace of all organizations has none, as there is one address.
ALTER TABLE workspaces ADD COLUMN requires_authentication BOOLEAN NOT NULL DEFAULT TRUE;
CREATE UNIQUE INDEX workspaces_one_open ON workspaces (requires_authentication)
    WHERE NOT requires_authentication AND deleted_at IS NULL;
