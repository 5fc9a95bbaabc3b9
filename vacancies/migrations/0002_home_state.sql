-- What every report rewrites, apart from what seldom changes: a report no longer pays for a wide
-- row, for the checks of its columns, and for indexes of which it changes nothing.

CREATE TABLE home_state (
    home_id            text PRIMARY KEY REFERENCES care_home ON DELETE CASCADE,
    vacancies          jsonb NOT NULL DEFAULT '[]',
    observed_at        timestamptz,
    reported_at        timestamptz,
    confirmed_at       timestamptz,
    evaluated_at       timestamptz NOT NULL,
    next_transition_at timestamptz,
    revision           bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE home_state IS 'The current report of each home, and the revision of its public state. Whoever changes a home locks its row here first, then (new revisions) the head.';
COMMENT ON COLUMN home_state.home_id IS 'The home.';
COMMENT ON COLUMN home_state.vacancies IS 'The lines of the last report, as they came: not for the public.';
COMMENT ON COLUMN home_state.observed_at IS 'When the last report was true at the home.';
COMMENT ON COLUMN home_state.reported_at IS 'When the last report reached us.';
COMMENT ON COLUMN home_state.confirmed_at IS 'When the home last said "still so".';
COMMENT ON COLUMN home_state.evaluated_at IS 'The moment for which freshness and dates were last judged; it stands in for the clock in the public listing.';
COMMENT ON COLUMN home_state.next_transition_at IS 'When time alone changes the listing next; the sweeper then gives a new revision.';
COMMENT ON COLUMN home_state.revision IS 'Revision at which the public state last changed: the change feed.';

INSERT INTO home_state
SELECT id, vacancies, observed_at, reported_at, confirmed_at, evaluated_at, next_transition_at,
       revision
FROM care_home;
CREATE UNIQUE INDEX home_state_revision ON home_state (revision);
CREATE INDEX home_state_transition ON home_state (next_transition_at)
    WHERE next_transition_at IS NOT NULL;

ALTER TABLE care_home
    DROP COLUMN vacancies, DROP COLUMN observed_at, DROP COLUMN reported_at,
    DROP COLUMN confirmed_at, DROP COLUMN evaluated_at, DROP COLUMN next_transition_at,
    DROP COLUMN revision;
COMMENT ON TABLE care_home IS 'A licensed home at one place. Rows are never deleted: a closed home is a tombstone.';

-- The writer holds the lock of the home when it appends, and neither homes nor keys are ever
-- deleted (they are closed and revoked). To check it again for every row cost more than the row.
ALTER TABLE report DROP CONSTRAINT report_home_id_fkey, DROP CONSTRAINT report_api_key_id_fkey;
