-- Reports that are passed on to other deployments of Freiplatz, and those that came from a portal.

ALTER TABLE report
    ADD COLUMN portal text,
    DROP CONSTRAINT report_via_check,
    ADD CONSTRAINT report_via_check
        CHECK (via IN ('api', 'link', 'page', 'import', 'desk', 'portal', 'operator')),
    ADD CONSTRAINT report_portal_check CHECK ((via = 'portal') = (portal IS NOT NULL));
COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap), page (signed in), import, desk (of a municipality), portal (passed on) or operator.';
COMMENT ON COLUMN report.portal IS 'The portal that passed it on, as it calls itself; null: it came from the home.';

ALTER TABLE webhook
    DROP CONSTRAINT webhook_speaks_check,
    ADD CONSTRAINT webhook_speaks_check CHECK (speaks IN ('listings', 'ngsi_ld', 'freiplatz'));
COMMENT ON COLUMN webhook.speaks IS 'What is sent: listings, signed; notifications of NGSI-LD, whose row in ngsi_subscription has the same id; or reports to another Freiplatz, whose row is in portal_link.';
COMMENT ON COLUMN webhook_delivery.event IS 'listing.changed, listing.gone, ping, notification or reports.';

CREATE TABLE portal_link (
    webhook_id text PRIMARY KEY REFERENCES webhook ON DELETE CASCADE,
    sealed_key bytea NOT NULL,
    trouble    text NOT NULL DEFAULT '' CHECK (trouble IN ('', 'key', 'strange', 'away')),
    round      integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE portal_link IS 'What of a webhook only one to another Freiplatz has.';
COMMENT ON COLUMN portal_link.webhook_id IS 'The webhook that delivers.';
COMMENT ON COLUMN portal_link.sealed_key IS 'The API key of the provider there, sealed with the secret key of the deployment: never shown, never logged.';
COMMENT ON COLUMN portal_link.trouble IS 'Why the last call failed: key (it is not valid there), strange (no answer of a Freiplatz) or away; empty if it did not.';
COMMENT ON COLUMN portal_link.round IS 'How often somebody asked for another try: makes the same reports another call.';

CREATE TABLE portal_home (
    webhook_id text NOT NULL REFERENCES portal_link ON DELETE CASCADE,
    home_id    text NOT NULL,
    id_there   text CHECK (id_there ~ '^[A-Za-z0-9._~-]{1,64}$'),
    digest     text NOT NULL DEFAULT '',
    outcome    text CHECK (outcome IN ('taken', 'newer', 'refused')),
    code       text,
    detail     text,
    field      text,
    settled_at timestamptz,
    PRIMARY KEY (webhook_id, home_id),
    CHECK ((outcome IS NULL) = (settled_at IS NULL))
);
COMMENT ON TABLE portal_home IS 'What became of the report of each home there.';
COMMENT ON COLUMN portal_home.webhook_id IS 'The link to the other Freiplatz.';
COMMENT ON COLUMN portal_home.home_id IS 'The home here; no foreign key, it may be missing after a restore.';
COMMENT ON COLUMN portal_home.id_there IS 'Its id there; null: the same.';
COMMENT ON COLUMN portal_home.digest IS 'Of the report that was answered; empty: none, or it is to be sent again.';
COMMENT ON COLUMN portal_home.outcome IS 'The answer: taken, newer (what stands there is newer), refused; null before the first.';
COMMENT ON COLUMN portal_home.code IS 'Of a refusal: the code of the error.';
COMMENT ON COLUMN portal_home.detail IS 'Of a refusal: what to do, in the words of the other side.';
COMMENT ON COLUMN portal_home.field IS 'Of a refusal: the field that is wrong.';
COMMENT ON COLUMN portal_home.settled_at IS 'When that was sent.';

-- Portals that offer reports as a file.

CREATE TABLE portal_file (
    name          text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 80),
    provider_id   bigint NOT NULL REFERENCES provider,
    url           text NOT NULL,
    every_minutes integer NOT NULL CHECK (every_minutes BETWEEN 1 AND 1440),
    etag          text,
    modified      text,
    trouble       text NOT NULL DEFAULT '',
    pulled_at     timestamptz,
    homes         integer NOT NULL DEFAULT 0,
    refused       integer NOT NULL DEFAULT 0,
    refused_why   text NOT NULL DEFAULT '',
    next_at       timestamptz NOT NULL DEFAULT now(),
    claim         uuid,
    claimed_until timestamptz,
    added_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE portal_file IS 'Files with reports at other portals, which are fetched again and again.';
COMMENT ON COLUMN portal_file.name IS 'The portal, as it stands in the history of the homes.';
COMMENT ON COLUMN portal_file.provider_id IS 'The provider for whose homes it may report.';
COMMENT ON COLUMN portal_file.url IS 'Where the file is. Its query may hold a secret: never logged, never shown.';
COMMENT ON COLUMN portal_file.every_minutes IS 'How often it is fetched.';
COMMENT ON COLUMN portal_file.etag IS 'ETag of the file that was read last, if all of it was taken.';
COMMENT ON COLUMN portal_file.modified IS 'Last-Modified of it, likewise.';
COMMENT ON COLUMN portal_file.trouble IS 'Why the last try failed; empty if it did not.';
COMMENT ON COLUMN portal_file.pulled_at IS 'When the file was last read, or found to be the same.';
COMMENT ON COLUMN portal_file.homes IS 'How many homes stood in it.';
COMMENT ON COLUMN portal_file.refused IS 'How many of them were refused.';
COMMENT ON COLUMN portal_file.refused_why IS 'Why the first of those was.';
COMMENT ON COLUMN portal_file.next_at IS 'Not to be fetched before.';
COMMENT ON COLUMN portal_file.claim IS 'Names the turn of the process that fetches it just now.';
COMMENT ON COLUMN portal_file.claimed_until IS 'From then on another process may: the one that had it is gone.';
COMMENT ON COLUMN portal_file.added_at IS 'When it was added.';

CREATE TABLE portal_file_home (
    name    text NOT NULL REFERENCES portal_file ON DELETE CASCADE,
    home_id text NOT NULL,
    digest  text NOT NULL,
    PRIMARY KEY (name, home_id)
);
COMMENT ON TABLE portal_file_home IS 'What was taken of each home: the same again is no report, or it would look fresh for ever.';
COMMENT ON COLUMN portal_file_home.name IS 'The portal.';
COMMENT ON COLUMN portal_file_home.home_id IS 'The home.';
COMMENT ON COLUMN portal_file_home.digest IS 'Of what the file said.';
