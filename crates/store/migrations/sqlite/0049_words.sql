-- The sweep looks for old contents of skills.
CREATE INDEX skill_contents_by_time ON skill_contents (written_at);
