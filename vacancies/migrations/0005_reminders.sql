-- How long reports are fresh, who is reminded to report, when, and who is told if that does not help.

ALTER TABLE staff ADD COLUMN phone text;
COMMENT ON COLUMN staff.phone IS 'Number for reminders by SMS, null without.';
ALTER TABLE membership ADD COLUMN wants_reminders boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN membership.wants_reminders IS 'Whether reminders go to this person.';

CREATE TABLE reporting_policy (
    prefix                   text PRIMARY KEY CHECK (prefix ~ '^[0-9]{0,12}$'),
    fresh_hours              integer NOT NULL CHECK (fresh_hours BETWEEN 1 AND 8784),
    ageing_hours             integer NOT NULL,
    from_minute              smallint NOT NULL CHECK (from_minute >= 0),
    until_minute             smallint NOT NULL CHECK (until_minute <= 1440),
    weekdays                 smallint[] NOT NULL CHECK (
        cardinality(weekdays) > 0 AND weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]
    ),
    admins_after_hours       integer NOT NULL CHECK (admins_after_hours BETWEEN 1 AND 8784),
    municipality_after_hours integer NOT NULL,
    municipality_email       text,
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CHECK (ageing_hours BETWEEN fresh_hours AND 8784),
    CHECK (from_minute < until_minute),
    CHECK (municipality_after_hours BETWEEN admins_after_hours AND 8784)
);
COMMENT ON TABLE reporting_policy IS 'How homes are to report and are reminded, by municipality: the row with the longest prefix of its key (AGS) holds, whole.';
COMMENT ON COLUMN reporting_policy.prefix IS 'Beginning of a municipality key; empty for the whole deployment.';
COMMENT ON COLUMN reporting_policy.fresh_hours IS 'How long a report is fresh: the next one is due before.';
COMMENT ON COLUMN reporting_policy.ageing_hours IS 'From when on it is stale, and its places are not counted as free.';
COMMENT ON COLUMN reporting_policy.from_minute IS 'From when mail may go out: minutes since midnight in the region.';
COMMENT ON COLUMN reporting_policy.until_minute IS 'Until when, this minute excluded.';
COMMENT ON COLUMN reporting_policy.weekdays IS 'On which days, 1 for Monday to 7 for Sunday.';
COMMENT ON COLUMN reporting_policy.admins_after_hours IS 'How long after the reminder the provider''s admins are told.';
COMMENT ON COLUMN reporting_policy.municipality_after_hours IS 'How long after the reminder the municipality is told.';
COMMENT ON COLUMN reporting_policy.municipality_email IS 'Where the municipality is told; null: it is not.';
COMMENT ON COLUMN reporting_policy.updated_at IS 'When it was last set.';

ALTER TABLE care_home
    ADD COLUMN fresh_hours integer NOT NULL DEFAULT 24,
    ADD COLUMN ageing_hours integer NOT NULL DEFAULT 72;
COMMENT ON COLUMN care_home.fresh_hours IS 'How long its reports are fresh: the policy of its municipality, as its revision has seen it.';
COMMENT ON COLUMN care_home.ageing_hours IS 'From when on they are stale, likewise.';

CREATE TABLE reminder (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    home_id       text NOT NULL REFERENCES care_home ON DELETE CASCADE,
    since         timestamptz NOT NULL,
    step          text NOT NULL DEFAULT 'staff' CHECK (step IN ('staff', 'admins', 'municipality')),
    due_at        timestamptz NOT NULL,
    told          text[] NOT NULL DEFAULT '{}',
    failures      integer NOT NULL DEFAULT 0,
    claim         uuid,
    claimed_until timestamptz,
    reminded_at   timestamptz,
    closed_at     timestamptz,
    outcome       text CHECK (outcome IN ('reported', 'closed', 'unanswered')),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    UNIQUE (home_id, since)
);
COMMENT ON TABLE reminder IS 'The plan of reminders: one row for each time that a home falls silent. It outlives every process; whoever works on a row claims it.';
COMMENT ON COLUMN reminder.id IS 'Names the mails of this row: the same mail has the same Message-ID, whoever sends it.';
COMMENT ON COLUMN reminder.home_id IS 'The home.';
COMMENT ON COLUMN reminder.since IS 'When the home last said something; if it never did, since when somebody may report for it.';
COMMENT ON COLUMN reminder.step IS 'Who is told next: its staff, the admins of its provider, the municipality.';
COMMENT ON COLUMN reminder.due_at IS 'When.';
COMMENT ON COLUMN reminder.told IS 'To whom the mail of this step was handed over already (mail: or sms:, and the number of the membership).';
COMMENT ON COLUMN reminder.failures IS 'How often handing over failed in this step.';
COMMENT ON COLUMN reminder.claim IS 'Which round of which process works on it.';
COMMENT ON COLUMN reminder.claimed_until IS 'Until when that claim holds: then that process is taken for dead.';
COMMENT ON COLUMN reminder.reminded_at IS 'When the first step was done; the others are counted from here.';
COMMENT ON COLUMN reminder.closed_at IS 'When it came to its end; 30 days later the row is removed.';
COMMENT ON COLUMN reminder.outcome IS 'How: the home has reported, it was closed, or nobody is left to be told.';
CREATE INDEX reminder_due ON reminder (due_at) WHERE closed_at IS NULL;
CREATE INDEX reminder_closed ON reminder (closed_at) WHERE closed_at IS NOT NULL;
