-- What a municipality says of the reports of a home, and which homes it has looked at as one.

ALTER TABLE care_home
    ADD COLUMN standing text NOT NULL DEFAULT 'normal'
        CHECK (standing IN ('normal', 'frozen', 'declined'));
COMMENT ON COLUMN care_home.standing IS 'normal; frozen: its reports are false, they are kept and not shown; declined: it does not report here and is not reminded.';

CREATE TABLE not_the_same (
    one_id text NOT NULL REFERENCES care_home,
    two_id text NOT NULL REFERENCES care_home CHECK (one_id < two_id),
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (one_id, two_id)
);
COMMENT ON TABLE not_the_same IS 'Pairs of homes that look like one, and that a desk has found to be two.';
COMMENT ON COLUMN not_the_same.one_id IS 'The home whose id is less.';
COMMENT ON COLUMN not_the_same.two_id IS 'The other one.';
COMMENT ON COLUMN not_the_same.at IS 'When that was said.';
ALTER TABLE not_the_same ENABLE ROW LEVEL SECURITY;
-- Both must be homes that the desk may see.
CREATE POLICY desk ON not_the_same TO freiplatz_desk USING (
    one_id IN (SELECT id FROM care_home) AND two_id IN (SELECT id FROM care_home));
GRANT SELECT, INSERT (one_id, two_id) ON not_the_same TO freiplatz_desk;
