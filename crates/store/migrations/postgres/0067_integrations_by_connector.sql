-- Whether a workspace has a connector, and which integration of it comes first.
CREATE INDEX integrations_by_connector ON integrations (org_id, workspace_id, connector, sort_order, created_at, id);
