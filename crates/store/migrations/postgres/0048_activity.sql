-- Looking for calls and changes: of one credential, tool or person, only what failed.
-- Each index is paid by every call: accounts have none, for they are looked for within a time.
CREATE INDEX calls_by_credential ON calls (org_id, credential_id, started_at);
CREATE INDEX calls_by_tool ON calls (org_id, tool, started_at);
CREATE INDEX calls_by_user ON calls (org_id, user_id, started_at) WHERE user_id IS NOT NULL;
CREATE INDEX calls_failed ON calls (org_id, started_at) WHERE outcome <> 'OK';
CREATE INDEX events_by_org ON events (org_id, at);

-- Calls counted by the hour and by the day, written in the transaction of the calls themselves: charts
-- read a few thousand rows where there are millions of calls. A table of everything by everything would
-- have as many rows as there are calls, so each kind of part is counted apart.
CREATE TABLE call_counts (
    org_id         TEXT NOT NULL,
    -- 1 or 24.
    hours          BIGINT NOT NULL,
    -- What is counted apart: all, tool, credential or accounts.
    part           TEXT NOT NULL,
    -- Hours since 1970-01-01 in UTC.
    start_hour     BIGINT NOT NULL,
    -- Empty for a call that was refused before it counted to a workspace.
    workspace_id   TEXT NOT NULL,
    -- The tool, the credential's id, or accounts as in calls; empty for all.
    name           TEXT NOT NULL,
    calls          BIGINT NOT NULL,
    errors         BIGINT NOT NULL,
    -- By duration: b0 under 128 microseconds, each next one twice as long, b23 over nine minutes.
    b0             BIGINT NOT NULL,
    b1             BIGINT NOT NULL,
    b2             BIGINT NOT NULL,
    b3             BIGINT NOT NULL,
    b4             BIGINT NOT NULL,
    b5             BIGINT NOT NULL,
    b6             BIGINT NOT NULL,
    b7             BIGINT NOT NULL,
    b8             BIGINT NOT NULL,
    b9             BIGINT NOT NULL,
    b10            BIGINT NOT NULL,
    b11            BIGINT NOT NULL,
    b12            BIGINT NOT NULL,
    b13            BIGINT NOT NULL,
    b14            BIGINT NOT NULL,
    b15            BIGINT NOT NULL,
    b16            BIGINT NOT NULL,
    b17            BIGINT NOT NULL,
    b18            BIGINT NOT NULL,
    b19            BIGINT NOT NULL,
    b20            BIGINT NOT NULL,
    b21            BIGINT NOT NULL,
    b22            BIGINT NOT NULL,
    b23            BIGINT NOT NULL,
    PRIMARY KEY (org_id, hours, part, start_hour, workspace_id, name)
);

CREATE INDEX call_counts_by_age ON call_counts (hours, start_hour);

-- When a member no longer wanted to see the first steps.
ALTER TABLE members ADD COLUMN steps_dismissed_at BIGINT;
