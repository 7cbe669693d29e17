-- Packs that were given to a workspace, besides those of the program. What is installed of them is in installed_packs.
CREATE TABLE own_packs (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    -- The id that the pack has in its text.
    pack         TEXT NOT NULL,
    org_id       TEXT NOT NULL REFERENCES organizations (id),
    title        TEXT NOT NULL,
    -- As it was given, YAML or JSON.
    source       TEXT NOT NULL,
    -- Id of a person or credential, or 'command line'.
    made_by      TEXT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, pack)
);
CREATE INDEX own_packs_of_org ON own_packs (org_id);
