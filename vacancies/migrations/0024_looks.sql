-- How the pages of a municipality look, what they say, and under which address they are.

CREATE TABLE municipality_look (
    municipality text PRIMARY KEY REFERENCES municipality ON DELETE CASCADE,
    path         text UNIQUE CHECK (path ~ '^[a-z][a-z0-9-]{1,39}$'),
    host         text UNIQUE CHECK (host = lower(host) AND host ~ '^[a-z0-9.-]{4,253}$'),
    accent       text CHECK (accent ~ '^#[0-9a-f]{6}$'),
    logo         bytea CHECK (length(logo) <= 204800),
    logo_kind    text CHECK (logo_kind IN ('image/png', 'image/svg+xml')),
    greeting     text NOT NULL DEFAULT '' CHECK (length(greeting) <= 1000),
    imprint      text NOT NULL DEFAULT '' CHECK (length(imprint) <= 10000),
    privacy      text NOT NULL DEFAULT '' CHECK (length(privacy) <= 10000),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((logo IS NULL) = (logo_kind IS NULL))
);
COMMENT ON TABLE municipality_look IS 'The own look of a municipality. Path and host are given by the operator alone.';
COMMENT ON COLUMN municipality_look.municipality IS 'Whose look.';
COMMENT ON COLUMN municipality_look.path IS 'Its pages stand below this, as /guetersloh.';
COMMENT ON COLUMN municipality_look.host IS 'Its pages are also read, and only read, under this host name.';
COMMENT ON COLUMN municipality_look.accent IS 'Its colour; pages use the nearest that is readable.';
COMMENT ON COLUMN municipality_look.logo IS 'Its picture in the head of pages.';
COMMENT ON COLUMN municipality_look.logo_kind IS 'Media type of the logo.';
COMMENT ON COLUMN municipality_look.greeting IS 'Its words on the first page, in German.';
COMMENT ON COLUMN municipality_look.imprint IS 'What its imprint says, in German, beside that of the operator.';
COMMENT ON COLUMN municipality_look.privacy IS 'What it says on privacy, in German, beside the operator.';
COMMENT ON COLUMN municipality_look.updated_at IS 'When it was last changed.';

ALTER TABLE municipality_look ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON municipality_look TO freiplatz_desk USING (is_desk(municipality));
GRANT SELECT ON municipality_look TO freiplatz_desk;
GRANT INSERT (municipality, accent, logo, logo_kind, greeting, imprint, privacy, updated_at),
    UPDATE (accent, logo, logo_kind, greeting, imprint, privacy, updated_at)
    ON municipality_look TO freiplatz_desk;
