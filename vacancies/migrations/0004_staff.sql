-- People who report for homes: who they are, what they may do, how they sign in; and by which way
-- a report came.

ALTER TABLE deployment ADD COLUMN secret text NOT NULL
    DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
COMMENT ON COLUMN deployment.secret IS 'Signs links while FREIPLATZ_SECRET_KEY is not set: the same for all processes, and it outlives them.';

ALTER TABLE care_home
    ADD COLUMN contact_person text,
    ADD COLUMN contact_hours text;
COMMENT ON COLUMN care_home.contact_person IS 'Whom to ask about admissions, public.';
COMMENT ON COLUMN care_home.contact_hours IS 'When that person can be reached, in the home''s own words, public.';

CREATE TABLE staff (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL UNIQUE CHECK (email = lower(email)),
    name       text NOT NULL DEFAULT '',
    language   text NOT NULL DEFAULT 'de',
    phone      text,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE staff IS 'People who report for homes. They have no password.';
COMMENT ON COLUMN staff.id IS 'Internal number.';
COMMENT ON COLUMN staff.email IS 'Their address, in small letters: who can read its mail is the person.';
COMMENT ON COLUMN staff.name IS 'How they want to be called; empty if unknown.';
COMMENT ON COLUMN staff.language IS 'Language of mails and pages, a code such as de or pl.';
COMMENT ON COLUMN staff.phone IS 'Number for reminders by SMS, null without.';
COMMENT ON COLUMN staff.created_at IS 'When they were entered.';

CREATE TABLE membership (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id        bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    provider_id     bigint NOT NULL REFERENCES provider,
    home_id         text REFERENCES care_home,
    wants_reminders boolean NOT NULL DEFAULT true,
    links_from      timestamptz NOT NULL DEFAULT date_trunc('second', now()),
    link_sent_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      bigint REFERENCES staff ON DELETE SET NULL
);
COMMENT ON TABLE membership IS 'What a person may do: report for one home (home staff), or for all homes of a provider and choose who reports (provider admin).';
COMMENT ON COLUMN membership.id IS 'Internal number; one-tap links name it.';
COMMENT ON COLUMN membership.staff_id IS 'The person.';
COMMENT ON COLUMN membership.provider_id IS 'The provider.';
COMMENT ON COLUMN membership.home_id IS 'The one home; null makes an admin of the provider.';
COMMENT ON COLUMN membership.wants_reminders IS 'Whether reminders go to this person.';
COMMENT ON COLUMN membership.links_from IS 'One-tap links that were made before are dead: moving it revokes them.';
COMMENT ON COLUMN membership.link_sent_at IS 'When a link was last sent because somebody with an expired one asked.';
COMMENT ON COLUMN membership.created_at IS 'Since when.';
COMMENT ON COLUMN membership.created_by IS 'Who gave it, null for the operator.';
CREATE UNIQUE INDEX membership_home ON membership (staff_id, provider_id, home_id)
    WHERE home_id IS NOT NULL;
CREATE UNIQUE INDEX membership_provider ON membership (staff_id, provider_id) WHERE home_id IS NULL;
CREATE INDEX membership_of_home ON membership (home_id);
CREATE INDEX membership_of_provider ON membership (provider_id) WHERE home_id IS NULL;

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

-- Pages remember calls too, not only keys. What is in there lives for a day: it starts anew.
DELETE FROM idempotency;
ALTER TABLE idempotency DROP COLUMN api_key_id, ADD COLUMN caller text NOT NULL;
ALTER TABLE idempotency ADD PRIMARY KEY (caller, path, key);
COMMENT ON COLUMN idempotency.caller IS 'Whose call: key:5 or staff:7.';

-- Who has said what, by which way. Homes see it; what a person has said stays when the person goes.
ALTER TABLE report
    ADD COLUMN via text NOT NULL DEFAULT 'api',
    ADD COLUMN staff_id bigint,
    ADD COLUMN amended json,
    DROP CONSTRAINT report_kind_check,
    ADD CONSTRAINT report_kind_check CHECK (kind IN ('report', 'confirmation', 'undo', 'amendment')),
    ALTER COLUMN observed_at DROP NOT NULL;
COMMENT ON COLUMN report.kind IS 'report (full set of lines), confirmation (still so), undo (back to what was said before), or amendment (admission stop, waiting list, contact and the like).';
COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap), page (signed in), import or operator.';
COMMENT ON COLUMN report.staff_id IS 'Who reported by link or page; no foreign key, as for homes and keys.';
COMMENT ON COLUMN report.amended IS 'An amendment: the members that changed, as they are now.';
COMMENT ON COLUMN report.observed_at IS 'When it was true at the home; null for an amendment of a home that has never reported.';
