-- Where people are advised for nothing: the way on when no place is found.

CREATE TABLE advice_office (
    id         text PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    street     text,
    postcode   text,
    city       text,
    latitude   double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude  double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    phone      text,
    email      text,
    website    text,
    area       text CHECK (area ~ '^[0-9]{2,12}$'),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE advice_office IS 'Offices that advise on care for nothing (Pflegestützpunkte, § 7c SGB XI).';
COMMENT ON COLUMN advice_office.id IS 'What the next import of the same list recognises it by.';
COMMENT ON COLUMN advice_office.name IS 'Name of the office.';
COMMENT ON COLUMN advice_office.street IS 'Street and house number.';
COMMENT ON COLUMN advice_office.postcode IS 'Postcode (PLZ), as text: it may begin with 0.';
COMMENT ON COLUMN advice_office.city IS 'Town.';
COMMENT ON COLUMN advice_office.latitude IS 'WGS 84, degrees.';
COMMENT ON COLUMN advice_office.longitude IS 'WGS 84, degrees.';
COMMENT ON COLUMN advice_office.phone IS 'Telephone number.';
COMMENT ON COLUMN advice_office.email IS 'E-mail address of the office.';
COMMENT ON COLUMN advice_office.website IS 'http(s) address.';
COMMENT ON COLUMN advice_office.area IS 'First digits of the municipality keys (AGS) that it is there for; null: whoever is near.';
COMMENT ON COLUMN advice_office.updated_at IS 'When it was last written.';
