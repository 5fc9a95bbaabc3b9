-- Webhooks: who wants to be told of changes, how far each was told, and what became of each try.

CREATE TABLE webhook (
    id              text PRIMARY KEY CHECK (id ~ '^wh_[0-9a-f]{16}$'),
    provider_id     bigint REFERENCES provider,
    search          text,
    address         text NOT NULL,
    contact         text,
    state           text NOT NULL DEFAULT 'active'
                    CHECK (state IN ('active', 'paused', 'disabled')),
    reason          text CHECK (reason IN ('owner', 'failing', 'gone')),
    epoch           text NOT NULL DEFAULT '',
    cursor          bigint NOT NULL DEFAULT 0,
    attempts        integer NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    next_attempt_at timestamptz NOT NULL,
    claim           uuid,
    claimed_until   timestamptz,
    tested_at       timestamptz,
    note_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (provider_id IS NOT NULL OR search IS NOT NULL),
    CHECK ((state = 'active') = (reason IS NULL))
);
COMMENT ON TABLE webhook IS 'Addresses that are told of changes by HTTP. The change feed is the queue: nothing is stored for each event.';
COMMENT ON COLUMN webhook.id IS 'Opaque public id.';
COMMENT ON COLUMN webhook.provider_id IS 'Whose it is; null for one of the operator.';
COMMENT ON COLUMN webhook.search IS 'Parameters of a public search, as in its address, with the place as coordinates; null: the homes of the provider.';
COMMENT ON COLUMN webhook.address IS 'Where events are sent to. May hold a secret of the receiver: never logged.';
COMMENT ON COLUMN webhook.contact IS 'Mail address for notes about this webhook; null: the admins of the provider.';
COMMENT ON COLUMN webhook.state IS 'active; paused (by the owner, or after three days of failure); disabled (the receiver said 410).';
COMMENT ON COLUMN webhook.reason IS 'Why it is not active: owner, failing or gone.';
COMMENT ON COLUMN webhook.epoch IS 'The history of the database that cursor counts in; empty before the first turn.';
COMMENT ON COLUMN webhook.cursor IS 'All changes up to this revision were delivered, or were none of its business.';
COMMENT ON COLUMN webhook.attempts IS 'Tries that failed since the last success.';
COMMENT ON COLUMN webhook.failing_since IS 'When the first of those failed.';
COMMENT ON COLUMN webhook.next_attempt_at IS 'Not to be called before.';
COMMENT ON COLUMN webhook.claim IS 'Names the turn of the process that delivers just now.';
COMMENT ON COLUMN webhook.claimed_until IS 'From then on another process may take over: the one that had it is gone.';
COMMENT ON COLUMN webhook.tested_at IS 'Last test that the owner asked for.';
COMMENT ON COLUMN webhook.note_at IS 'From then on the owner is to be written to, because it was stopped; null: nothing to write.';
COMMENT ON COLUMN webhook.created_at IS 'When it was made.';
COMMENT ON COLUMN webhook.updated_at IS 'When its state last changed.';
CREATE INDEX webhook_of_provider ON webhook (provider_id);

CREATE TABLE webhook_secret (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id text NOT NULL REFERENCES webhook ON DELETE CASCADE,
    salt       bytea NOT NULL,
    expires_at timestamptz
);
COMMENT ON TABLE webhook_secret IS 'What signatures are made with. Only salts are stored: the secrets are derived from them and the secret key of the deployment, which is in the table deployment if it is not set.';
COMMENT ON COLUMN webhook_secret.id IS 'Internal number, ascending with age.';
COMMENT ON COLUMN webhook_secret.webhook_id IS 'The webhook.';
COMMENT ON COLUMN webhook_secret.salt IS 'Random; makes this secret another than all before.';
COMMENT ON COLUMN webhook_secret.expires_at IS 'Until then it signs beside its successor; null for the newest.';
CREATE INDEX webhook_secret_of ON webhook_secret (webhook_id);

CREATE TABLE webhook_home (
    webhook_id text NOT NULL REFERENCES webhook ON DELETE CASCADE,
    home_id    text NOT NULL,
    PRIMARY KEY (webhook_id, home_id)
);
COMMENT ON TABLE webhook_home IS 'Homes that a receiver has on its list: only of those must it be told that they are gone.';
COMMENT ON COLUMN webhook_home.webhook_id IS 'The webhook.';
COMMENT ON COLUMN webhook_home.home_id IS 'The home; no foreign key, it may be missing after a restore.';

CREATE TABLE webhook_delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id  text NOT NULL REFERENCES webhook ON DELETE CASCADE,
    message_id  text NOT NULL,
    event       text NOT NULL,
    home_id     text,
    revision    bigint,
    attempt     integer NOT NULL,
    sent_at     timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    outcome     text NOT NULL,
    status      integer
);
COMMENT ON TABLE webhook_delivery IS 'Every try of the last 30 days, at most 1,000 of a webhook. What receivers answer beside the status is not kept.';
COMMENT ON COLUMN webhook_delivery.id IS 'Internal number, ascending with age.';
COMMENT ON COLUMN webhook_delivery.webhook_id IS 'The webhook.';
COMMENT ON COLUMN webhook_delivery.message_id IS 'The header webhook-id: the same for each try of the same state of a home.';
COMMENT ON COLUMN webhook_delivery.event IS 'listing.changed, listing.gone or ping.';
COMMENT ON COLUMN webhook_delivery.home_id IS 'The home, null for a ping.';
COMMENT ON COLUMN webhook_delivery.revision IS 'The state of the home that was sent, null for a ping.';
COMMENT ON COLUMN webhook_delivery.attempt IS 'Which try since the last success, from 1.';
COMMENT ON COLUMN webhook_delivery.sent_at IS 'When it was sent.';
COMMENT ON COLUMN webhook_delivery.duration_ms IS 'How long it took.';
COMMENT ON COLUMN webhook_delivery.outcome IS 'delivered, refused (not a 2xx), address, connection, tls or timeout.';
COMMENT ON COLUMN webhook_delivery.status IS 'HTTP status of the answer, null without one.';
CREATE INDEX webhook_delivery_of ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_age ON webhook_delivery (sent_at);
