-- What somebody ticked for a credential, both as JSON arrays: names of toolsets, none for what its kind
-- usually has; and names of tools, none for all of its toolsets. An authorization code carries them to
-- the grant that it is exchanged for.
ALTER TABLE credentials ADD COLUMN toolsets TEXT;
ALTER TABLE credentials ADD COLUMN tools TEXT;
ALTER TABLE oauth_codes ADD COLUMN toolsets TEXT;
ALTER TABLE oauth_codes ADD COLUMN tools TEXT;
