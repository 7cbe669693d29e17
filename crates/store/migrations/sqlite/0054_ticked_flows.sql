-- Flows among the single tools that were ticked, as a JSON array of their ids. Names of flows that were ticked
-- before stay in `tools`, and go on to be good.
ALTER TABLE credentials ADD COLUMN tool_flows TEXT;
ALTER TABLE oauth_codes ADD COLUMN tool_flows TEXT;
