-- Open data that stay: the files of each day.

CREATE TABLE archive_day (
    day         date PRIMARY KEY,
    made_at     timestamptz NOT NULL,
    revision    bigint NOT NULL,
    homes       integer NOT NULL,
    licence     text NOT NULL,
    attribution text NOT NULL
);
COMMENT ON TABLE archive_day IS 'The archive of open data: days of which the files are kept. A day without a row was missed.';
COMMENT ON COLUMN archive_day.day IS 'Calendar day in the region of the deployment (Europe/Berlin).';
COMMENT ON COLUMN archive_day.made_at IS 'The moment of that day whose state the files show.';
COMMENT ON COLUMN archive_day.revision IS 'The revision of that state.';
COMMENT ON COLUMN archive_day.homes IS 'How many homes are in it.';
COMMENT ON COLUMN archive_day.licence IS 'Address of the licence under which the files of that day were given away.';
COMMENT ON COLUMN archive_day.attribution IS 'Whom that licence wants to be named.';

CREATE TABLE archive_file (
    day    date NOT NULL REFERENCES archive_day ON DELETE CASCADE,
    format text NOT NULL,
    size   integer NOT NULL,
    sha256 text NOT NULL,
    body   bytea NOT NULL,
    PRIMARY KEY (day, format)
);
-- It is packed already: Postgres need not try again.
ALTER TABLE archive_file ALTER COLUMN body SET STORAGE EXTERNAL;
COMMENT ON TABLE archive_file IS 'The files of the archive as they are sent.';
COMMENT ON COLUMN archive_file.day IS 'The day.';
COMMENT ON COLUMN archive_file.format IS 'csv or geojson.';
COMMENT ON COLUMN archive_file.size IS 'Bytes of the body.';
COMMENT ON COLUMN archive_file.sha256 IS 'Digest of the body, in hexadecimal.';
COMMENT ON COLUMN archive_file.body IS 'The file, packed with gzip.';
