-- Packs whose flows a workspace has. The flows themselves are flows like any other.
CREATE TABLE installed_packs (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    -- The id that the pack has in its file.
    pack         TEXT NOT NULL,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    -- Of the pack, when its flows were last written.
    version      TEXT NOT NULL,
    -- What was chosen, as a JSON object. Secrets are not in it.
    vars         TEXT NOT NULL,
    -- A JSON object: the names of its flows, and the SHA-256 of the text that each was given.
    flows        TEXT NOT NULL,
    -- Id of a person or credential, or 'command line'.
    made_by      TEXT NOT NULL,
    installed_at BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, pack)
);
