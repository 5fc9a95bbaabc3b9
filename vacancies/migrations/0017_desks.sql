-- The people of municipalities, their desks, and what the database lets whom see. The roles are made
-- by `vacancies/roles.py`, since they belong to the whole server and not to one database.

CREATE TABLE municipality_member (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id     bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    municipality text NOT NULL REFERENCES municipality ON DELETE CASCADE,
    role         text NOT NULL DEFAULT 'admin' CHECK (role IN ('admin', 'clerk')),
    created_by   bigint REFERENCES staff ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (staff_id, municipality)
);
COMMENT ON TABLE municipality_member IS 'Who works at the desk of a municipality.';
COMMENT ON COLUMN municipality_member.id IS 'Internal number.';
COMMENT ON COLUMN municipality_member.staff_id IS 'The person.';
COMMENT ON COLUMN municipality_member.municipality IS 'The municipality.';
COMMENT ON COLUMN municipality_member.role IS 'clerk: everything about homes; admin: also people, settings and leaving.';
COMMENT ON COLUMN municipality_member.created_by IS 'Who invited the person, null for the operator.';
COMMENT ON COLUMN municipality_member.created_at IS 'Since when.';

ALTER TABLE signin
    ADD COLUMN municipality text REFERENCES municipality ON DELETE CASCADE,
    ADD COLUMN role         text CHECK (role IN ('admin', 'clerk')),
    ADD CHECK ((municipality IS NULL) = (role IS NULL)),
    ADD CHECK (municipality IS NULL OR provider_id IS NULL);
COMMENT ON COLUMN signin.municipality IS 'An invitation: to work at the desk of this municipality.';
COMMENT ON COLUMN signin.role IS 'An invitation to a desk: as what.';

CREATE TABLE desk_act (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality text NOT NULL,
    staff_id     bigint,
    at           timestamptz NOT NULL DEFAULT now(),
    act          text NOT NULL CHECK (act <> ''),
    home_id      text,
    detail       jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE desk_act IS 'What was done at a desk: the audit trail. Rows are never changed.';
COMMENT ON COLUMN desk_act.id IS 'Internal number.';
COMMENT ON COLUMN desk_act.municipality IS 'At whose desk; no foreign key: it outlives the municipality.';
COMMENT ON COLUMN desk_act.staff_id IS 'Who; null for the operator. No foreign key: it outlives the person.';
COMMENT ON COLUMN desk_act.at IS 'When.';
COMMENT ON COLUMN desk_act.act IS 'What, as a code.';
COMMENT ON COLUMN desk_act.home_id IS 'About which home, if about one.';
COMMENT ON COLUMN desk_act.detail IS 'What belongs to it, such as a reason.';
CREATE INDEX desk_act_of ON desk_act (municipality, id);

ALTER TABLE report
    DROP CONSTRAINT report_via_check,
    ADD CONSTRAINT report_via_check
        CHECK (via IN ('api', 'link', 'page', 'import', 'desk', 'operator'));
COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap), page (signed in), import, desk (of a municipality) or operator.';

-- At which desk a transaction works. Nothing is set: nothing is seen.
CREATE FUNCTION desk_key() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('freiplatz.desk', true), '');
COMMENT ON FUNCTION desk_key() IS 'The municipality key of the desk for which this transaction works.';

CREATE FUNCTION in_desk_scope(municipality text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(starts_with(municipality, desk_key()), false);
COMMENT ON FUNCTION in_desk_scope(text) IS 'Whether a desk may read what belongs to that municipality: its own, and those that lie in it (a district plans for all of its municipalities).';

CREATE FUNCTION is_desk(municipality text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(municipality = desk_key(), false);
COMMENT ON FUNCTION is_desk(text) IS 'Whether that is the municipality of the desk itself.';

-- The desk. Homes are changed by the writer alone, which asks the actor of each command.
GRANT SELECT ON care_home, home_state, report, reminder, correction, call_feedback, membership,
    staff, municipality_member, desk_act, municipality, reporting_policy TO freiplatz_desk;
GRANT SELECT (id, slug, name) ON provider TO freiplatz_desk;
GRANT UPDATE (done_at) ON correction TO freiplatz_desk;
GRANT INSERT (municipality, staff_id, act, home_id, detail) ON desk_act TO freiplatz_desk;

ALTER TABLE care_home ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON care_home FOR SELECT TO freiplatz_desk USING (in_desk_scope(municipality));
ALTER TABLE home_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON home_state FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
ALTER TABLE report ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON report FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
ALTER TABLE reminder ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON reminder FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
ALTER TABLE correction ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON correction TO freiplatz_desk USING (home_id IN (SELECT id FROM care_home));
ALTER TABLE call_feedback ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON call_feedback FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
-- Those who report for its homes. An admin of a provider with homes elsewhere too is one of them.
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON membership FOR SELECT TO freiplatz_desk USING (
    CASE WHEN home_id IS NULL THEN provider_id IN (SELECT h.provider_id FROM care_home h)
         ELSE home_id IN (SELECT h.id FROM care_home h) END);
ALTER TABLE municipality_member ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON municipality_member TO freiplatz_desk USING (is_desk(municipality));
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON staff FOR SELECT TO freiplatz_desk USING (
    id IN (SELECT m.staff_id FROM membership m)
    OR id IN (SELECT m.staff_id FROM municipality_member m));
ALTER TABLE desk_act ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON desk_act TO freiplatz_desk USING (is_desk(municipality));
ALTER TABLE reporting_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON reporting_policy FOR SELECT TO freiplatz_desk USING (in_desk_scope(prefix));
-- Who takes part is public.
ALTER TABLE municipality ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON municipality FOR SELECT TO freiplatz_desk USING (true);

-- The writer and the follower work for all municipalities at once, and do nothing else.
GRANT SELECT, INSERT, UPDATE ON care_home, home_state TO freiplatz_writer;
GRANT SELECT, UPDATE ON revision_head TO freiplatz_writer;
GRANT INSERT ON report TO freiplatz_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO freiplatz_writer;
GRANT SELECT (id, slug) ON provider TO freiplatz_writer;
CREATE POLICY writer ON care_home TO freiplatz_writer USING (true);
CREATE POLICY writer ON home_state TO freiplatz_writer USING (true);
CREATE POLICY writer ON report FOR INSERT TO freiplatz_writer WITH CHECK (true);
GRANT SELECT ON care_home, home_state, revision_head TO freiplatz_follower;
GRANT SELECT (epoch) ON deployment TO freiplatz_follower;
GRANT SELECT (id, slug) ON provider TO freiplatz_follower;
CREATE POLICY follower ON care_home FOR SELECT TO freiplatz_follower USING (true);
CREATE POLICY follower ON home_state FOR SELECT TO freiplatz_follower USING (true);
