-- The workspaces that an API key manages, as a JSON array of their ids; null is all of the organization.
ALTER TABLE credentials ADD COLUMN reach TEXT;
