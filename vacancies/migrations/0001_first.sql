-- The truth: who is free where, and the revision that orders every change of it.

CREATE TABLE deployment (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch      text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
    demo       boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE deployment IS 'One row: what holds for this whole database.';
COMMENT ON COLUMN deployment.only_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN deployment.epoch IS 'Random; part of every cursor and of the Redis channel. A restore renews it, which resets every viewer.';
COMMENT ON COLUMN deployment.demo IS 'Whether the homes are made up; then every page says so.';
COMMENT ON COLUMN deployment.created_at IS 'When this database was set up.';
INSERT INTO deployment DEFAULT VALUES;

CREATE TABLE revision_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE revision_head IS 'One row: the newest revision. Locked last in every transaction that changes a listing, so revisions are gapless and in commit order (a sequence is neither).';
COMMENT ON COLUMN revision_head.only_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN revision_head.revision IS 'The revision of the last committed change.';
INSERT INTO revision_head DEFAULT VALUES;

CREATE TABLE provider (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug       text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name       text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE provider IS 'An organisation that runs homes (Träger).';
COMMENT ON COLUMN provider.id IS 'Internal number.';
COMMENT ON COLUMN provider.slug IS 'Public short name, stable.';
COMMENT ON COLUMN provider.name IS 'Name as people write it.';
COMMENT ON COLUMN provider.created_at IS 'When it was entered.';

CREATE TABLE care_home (
    id                 text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._~-]{1,64}$'),
    provider_id        bigint NOT NULL REFERENCES provider,
    identity           text UNIQUE,
    name               text NOT NULL CHECK (name <> ''),
    street             text,
    postcode           text,
    city               text,
    country            text NOT NULL DEFAULT 'DE',
    latitude           double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude          double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    point_precision    text NOT NULL,
    phone              text,
    email              text,
    website            text,
    municipality       text CHECK (municipality ~ '^[0-9]{2,12}$'),
    capacity           jsonb NOT NULL DEFAULT '{}',
    costs              jsonb NOT NULL DEFAULT '{}',
    focuses            text[] NOT NULL DEFAULT '{}',
    needs              text[] NOT NULL DEFAULT '{}',
    waiting_list       text,
    stop_reason        text,
    stop_until         date,
    status             text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'merged')),
    merged_into        text REFERENCES care_home,
    closed_at          timestamptz,
    vacancies          jsonb NOT NULL DEFAULT '[]',
    observed_at        timestamptz,
    reported_at        timestamptz,
    confirmed_at       timestamptz,
    evaluated_at       timestamptz NOT NULL,
    next_transition_at timestamptz,
    revision           bigint NOT NULL,
    moved_revision     bigint NOT NULL
);
COMMENT ON TABLE care_home IS 'A licensed home at one place, its current report, and the revision of its public state. Rows are never deleted: a closed home is a tombstone.';
COMMENT ON COLUMN care_home.id IS 'Opaque public id.';
COMMENT ON COLUMN care_home.provider_id IS 'Who runs it and may report for it.';
COMMENT ON COLUMN care_home.identity IS 'Recognises the home in the next import of a list: the source''s id, else name, street and postcode, normalised.';
COMMENT ON COLUMN care_home.name IS 'Name of the home.';
COMMENT ON COLUMN care_home.street IS 'Street and house number.';
COMMENT ON COLUMN care_home.postcode IS 'Postcode (PLZ), as text: it may begin with 0.';
COMMENT ON COLUMN care_home.city IS 'Town.';
COMMENT ON COLUMN care_home.country IS 'ISO 3166-1 alpha-2.';
COMMENT ON COLUMN care_home.latitude IS 'WGS 84, degrees.';
COMMENT ON COLUMN care_home.longitude IS 'WGS 84, degrees.';
COMMENT ON COLUMN care_home.point_precision IS 'How exact the point is: exact, address, postcode, town or region.';
COMMENT ON COLUMN care_home.phone IS 'Public telephone number.';
COMMENT ON COLUMN care_home.email IS 'Public e-mail address of the home.';
COMMENT ON COLUMN care_home.website IS 'http(s) address.';
COMMENT ON COLUMN care_home.municipality IS 'Municipality key (AGS, Amtlicher Gemeindeschlüssel), null while not assigned.';
COMMENT ON COLUMN care_home.capacity IS 'Licensed places per care form; an absent form is unknown.';
COMMENT ON COLUMN care_home.costs IS 'Euros per month: care_eur, training_eur, board_eur, investment_eur.';
COMMENT ON COLUMN care_home.focuses IS 'What the home specialises in.';
COMMENT ON COLUMN care_home.needs IS 'What the home can cope with.';
COMMENT ON COLUMN care_home.waiting_list IS 'open, closed or unknown (null).';
COMMENT ON COLUMN care_home.stop_reason IS 'Reason of an admission stop, null without one.';
COMMENT ON COLUMN care_home.stop_until IS 'Last day of the admission stop, null until further notice.';
COMMENT ON COLUMN care_home.status IS 'open, closed or merged.';
COMMENT ON COLUMN care_home.merged_into IS 'The home that this duplicate became part of.';
COMMENT ON COLUMN care_home.closed_at IS 'When it was closed or merged; older than 90 days it leaves the boards.';
COMMENT ON COLUMN care_home.vacancies IS 'The lines of the last report, as they came: not for the public.';
COMMENT ON COLUMN care_home.observed_at IS 'When the last report was true at the home.';
COMMENT ON COLUMN care_home.reported_at IS 'When the last report reached us.';
COMMENT ON COLUMN care_home.confirmed_at IS 'When the home last said "still so".';
COMMENT ON COLUMN care_home.evaluated_at IS 'The moment for which freshness and dates were last judged; it stands in for the clock in the public listing.';
COMMENT ON COLUMN care_home.next_transition_at IS 'When time alone changes the listing next; the sweeper then gives a new revision.';
COMMENT ON COLUMN care_home.revision IS 'Revision at which the public state last changed: the change feed.';
COMMENT ON COLUMN care_home.moved_revision IS 'Revision at which the position last changed: whoever resumes from before must be told.';
CREATE UNIQUE INDEX care_home_revision ON care_home (revision);
CREATE INDEX care_home_transition ON care_home (next_transition_at) WHERE next_transition_at IS NOT NULL;
CREATE INDEX care_home_provider ON care_home (provider_id);

