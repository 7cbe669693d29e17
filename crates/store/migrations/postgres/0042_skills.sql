-- Skills of an organization. What one says is in its versions, which never change.
CREATE TABLE skills (
    id         TEXT PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organizations (id),
    -- What agents call it: the name of the Agent Skills format.
    name       TEXT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    -- The version that is read; versions count from 1.
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE skill_versions (
    skill_id      TEXT NOT NULL REFERENCES skills (id) ON DELETE CASCADE,
    org_id        TEXT NOT NULL,
    version       BIGINT NOT NULL,
    description   TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    -- Key of the connector whose call the skill explains.
    service       TEXT,
    -- The frontmatter of SKILL.md as a JSON object.
    frontmatter   TEXT NOT NULL,
    -- Over paths and contents of all files, SKILL.md included.
    digest        TEXT NOT NULL,
    -- What the version came from, for example "restored version 3".
    note          TEXT,
    made_by       TEXT NOT NULL,
    made_at       BIGINT NOT NULL,
    PRIMARY KEY (skill_id, version)
);

-- SKILL.md as it was rendered, and the files beside it.
CREATE TABLE skill_files (
    skill_id   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    org_id     TEXT NOT NULL,
    path       TEXT COLLATE "C" NOT NULL,
    sha256     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    executable BOOLEAN NOT NULL,
    PRIMARY KEY (skill_id, version, path),
    FOREIGN KEY (skill_id, version) REFERENCES skill_versions (skill_id, version) ON DELETE CASCADE
);
CREATE INDEX skill_files_by_content ON skill_files (org_id, sha256);

-- Contents of files, each once in an organization. One that no file has is swept a day after it was
-- last written.
CREATE TABLE skill_contents (
    org_id     TEXT NOT NULL REFERENCES organizations (id),
    sha256     TEXT NOT NULL,
    bytes      BYTEA NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, sha256)
);
