-- People who search are told by mail or push when a home begins to match.

CREATE TABLE alert (
    id                 text PRIMARY KEY,
    channel            text NOT NULL CHECK (channel IN ('mail', 'push')),
    reader             bytea NOT NULL,
    sealed             bytea NOT NULL,
    language           text NOT NULL,
    state              text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active')),
    quiet_from_minute  smallint NOT NULL CHECK (quiet_from_minute BETWEEN 0 AND 1439),
    quiet_until_minute smallint NOT NULL CHECK (quiet_until_minute BETWEEN 0 AND 1439),
    most_a_day         smallint NOT NULL CHECK (most_a_day BETWEEN 1 AND 20),
    created_at         timestamptz NOT NULL,
    confirmed_at       timestamptz,
    expires_at         timestamptz NOT NULL,
    is_matched         boolean NOT NULL DEFAULT false,
    due_at             timestamptz,
    renew_at           timestamptz,
    told_on            date,
    told_count         smallint NOT NULL DEFAULT 0,
    messages           integer NOT NULL DEFAULT 0,
    failures           smallint NOT NULL DEFAULT 0,
    claim              uuid,
    claimed_until      timestamptz,
    CHECK ((state = 'active') = (confirmed_at IS NOT NULL))
);
COMMENT ON TABLE alert IS 'Who wants to be told when a home begins to match a search. One that has ended is deleted.';
COMMENT ON COLUMN alert.id IS 'Opaque; its signed form is the token in links.';
COMMENT ON COLUMN alert.channel IS 'mail or push.';
COMMENT ON COLUMN alert.reader IS 'Keyed hash of the mail address or the push address: to count alerts of one reader.';
COMMENT ON COLUMN alert.sealed IS 'Search and address, encrypted (AES-GCM) with a key derived from the secret key: a search says things about somebody''s health.';
COMMENT ON COLUMN alert.language IS 'Of what is sent.';
COMMENT ON COLUMN alert.state IS 'pending until the reader has confirmed, then active.';
COMMENT ON COLUMN alert.quiet_from_minute IS 'Minute of the day in the region from which nothing is sent; the same as quiet_until_minute: no quiet hours.';
COMMENT ON COLUMN alert.quiet_until_minute IS 'Minute of the day from which messages are sent again.';
COMMENT ON COLUMN alert.most_a_day IS 'Messages a day; what is news beyond that comes in the first message of the next day.';
COMMENT ON COLUMN alert.created_at IS 'When it was asked for.';
COMMENT ON COLUMN alert.confirmed_at IS 'When the reader confirmed it.';
COMMENT ON COLUMN alert.expires_at IS 'From when it is deleted: a day after it was asked for, 90 days after it was confirmed or renewed.';
COMMENT ON COLUMN alert.is_matched IS 'Whether the homes that matched at the beginning were noted.';
COMMENT ON COLUMN alert.due_at IS 'When to send the next message; null: there is nothing to say.';
COMMENT ON COLUMN alert.renew_at IS 'When to ask whether it is still wanted; null: asked already, or not confirmed.';
COMMENT ON COLUMN alert.told_on IS 'Day in the region of the last message with news.';
COMMENT ON COLUMN alert.told_count IS 'Messages with news on that day.';
COMMENT ON COLUMN alert.messages IS 'Messages that were handed over: names the next one, so that the same is sent once.';
COMMENT ON COLUMN alert.failures IS 'Tries that failed since the last success.';
COMMENT ON COLUMN alert.claim IS 'Names the turn of the process that sends just now.';
COMMENT ON COLUMN alert.claimed_until IS 'From then on another process may take over: the one that had it is gone.';
CREATE INDEX alert_due ON alert (least(due_at, renew_at));
CREATE INDEX alert_reader ON alert (reader);
CREATE INDEX alert_new ON alert (id) WHERE NOT is_matched;
CREATE INDEX alert_over ON alert (expires_at);

CREATE TABLE alert_home (
    alert_id text NOT NULL REFERENCES alert ON DELETE CASCADE,
    home_id  text NOT NULL,
    is_news  boolean NOT NULL,
    PRIMARY KEY (alert_id, home_id)
);
COMMENT ON TABLE alert_home IS 'Homes that match an alert as of alert_matching.revision. One that matches no more is gone from here, and is news when it comes back.';
COMMENT ON COLUMN alert_home.alert_id IS 'The alert.';
COMMENT ON COLUMN alert_home.home_id IS 'The home; no foreign key, it may be missing after a restore.';
COMMENT ON COLUMN alert_home.is_news IS 'Whether the reader is still to be told.';
CREATE INDEX alert_home_of ON alert_home (home_id);

CREATE TABLE alert_matching (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch        text NOT NULL DEFAULT '',
    revision     bigint NOT NULL DEFAULT 0,
    matcher      uuid,
    turn         bigint NOT NULL DEFAULT 0,
    leased_until timestamptz
);
COMMENT ON TABLE alert_matching IS 'How far changes were matched with alerts, and by whom: one process at a time.';
COMMENT ON COLUMN alert_matching.only_row IS 'There is one row.';
COMMENT ON COLUMN alert_matching.epoch IS 'The history of the database that revision counts in; empty before the first round.';
COMMENT ON COLUMN alert_matching.revision IS 'All changes up to this one were matched.';
COMMENT ON COLUMN alert_matching.matcher IS 'The process that matches.';
COMMENT ON COLUMN alert_matching.turn IS 'Goes up with every round of whichever process: tells one whether it was the last.';
COMMENT ON COLUMN alert_matching.leased_until IS 'From then on another process may take over.';
INSERT INTO alert_matching DEFAULT VALUES;
