-- What readers say is wrong with an entry. Whoever is responsible looks at it; no entry changes by it.

CREATE TABLE correction (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id    text NOT NULL REFERENCES care_home,
    matter     text NOT NULL CHECK (matter IN ('phone', 'address', 'gone', 'closed', 'other')),
    said       text NOT NULL DEFAULT '' CHECK (length(said) <= 500),
    email      text,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz
);
COMMENT ON TABLE correction IS 'What a reader says is wrong with the entry of a home. May hold personal data: deleted 90 days after it is done.';
COMMENT ON COLUMN correction.id IS 'Internal number, the handle for `freiplatz corrections done`.';
COMMENT ON COLUMN correction.home_id IS 'The home.';
COMMENT ON COLUMN correction.matter IS 'What is wrong: phone, address, gone (the place is taken), closed, or other.';
COMMENT ON COLUMN correction.said IS 'In the reader''s own words, at most 500 characters.';
COMMENT ON COLUMN correction.email IS 'Where the reader wants an answer, null for nowhere.';
COMMENT ON COLUMN correction.created_at IS 'When it came.';
COMMENT ON COLUMN correction.done_at IS 'When somebody dealt with it, null while open.';
CREATE INDEX correction_open ON correction (home_id) WHERE done_at IS NULL;
CREATE INDEX correction_done ON correction (done_at) WHERE done_at IS NOT NULL;
