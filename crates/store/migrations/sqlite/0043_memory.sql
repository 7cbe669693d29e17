-- Memory: notes by path, of a person in an organization or of the organization itself.
CREATE TABLE memory_files (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    org_id     TEXT NOT NULL REFERENCES organizations (id),
    -- Id of the person, or 'org', whose paths begin with org/.
    owner      TEXT NOT NULL,
    path       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    content    TEXT NOT NULL,
    -- Id of a person or credential, and by which door.
    written_by TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- A deleted file keeps its versions for a while, and can come back.
    deleted_at BIGINT
);
CREATE UNIQUE INDEX memory_files_by_path ON memory_files (org_id, owner, path) WHERE deleted_at IS NULL;
CREATE INDEX memory_files_deleted ON memory_files (org_id, owner, path) WHERE deleted_at IS NOT NULL;

-- The words of the files that are there, by seq. Holds no text of its own.
CREATE VIRTUAL TABLE memory_words USING fts5 (
    whose, words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);

-- What a file said, each time that it changed.
CREATE TABLE memory_versions (
    file_id     TEXT NOT NULL REFERENCES memory_files (id) ON DELETE CASCADE,
    org_id      TEXT NOT NULL,
    version     BIGINT NOT NULL,
    path        TEXT NOT NULL,
    change      TEXT NOT NULL CHECK (change IN ('created', 'edited', 'renamed', 'restored', 'deleted')),
    sha256      TEXT NOT NULL,
    size        BIGINT NOT NULL,
    -- None for a deletion, and for what was redacted.
    content     TEXT,
    written_by  TEXT NOT NULL,
    written_at  BIGINT NOT NULL,
    redacted_at BIGINT,
    PRIMARY KEY (file_id, version)
);
CREATE INDEX memory_versions_by_age ON memory_versions (written_at);

CREATE TABLE memory_settings (
    org_id           TEXT PRIMARY KEY REFERENCES organizations (id),
    -- Agents may write the organization's memory.
    agents_write_org BOOLEAN NOT NULL
);
