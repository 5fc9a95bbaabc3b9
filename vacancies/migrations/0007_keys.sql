-- Keys for one home, keys that end by themselves, keys that are replaced, and keys for trying out.

ALTER TABLE api_key
    ADD COLUMN home_id     text REFERENCES care_home,
    ADD COLUMN is_test     boolean NOT NULL DEFAULT false,
    ADD COLUMN expires_at  timestamptz,
    ADD COLUMN replaced_at timestamptz,
    ADD COLUMN replaced_by bigint REFERENCES api_key,
    ADD CONSTRAINT api_key_says_its_mode CHECK (is_test = starts_with(prefix, 'fpt_')),
    ADD CONSTRAINT api_key_replaced CHECK ((replaced_at IS NULL) = (replaced_by IS NULL));
COMMENT ON COLUMN api_key.home_id IS 'The one home it is for; null for all homes of the provider.';
COMMENT ON COLUMN api_key.is_test IS 'Whether calls with it change nothing. The key says so too (fpt_), for people who read configurations.';
COMMENT ON COLUMN api_key.expires_at IS 'From when it no longer opens anything, by itself; null for never.';
COMMENT ON COLUMN api_key.replaced_at IS 'When it was rotated: since then its answers say that it is outdated.';
COMMENT ON COLUMN api_key.replaced_by IS 'The key that came in its place.';

COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap), operator or import (a list of homes).';
