-- People who report for homes: who they are, and what they may do; and by which way a report came.

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
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE staff IS 'People who report for homes. They have no password.';
COMMENT ON COLUMN staff.id IS 'Internal number.';
COMMENT ON COLUMN staff.email IS 'Their address, in small letters: who can read its mail is the person.';
COMMENT ON COLUMN staff.name IS 'How they want to be called; empty if unknown.';
COMMENT ON COLUMN staff.language IS 'Language of mails and pages, a code such as de or pl.';
COMMENT ON COLUMN staff.created_at IS 'When they were entered.';

CREATE TABLE membership (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id        bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    provider_id     bigint NOT NULL REFERENCES provider,
    home_id         text REFERENCES care_home,
    links_from      timestamptz NOT NULL DEFAULT date_trunc('second', now()),
    link_sent_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE membership IS 'What a person may do: report for one home (home staff), or for all homes of a provider (provider admin).';
COMMENT ON COLUMN membership.id IS 'Internal number; one-tap links name it.';
COMMENT ON COLUMN membership.staff_id IS 'The person.';
COMMENT ON COLUMN membership.provider_id IS 'The provider.';
COMMENT ON COLUMN membership.home_id IS 'The one home; null makes an admin of the provider.';
COMMENT ON COLUMN membership.links_from IS 'One-tap links that were made before are dead: moving it revokes them.';
COMMENT ON COLUMN membership.link_sent_at IS 'When a link was last sent because somebody with an expired one asked.';
COMMENT ON COLUMN membership.created_at IS 'Since when.';
CREATE UNIQUE INDEX membership_home ON membership (staff_id, provider_id, home_id)
    WHERE home_id IS NOT NULL;
CREATE UNIQUE INDEX membership_provider ON membership (staff_id, provider_id) WHERE home_id IS NULL;
CREATE INDEX membership_of_home ON membership (home_id);
CREATE INDEX membership_of_provider ON membership (provider_id) WHERE home_id IS NULL;

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
COMMENT ON COLUMN report.via IS 'The way it came: api, link (one tap) or operator.';
COMMENT ON COLUMN report.staff_id IS 'Who reported by link; no foreign key, as for homes and keys.';
COMMENT ON COLUMN report.amended IS 'An amendment: the members that changed, as they are now.';
COMMENT ON COLUMN report.observed_at IS 'When it was true at the home; null for an amendment of a home that has never reported.';
