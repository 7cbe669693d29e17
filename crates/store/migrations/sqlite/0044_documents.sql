-- The knowledge base: documents of an organization, and what can be searched of them.

-- A document, and with it the work that is to be done for it. Its bytes are beside the database.
CREATE TABLE documents (
    id          TEXT PRIMARY KEY,
    org_id      TEXT NOT NULL REFERENCES organizations (id),
    path        TEXT NOT NULL,
    title       TEXT NOT NULL,
    -- By its name at first, by its content once it was read.
    media_type  TEXT NOT NULL,
    size        BIGINT NOT NULL,
    -- Of its bytes, in lower-case hexadecimal.
    sha256      TEXT NOT NULL,
    -- queued, extracting, indexed or failed.
    state       TEXT NOT NULL,
    -- Why it failed: a code.
    reason      TEXT,
    -- What of the chunks belongs to it as it is.
    generation  TEXT,
    chunks      BIGINT NOT NULL,
    characters  BIGINT NOT NULL,
    -- Who works on it, and until when that is believed.
    lease       TEXT,
    lease_until BIGINT,
    attempts    BIGINT NOT NULL,
    queued_at   BIGINT NOT NULL,
    indexed_at  BIGINT,
    user_id     TEXT NOT NULL REFERENCES users (id),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (org_id, path)
);

CREATE INDEX documents_by_state ON documents (state, org_id, queued_at);
CREATE INDEX documents_by_content ON documents (org_id, sha256);

-- Pieces of a document's text: in their order, all of it. Those of no generation of a document are swept.
CREATE TABLE document_chunks (
    seq         INTEGER PRIMARY KEY,
    org_id      TEXT NOT NULL,
    document_id TEXT NOT NULL,
    generation  TEXT NOT NULL,
    -- From 1.
    n           BIGINT NOT NULL,
    heading     TEXT NOT NULL,
    text        TEXT NOT NULL,
    UNIQUE (document_id, generation, n)
);

CREATE VIRTUAL TABLE document_words USING fts5 (
    org_id, heading, text,
    content = 'document_chunks', content_rowid = 'seq',
    tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER document_chunks_added AFTER INSERT ON document_chunks BEGIN
    INSERT INTO document_words (rowid, org_id, heading, text)
    VALUES (new.seq, new.org_id, new.heading, new.text);
END;

CREATE TRIGGER document_chunks_deleted AFTER DELETE ON document_chunks BEGIN
    INSERT INTO document_words (document_words, rowid, org_id, heading, text)
    VALUES ('delete', old.seq, old.org_id, old.heading, old.text);
END;
