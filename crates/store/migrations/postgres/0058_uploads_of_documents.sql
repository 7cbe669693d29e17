-- Upload sessions whose bytes become a document: they have a person and a title, and neither a workspace nor a credential.
-- The result of one is the document's id.
ALTER TABLE uploads ALTER COLUMN workspace_id DROP NOT NULL;
ALTER TABLE uploads ALTER COLUMN credential_id DROP NOT NULL;
ALTER TABLE uploads ADD COLUMN user_id TEXT REFERENCES users (id);
ALTER TABLE uploads ADD COLUMN title TEXT;
CREATE INDEX uploads_of_documents ON uploads (org_id, state) WHERE user_id IS NOT NULL;
