-- A page of a list, and the count of files, read none of the contents, which stand in the rows before who wrote them and when
-- they were deleted.
CREATE INDEX memory_files_listed ON memory_files
    (org_id, owner, path, deleted_at, id, version, sha256, size, written_by, written_at, created_at) WHERE deleted_at IS NULL;
