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

-- Subscriptions of NGSI-LD (ETSI GS CIM 009): webhooks that speak another language.

ALTER TABLE webhook
    ADD COLUMN speaks     text NOT NULL DEFAULT 'listings' CHECK (speaks IN ('listings', 'ngsi_ld')),
    ADD COLUMN expires_at timestamptz;
COMMENT ON COLUMN webhook.speaks IS 'What is sent: listings, signed, or notifications of NGSI-LD, whose row in ngsi_subscription has the same id.';
COMMENT ON COLUMN webhook.expires_at IS 'From then on nothing more is sent; null: no end.';

ALTER TABLE webhook_home ADD COLUMN seen text;
COMMENT ON COLUMN webhook_home.seen IS 'For a subscription: digest of the attributes that it watches, as the receiver was told last; null for others.';
COMMENT ON COLUMN webhook_delivery.event IS 'listing.changed, listing.gone, ping or notification.';

CREATE TABLE subscriber (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE subscriber IS 'Data platforms that may subscribe by NGSI-LD. The operator enters them.';
COMMENT ON COLUMN subscriber.id IS 'Internal number.';
COMMENT ON COLUMN subscriber.name IS 'As the operator calls it.';
COMMENT ON COLUMN subscriber.hash IS 'SHA-256 of its token.';
COMMENT ON COLUMN subscriber.created_at IS 'When it was entered.';

CREATE TABLE ngsi_subscription (
    webhook_id        text PRIMARY KEY REFERENCES webhook ON DELETE CASCADE,
    id                text NOT NULL UNIQUE,
    subscriber_id     bigint NOT NULL REFERENCES subscriber,
    document          json NOT NULL,
    times_sent        bigint NOT NULL DEFAULT 0,
    times_failed      bigint NOT NULL DEFAULT 0,
    last_notification timestamptz,
    last_success      timestamptz,
    last_failure      timestamptz
);
COMMENT ON TABLE ngsi_subscription IS 'What of a webhook only a subscription of NGSI-LD has.';
COMMENT ON COLUMN ngsi_subscription.webhook_id IS 'The webhook that delivers it.';
COMMENT ON COLUMN ngsi_subscription.id IS 'Its public id, a URI.';
COMMENT ON COLUMN ngsi_subscription.subscriber_id IS 'Whose it is.';
COMMENT ON COLUMN ngsi_subscription.document IS 'As its owner wrote it. May hold a secret of the receiver: never logged.';
COMMENT ON COLUMN ngsi_subscription.times_sent IS 'Tries to notify.';
COMMENT ON COLUMN ngsi_subscription.times_failed IS 'How many of them failed.';
COMMENT ON COLUMN ngsi_subscription.last_notification IS 'Last try.';
COMMENT ON COLUMN ngsi_subscription.last_success IS 'Last one that was accepted.';
COMMENT ON COLUMN ngsi_subscription.last_failure IS 'Last one that was not.';
CREATE INDEX ngsi_subscription_of ON ngsi_subscription (subscriber_id);
