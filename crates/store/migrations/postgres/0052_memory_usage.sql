-- How many bytes an organization's memory has, the versions that are kept included: the newest version of a file is what it
-- says. Counted by a trigger, so that whatever adds or deletes a version, a sweep or a cascade too, counts it.
CREATE TABLE memory_usage (
    org_id TEXT PRIMARY KEY REFERENCES organizations (id),
    bytes  BIGINT NOT NULL
);
INSERT INTO memory_usage (org_id, bytes) SELECT org_id, SUM(size)::BIGINT FROM memory_versions GROUP BY org_id;

CREATE FUNCTION count_memory() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO memory_usage (org_id, bytes) VALUES (NEW.org_id, NEW.size)
        ON CONFLICT (org_id) DO UPDATE SET bytes = memory_usage.bytes + excluded.bytes;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE memory_usage SET bytes = bytes - OLD.size + NEW.size WHERE org_id = NEW.org_id;
    ELSE
        UPDATE memory_usage SET bytes = bytes - OLD.size WHERE org_id = OLD.org_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER memory_versions_counted AFTER INSERT OR UPDATE OF size OR DELETE ON memory_versions
    FOR EACH ROW EXECUTE FUNCTION count_memory();
