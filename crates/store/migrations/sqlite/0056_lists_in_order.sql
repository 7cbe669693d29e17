-- Pages of long lists are read in the order in which they are shown.
CREATE INDEX members_in_order ON members (org_id, (CASE role WHEN 'owner' THEN 0 ELSE 1 END), created_at, user_id);
CREATE INDEX end_users_in_order ON end_users (org_id, workspace_id, created_at, id);
CREATE INDEX api_keys_newest ON credentials (org_id, created_at DESC, id DESC)
    WHERE kind = 'api_key' AND revoked_at IS NULL;
-- What was counted when tables were nearly empty led SQLite astray.
DROP TABLE IF EXISTS sqlite_stat1;
DROP TABLE IF EXISTS sqlite_stat4;
