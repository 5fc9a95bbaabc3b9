-- What people also choose a home by: languages that are spoken there, and who runs it.

ALTER TABLE care_home
    ADD COLUMN languages   text[] NOT NULL DEFAULT '{}',
    ADD COLUMN ownership   text CHECK (ownership IN ('public', 'nonprofit', 'private')),
    ADD COLUMN quality_url text;
COMMENT ON COLUMN care_home.languages IS 'Languages that somebody in the home speaks, besides German: ISO 639 codes.';
COMMENT ON COLUMN care_home.ownership IS 'Who runs it (Trägerschaft): public, nonprofit or private; null while unknown.';
COMMENT ON COLUMN care_home.quality_url IS 'http(s) address of its published quality results (§ 115 (1a) SGB XI).';
