-- Every mark of ASCII stands between words: the parser takes `<word>` for a tag and leaves it out.
DROP INDEX document_chunks_by_word;
ALTER TABLE document_chunks DROP COLUMN words;
ALTER TABLE document_chunks ADD COLUMN words TSVECTOR NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('english'::regconfig, translate(heading, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))), 'A') ||
    setweight(to_tsvector('english'::regconfig, translate(text, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))), 'C')
) STORED;
CREATE INDEX document_chunks_by_word ON document_chunks USING GIN (words);

-- The sweep looks for old contents of skills.
CREATE INDEX skill_contents_by_time ON skill_contents (written_at);
