-- Pages of an organization's workspaces are read in the order in which they are shown.
CREATE INDEX workspaces_in_order ON workspaces (org_id, created_at, id) WHERE deleted_at IS NULL;