CREATE TABLE api_key (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider_id  bigint NOT NULL REFERENCES provider,
    prefix       text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    label        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);
COMMENT ON TABLE api_key IS 'Keys with which a provider''s software reports.';
COMMENT ON COLUMN api_key.id IS 'Internal number, the handle for revoking.';
COMMENT ON COLUMN api_key.provider_id IS 'Whose homes it may report for.';
COMMENT ON COLUMN api_key.prefix IS 'The first characters, to recognise it by.';
COMMENT ON COLUMN api_key.hash IS 'SHA-256 of the key; 256 random bits need no slow hash.';
COMMENT ON COLUMN api_key.label IS 'What it is for.';
COMMENT ON COLUMN api_key.created_at IS 'When it was made.';
COMMENT ON COLUMN api_key.last_used_at IS 'Last use, to the minute.';
COMMENT ON COLUMN api_key.revoked_at IS 'From when it no longer opens anything.';

CREATE TABLE report (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id     text NOT NULL REFERENCES care_home,
    revision    bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('report', 'confirmation')),
    observed_at timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    vacancies   jsonb NOT NULL,
    api_key_id  bigint REFERENCES api_key
);
COMMENT ON TABLE report IS 'History of all that homes have said; appended in the transaction of the change.';
COMMENT ON COLUMN report.id IS 'Internal number.';
COMMENT ON COLUMN report.home_id IS 'The home.';
COMMENT ON COLUMN report.revision IS 'The revision that this report made.';
COMMENT ON COLUMN report.kind IS 'report (full set of lines) or confirmation (still so).';
COMMENT ON COLUMN report.observed_at IS 'When it was true at the home.';
COMMENT ON COLUMN report.reported_at IS 'When it reached us.';
COMMENT ON COLUMN report.vacancies IS 'The lines as they came.';
COMMENT ON COLUMN report.api_key_id IS 'With which key, null for an operator''s command.';
CREATE INDEX report_home ON report (home_id, reported_at);

CREATE TABLE idempotency (
    api_key_id bigint NOT NULL REFERENCES api_key ON DELETE CASCADE,
    path       text NOT NULL,
    key        text NOT NULL,
    body_hash  bytea NOT NULL,
    answer     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (api_key_id, path, key)
);
COMMENT ON TABLE idempotency IS 'First answers to calls with an Idempotency-Key; written in the transaction of the change, kept 24 hours.';
COMMENT ON COLUMN idempotency.api_key_id IS 'Whose call.';
COMMENT ON COLUMN idempotency.path IS 'Method and path of the call.';
COMMENT ON COLUMN idempotency.key IS 'The caller''s Idempotency-Key.';
COMMENT ON COLUMN idempotency.body_hash IS 'SHA-256 of the body: the same key with another body is an error.';
COMMENT ON COLUMN idempotency.answer IS 'The first answer, opaque to the database.';
COMMENT ON COLUMN idempotency.created_at IS 'When; after 24 hours the row is removed.';
CREATE INDEX idempotency_age ON idempotency (created_at);
