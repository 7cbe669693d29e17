-- The member of the organization that an end user is; none for a person of a developer's product.
ALTER TABLE end_users ADD COLUMN user_id TEXT REFERENCES users (id);
CREATE UNIQUE INDEX end_users_by_user ON end_users (workspace_id, user_id) WHERE user_id IS NOT NULL;
