-- What callers found out about free places, by one tap after the phone call. It changes no listing.

CREATE TABLE call_feedback (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    home_id       text NOT NULL REFERENCES care_home ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('confirmed', 'taken', 'unsuitable')),
    care_form     text,
    revision      bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    network       bytea NOT NULL,
    claimed_until timestamptz,
    settled_at    timestamptz,
    outcome       text CHECK (outcome IN ('asked', 'dropped')),
    CHECK ((settled_at IS NULL) = (outcome IS NULL))
);
COMMENT ON TABLE call_feedback IS 'What callers say of a home''s free places. Rows live for 30 days.';
COMMENT ON COLUMN call_feedback.id IS 'Random: whoever knows it may take the feedback back for a minute.';
COMMENT ON COLUMN call_feedback.home_id IS 'The home that was called.';
COMMENT ON COLUMN call_feedback.kind IS 'confirmed (the place is free), taken (it is not), unsuitable (free, but not for this person).';
COMMENT ON COLUMN call_feedback.care_form IS 'Of which care form, if the home offers only one.';
COMMENT ON COLUMN call_feedback.revision IS 'The state of the listing that the caller had before them.';
COMMENT ON COLUMN call_feedback.at IS 'When it came.';
COMMENT ON COLUMN call_feedback.network IS 'From where, for limits: a hash under the salt of that day.';
COMMENT ON COLUMN call_feedback.claimed_until IS 'Until when a process works on it; then that process is taken for dead.';
COMMENT ON COLUMN call_feedback.settled_at IS 'When the home was asked, or it turned out that it need not be.';
COMMENT ON COLUMN call_feedback.outcome IS 'asked (by mail) or dropped (the home has reported, or nobody can be asked).';
CREATE INDEX call_feedback_of_home ON call_feedback (home_id, at);
CREATE INDEX call_feedback_of_network ON call_feedback (network);
CREATE INDEX call_feedback_waiting ON call_feedback (at) WHERE kind = 'taken' AND outcome IS NULL;
CREATE INDEX call_feedback_age ON call_feedback (at);

CREATE TABLE call_feedback_salt (
    day  date PRIMARY KEY,
    salt bytea NOT NULL
);
COMMENT ON TABLE call_feedback_salt IS 'What networks are hashed with, by day. Yesterday''s is deleted: from then on nobody can tell whose hash it was.';
COMMENT ON COLUMN call_feedback_salt.day IS 'The day (UTC).';
COMMENT ON COLUMN call_feedback_salt.salt IS '256 random bits.';
