-- What every report pays for is worth its cost.

-- The writer holds the lock of the home's row when it appends, and neither homes nor keys are ever
-- deleted (they are closed and revoked). Checking it again for every row cost more than the row.
ALTER TABLE report DROP CONSTRAINT report_home_id_fkey, DROP CONSTRAINT report_api_key_id_fkey;

-- Every report rewrote it, for a list that an operator asks for now and then.
DROP INDEX care_home_provider;
