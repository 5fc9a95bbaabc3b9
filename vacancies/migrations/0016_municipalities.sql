-- The municipalities that run this service together, where their areas are, and which homes lie in them.

CREATE TABLE municipality (
    key             text PRIMARY KEY CHECK (key ~ '^[0-9]{2,12}$'),
    name            text NOT NULL CHECK (name <> ''),
    boundary        jsonb,
    boundary_source text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE municipality IS 'Who takes part: a municipality (Gemeinde), a district (Kreis) or a state (Land).';
COMMENT ON COLUMN municipality.key IS 'Its key (AGS, Amtlicher Gemeindeschlüssel): 8 digits, of a district 5, of a state 2.';
COMMENT ON COLUMN municipality.name IS 'As people call it.';
COMMENT ON COLUMN municipality.boundary IS 'Polygon or MultiPolygon (RFC 7946); null: its homes are assigned by what their providers say, or by hand.';
COMMENT ON COLUMN municipality.boundary_source IS 'Whose boundary that is, as its licence wants it said.';
COMMENT ON COLUMN municipality.created_at IS 'When it joined.';
COMMENT ON COLUMN municipality.updated_at IS 'When it was last changed.';

CREATE TABLE boundary_head (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL
);
INSERT INTO boundary_head (generation) VALUES (0);
COMMENT ON TABLE boundary_head IS 'Counts the changes of boundaries: homes that were assigned by an older generation are looked at again.';
COMMENT ON COLUMN boundary_head.only_row IS 'There is one row.';
COMMENT ON COLUMN boundary_head.generation IS 'Number of the last change.';

ALTER TABLE care_home
    ADD COLUMN stated_municipality text CHECK (stated_municipality ~ '^[0-9]{2,12}$'),
    ADD COLUMN assigned_by         text CHECK (assigned_by IN ('position', 'hand')),
    ADD COLUMN boundaries          bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN care_home.stated_municipality IS 'Municipality key that its provider states; what holds is municipality.';
COMMENT ON COLUMN care_home.assigned_by IS 'How it came to its municipality: by its position or by hand; null: as stated, or not at all.';
COMMENT ON COLUMN care_home.boundaries IS 'By which generation of boundaries its position was last looked at.';
UPDATE care_home SET stated_municipality = municipality;
CREATE INDEX care_home_boundaries ON care_home (boundaries) WHERE status = 'open' AND assigned_by IS DISTINCT FROM 'hand';
