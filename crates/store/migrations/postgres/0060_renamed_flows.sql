-- A flow may get another name, so what names one for good does it by its id.

-- Of an installed pack, by the name that a flow has in the pack: {"flow", "digest"}. Flows that are gone are not in it.
UPDATE installed_packs SET flows = COALESCE((
    SELECT json_object_agg(given.key, json_build_object('flow', f.id, 'digest', given.value))::text
    FROM json_each_text(installed_packs.flows::json) given
    JOIN flows f ON f.workspace_id = installed_packs.workspace_id AND f.name = given.key
), '{}');

-- Flows that were ticked by the name of their tool, as the credential's callers know it. An API key reaches all workspaces, whose
-- slugs stand in front where there are several.
CREATE TABLE ticked_by_name AS
    SELECT c.id AS credential_id, named.value AS name, f.id AS flow_id
    FROM credentials c
    CROSS JOIN LATERAL json_array_elements_text(c.tools::json) named
    JOIN flows f ON f.org_id = c.org_id
    JOIN workspaces w ON w.id = f.workspace_id AND w.deleted_at IS NULL
    WHERE (c.kind <> 'api_key' AND f.workspace_id = c.workspace_id AND f.tool = named.value)
        OR (c.kind = 'api_key' AND named.value = CASE
            WHEN (SELECT COUNT(*) FROM workspaces o WHERE o.org_id = c.org_id AND o.deleted_at IS NULL) > 1
                THEN w.slug || '__' || f.tool
            ELSE f.tool
        END);
UPDATE credentials SET
    tool_flows = (
        SELECT json_agg(flow_id)::text FROM (
            SELECT known.value AS flow_id FROM json_array_elements_text(COALESCE(credentials.tool_flows, '[]')::json) known
            UNION
            SELECT t.flow_id FROM ticked_by_name t WHERE t.credential_id = credentials.id
        ) all_of_them
    ),
    tools = (
        SELECT COALESCE(json_agg(named.value)::text, '[]') FROM json_array_elements_text(credentials.tools::json) named
        WHERE named.value NOT IN (SELECT t.name FROM ticked_by_name t WHERE t.credential_id = credentials.id)
    )
    WHERE id IN (SELECT credential_id FROM ticked_by_name);
DROP TABLE ticked_by_name;
