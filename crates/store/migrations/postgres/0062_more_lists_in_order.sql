-- Pages of long lists are read in the order in which they are shown.
DROP INDEX servers_by_workspace;
CREATE INDEX servers_in_order ON servers (org_id, workspace_id, created_at, id);
CREATE INDEX integrations_in_order ON integrations (org_id, workspace_id, sort_order, created_at, id);
CREATE INDEX partials_in_order ON partials (org_id, workspace_id, connector, (COALESCE(integration_id, '')), created_at, id);
DROP INDEX flows_by_org;
CREATE INDEX flows_in_order ON flows (org_id, workspace_id, name);
-- Accounts of the organization itself: counted by connector, and those that do not work.
CREATE INDEX connections_own ON connections (org_id, connector, name, id) WHERE end_user_id IS NULL;
CREATE INDEX connections_failing ON connections (org_id, connector, name, id)
    WHERE end_user_id IS NULL AND problem IS NOT NULL;
-- The runs of a flow are counted from the index alone.
DROP INDEX flow_runs_by_flow;
CREATE INDEX flow_runs_by_flow ON flow_runs (flow_id, id, org_id, state);
