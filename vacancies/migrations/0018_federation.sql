-- Other deployments whose homes are shown here too, and what is theirs among the homes.

CREATE TABLE neighbour (
    slug        text PRIMARY KEY CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 40),
    name        text NOT NULL CHECK (name <> ''),
    url         text NOT NULL,
    licence     text NOT NULL DEFAULT '',
    attribution text NOT NULL DEFAULT '',
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    heard_at    timestamptz,
    trouble     text NOT NULL DEFAULT '',
    refused     bigint NOT NULL DEFAULT 0,
    refused_why text NOT NULL DEFAULT '',
    holder      uuid,
    held_until  timestamptz
);
COMMENT ON TABLE neighbour IS 'Another deployment of Freiplatz whose public stream is followed. One that was removed stays: its closed homes name it.';
COMMENT ON COLUMN neighbour.slug IS 'Short name: ids of its homes begin with it and a slash.';
COMMENT ON COLUMN neighbour.name IS 'What readers see it called.';
COMMENT ON COLUMN neighbour.url IS 'Its address, without a slash at the end.';
COMMENT ON COLUMN neighbour.licence IS 'Under which licence it gives its data away, as it said when it was added; empty: it did not.';
COMMENT ON COLUMN neighbour.attribution IS 'Whom it wants named as the source; empty: it did not say.';
COMMENT ON COLUMN neighbour.added_at IS 'When it was added, the last time.';
COMMENT ON COLUMN neighbour.removed_at IS 'Since when it is no longer followed; null while it is.';
COMMENT ON COLUMN neighbour.heard_at IS 'Up to when all that it had to say is known here; null before the first time.';
COMMENT ON COLUMN neighbour.trouble IS 'Why it cannot be followed just now; empty while it can.';
COMMENT ON COLUMN neighbour.refused IS 'How many of its messages were left out since it was added.';
COMMENT ON COLUMN neighbour.refused_why IS 'Why the last of them was.';
COMMENT ON COLUMN neighbour.holder IS 'The process that follows it.';
COMMENT ON COLUMN neighbour.held_until IS 'Until when that process has it to itself; it says so again before.';

ALTER TABLE care_home
    ADD COLUMN origin              text REFERENCES neighbour,
    ADD COLUMN origin_said         text,
    ADD COLUMN origin_silent_since timestamptz,
    DROP CONSTRAINT care_home_id_check,
    ADD CONSTRAINT care_home_id_check CHECK (id ~ '^([a-z0-9-]{1,40}/)?[A-Za-z0-9._~-]{1,64}$'),
    ADD CONSTRAINT care_home_origin_check CHECK (
        CASE WHEN origin IS NULL THEN position('/' IN id) = 0 ELSE starts_with(id, origin || '/') END
    );
COMMENT ON COLUMN care_home.id IS 'Opaque public id; of a home of a neighbour: its short name, a slash, and the id there.';
COMMENT ON COLUMN care_home.origin IS 'The neighbour it was taken over from; null: it is one of ours.';
COMMENT ON COLUMN care_home.origin_said IS 'Freshness as the neighbour judges it: it is shown as no fresher than that.';
COMMENT ON COLUMN care_home.origin_silent_since IS 'Since when the neighbour has not been heard from; null while it is.';
CREATE INDEX care_home_origin ON care_home (origin) WHERE origin IS NOT NULL;

ALTER TABLE provider
    DROP CONSTRAINT provider_slug_check,
    ADD CONSTRAINT provider_slug_check
        CHECK (slug ~ '^([a-z0-9-]{1,40}/)?[a-z0-9]+(-[a-z0-9]+)*$');
COMMENT ON COLUMN provider.slug IS 'Public short name, stable; of a home of a neighbour: its short name, a slash, and the provider there. Nobody here can report for those.';

-- Whose homes are shown is public: whoever reads homes, by whatever narrow role, reads that too.
ALTER TABLE neighbour ENABLE ROW LEVEL SECURITY;
CREATE POLICY anybody ON neighbour FOR SELECT USING (true);
GRANT SELECT (slug, name, url) ON neighbour
    TO freiplatz_writer, freiplatz_follower, freiplatz_desk;
