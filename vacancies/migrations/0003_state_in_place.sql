-- A report now changes no index: Postgres then updates the row in place (HOT) and clears the old
-- version away by itself. With an entry in two indexes for every report, the rows of homes that
-- report often left hundreds of dead entries behind until the next vacuum. The table is small, one
-- row a home: who asks what has changed, or what is due, reads through it.

DROP INDEX home_state_revision;
DROP INDEX home_state_transition;

-- json, not jsonb: the lines are kept as they came and are read whole.
ALTER TABLE home_state
    ALTER COLUMN vacancies DROP DEFAULT,
    ALTER COLUMN vacancies TYPE json USING vacancies::json,
    ALTER COLUMN vacancies SET DEFAULT '[]';
ALTER TABLE report ALTER COLUMN vacancies TYPE json USING vacancies::json;
