-- Whoever looks for the next run goes from organization to organization, and reads of each only what it takes.
DROP INDEX flow_runs_open;
CREATE INDEX flow_runs_ready ON flow_runs (org_id, next_at, id, flow_id, at_once) WHERE state = 'ready';
