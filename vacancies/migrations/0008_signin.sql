-- How people who report sign in, and the way by which their reports then come.

ALTER TABLE membership ADD COLUMN created_by bigint REFERENCES staff ON DELETE SET NULL;
COMMENT ON COLUMN membership.created_by IS 'Who invited the person, null for the operator.';

CREATE TABLE staff_session (
    hash       bytea PRIMARY KEY,
    staff_id   bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    device     text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE staff_session IS 'Who is signed in, and where. Deleting a row signs out.';
COMMENT ON COLUMN staff_session.hash IS 'SHA-256 of the cookie.';
COMMENT ON COLUMN staff_session.staff_id IS 'The person.';
COMMENT ON COLUMN staff_session.device IS 'Browser and system in words, so that the person recognises it.';
COMMENT ON COLUMN staff_session.created_at IS 'When they signed in.';
COMMENT ON COLUMN staff_session.seen_at IS 'Last use, to the hour.';
COMMENT ON COLUMN staff_session.expires_at IS 'From when it is void.';
CREATE INDEX staff_session_of ON staff_session (staff_id);

CREATE TABLE signin (
    hash        bytea PRIMARY KEY,
    email       text NOT NULL CHECK (email = lower(email)),
    browser     bytea,
    provider_id bigint REFERENCES provider,
    home_id     text REFERENCES care_home,
    invited_by  bigint REFERENCES staff ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
COMMENT ON TABLE signin IS 'Links sent by mail: to sign in (ten minutes, in the browser that asked), or to accept an invitation (a week, any browser). Each is good once.';
COMMENT ON COLUMN signin.hash IS 'SHA-256 of what the link holds.';
COMMENT ON COLUMN signin.email IS 'To whom it was sent.';
COMMENT ON COLUMN signin.browser IS 'SHA-256 of a cookie of the browser that asked; null for invitations.';
COMMENT ON COLUMN signin.provider_id IS 'An invitation: to report for this provider.';
COMMENT ON COLUMN signin.home_id IS 'An invitation: to report for this home only.';
COMMENT ON COLUMN signin.invited_by IS 'Who invites, null for the operator.';
COMMENT ON COLUMN signin.created_at IS 'When it was sent.';
COMMENT ON COLUMN signin.expires_at IS 'From when it is void.';
COMMENT ON COLUMN signin.used_at IS 'When it was redeemed.';
CREATE INDEX signin_age ON signin (expires_at);

CREATE TABLE passkey (
    credential_id bytea PRIMARY KEY,
    staff_id      bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    public_key    bytea NOT NULL,
    sign_count    bigint NOT NULL,
    label         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    used_at       timestamptz
);
COMMENT ON TABLE passkey IS 'Passkeys (WebAuthn), the quick way back in.';
COMMENT ON COLUMN passkey.credential_id IS 'What the device calls it.';
COMMENT ON COLUMN passkey.staff_id IS 'The person.';
COMMENT ON COLUMN passkey.public_key IS 'COSE public key.';
COMMENT ON COLUMN passkey.sign_count IS 'Last counter of the device; a lower one means a copy.';
COMMENT ON COLUMN passkey.label IS 'The device in words.';
COMMENT ON COLUMN passkey.created_at IS 'When it was made.';
COMMENT ON COLUMN passkey.used_at IS 'Last use.';
CREATE INDEX passkey_of ON passkey (staff_id);

ALTER TABLE report ADD CONSTRAINT report_via_check
    CHECK (via IN ('api', 'link', 'page', 'import', 'operator'));
COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap), page (signed in), import or operator.';
COMMENT ON COLUMN report.staff_id IS 'Who reported by link or page; no foreign key, as for homes and keys.';
