-- Sweeps find what is due by reads of these alone, page by page where most of what is old is kept.
DROP INDEX memory_versions_by_age;
CREATE INDEX memory_versions_by_age ON memory_versions (written_at, file_id, version, org_id);
CREATE INDEX memory_files_by_deletion ON memory_files (deleted_at, org_id, id) WHERE deleted_at IS NOT NULL;
DROP INDEX skill_contents_by_time;
CREATE INDEX skill_contents_by_time ON skill_contents (written_at, org_id, sha256);
CREATE INDEX flow_runs_by_end ON flow_runs (ended_at, flow_id, id) WHERE ended_at IS NOT NULL;

-- Whose a row is, as a word of it: a search reads none of other organizations. No other word has a slash or an underscore.
UPDATE memory_files SET words = words || array_to_tsvector(ARRAY[org_id || '/' || owner]) WHERE deleted_at IS NULL;
DROP INDEX document_chunks_by_word;
ALTER TABLE document_chunks DROP COLUMN words;
ALTER TABLE document_chunks ADD COLUMN words TSVECTOR NOT NULL GENERATED ALWAYS AS (
    array_to_tsvector(ARRAY[org_id]) ||
    setweight(to_tsvector('english'::regconfig, translate(heading, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))), 'A') ||
    setweight(to_tsvector('english'::regconfig, translate(text, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))), 'C')
) STORED;
CREATE INDEX document_chunks_by_word ON document_chunks USING GIN (words);
