-- A page of a list, and the count of files, read none of the contents, which stand in the rows before who wrote them and when
-- they were deleted.
CREATE INDEX memory_files_listed ON memory_files
    (org_id, owner, path, deleted_at, id, version, sha256, size, written_by, written_at, created_at) WHERE deleted_at IS NULL;

-- Sweeps find what is due by reads of these alone, page by page where most of what is old is kept.
DROP INDEX memory_versions_by_age;
CREATE INDEX memory_versions_by_age ON memory_versions (written_at, file_id, version, org_id);
CREATE INDEX memory_files_by_deletion ON memory_files (deleted_at, org_id, id) WHERE deleted_at IS NOT NULL;
DROP INDEX skill_contents_by_time;
CREATE INDEX skill_contents_by_time ON skill_contents (written_at, org_id, sha256);
CREATE INDEX flow_runs_by_end ON flow_runs (ended_at, flow_id, id) WHERE ended_at IS NOT NULL;
