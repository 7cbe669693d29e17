-- How many bytes an organization's memory has, the versions that are kept included: the newest version of a file is what it
-- says. Counted by triggers, so that whatever adds or deletes a version, a sweep or a cascade too, counts it.
CREATE TABLE memory_usage (
    org_id TEXT PRIMARY KEY REFERENCES organizations (id),
    bytes  BIGINT NOT NULL
);
INSERT INTO memory_usage (org_id, bytes) SELECT org_id, SUM(size) FROM memory_versions GROUP BY org_id;

CREATE TRIGGER memory_versions_added AFTER INSERT ON memory_versions BEGIN
    INSERT INTO memory_usage (org_id, bytes) VALUES (new.org_id, new.size)
    ON CONFLICT (org_id) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER memory_versions_changed AFTER UPDATE OF size ON memory_versions BEGIN
    UPDATE memory_usage SET bytes = bytes - old.size + new.size WHERE org_id = new.org_id;
END;

CREATE TRIGGER memory_versions_deleted AFTER DELETE ON memory_versions BEGIN
    UPDATE memory_usage SET bytes = bytes - old.size WHERE org_id = old.org_id;
END;
