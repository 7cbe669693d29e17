-- The hosted servers that have a flow's tool as well, as its current version names them.
CREATE TABLE flow_servers (
    flow_id   TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    org_id    TEXT NOT NULL,
    PRIMARY KEY (flow_id, server_id)
);
CREATE INDEX flow_servers_by_server ON flow_servers (server_id);
