-- Lists of homes that a desk has sent, between looking at them and taking them.

CREATE TABLE home_list (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    municipality text NOT NULL REFERENCES municipality ON DELETE CASCADE,
    staff_id     bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    file_name    text NOT NULL,
    content      bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE home_list IS 'A list of homes that was sent to a desk and is not taken yet; it goes when it is, or after a day.';
COMMENT ON COLUMN home_list.id IS 'Stands in the address of its preview.';
COMMENT ON COLUMN home_list.municipality IS 'To whose desk it was sent.';
COMMENT ON COLUMN home_list.staff_id IS 'Who sent it.';
COMMENT ON COLUMN home_list.file_name IS 'As its file is called.';
COMMENT ON COLUMN home_list.content IS 'The file.';
COMMENT ON COLUMN home_list.created_at IS 'When it was sent.';
CREATE INDEX home_list_age ON home_list (created_at);

ALTER TABLE home_list ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON home_list TO freiplatz_desk USING (is_desk(municipality));
GRANT SELECT, INSERT, DELETE ON home_list TO freiplatz_desk;
