-- Homes are asked to report, by mail or by a printed letter; and municipalities leave.

CREATE TABLE home_letter (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id      text NOT NULL REFERENCES care_home ON DELETE CASCADE,
    municipality text NOT NULL REFERENCES municipality ON DELETE CASCADE,
    code_hash    bytea NOT NULL UNIQUE,
    created_by   bigint REFERENCES staff ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    accepted_at  timestamptz
);
COMMENT ON TABLE home_letter IS 'Letters that a desk has printed: whoever holds one may let itself be invited to report for the home. The newest of a home counts.';
COMMENT ON COLUMN home_letter.id IS 'Internal number.';
COMMENT ON COLUMN home_letter.home_id IS 'To which home it was sent.';
COMMENT ON COLUMN home_letter.municipality IS 'Whose desk has printed it.';
COMMENT ON COLUMN home_letter.code_hash IS 'HMAC of the code in the letter (80 random bits), which is stored nowhere.';
COMMENT ON COLUMN home_letter.created_by IS 'Who has printed it: it is good as long as the person works at the desk of the home.';
COMMENT ON COLUMN home_letter.created_at IS 'When.';
COMMENT ON COLUMN home_letter.expires_at IS 'From when on it opens nothing; now, if it was revoked.';
COMMENT ON COLUMN home_letter.accepted_at IS 'When somebody who was invited through it has accepted; from then on it is void.';
CREATE INDEX home_letter_of ON home_letter (home_id, id);

CREATE TABLE home_invitation (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    home_id       text NOT NULL REFERENCES care_home ON DELETE CASCADE,
    municipality  text NOT NULL REFERENCES municipality ON DELETE CASCADE,
    email         text NOT NULL,
    letter_id     bigint REFERENCES home_letter ON DELETE SET NULL,
    invited_by    bigint REFERENCES staff ON DELETE SET NULL,
    asked_at      timestamptz NOT NULL DEFAULT now(),
    tries         smallint NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    sent_at       timestamptz,
    failure       text CHECK (failure IN ('address', 'often', 'refused', 'away', 'void')),
    signin        bytea,
    withdrawn_at  timestamptz,
    accepted_at   timestamptz,
    CHECK (sent_at IS NULL OR failure IS NULL)
);
COMMENT ON TABLE home_invitation IS 'Invitations to report for a home that a desk, or who holds its letter, has asked for: what is to be sent, and what became of it.';
COMMENT ON COLUMN home_invitation.id IS 'Internal number, in the order in which they were asked for.';
COMMENT ON COLUMN home_invitation.home_id IS 'For which home.';
COMMENT ON COLUMN home_invitation.municipality IS 'Whose desk invites.';
COMMENT ON COLUMN home_invitation.email IS 'To whom: the address of the home, or one that was entered by whoever holds the letter.';
COMMENT ON COLUMN home_invitation.letter_id IS 'Through which letter; null: by mail from the desk.';
COMMENT ON COLUMN home_invitation.invited_by IS 'On whose authority: who has asked for it, or printed the letter.';
COMMENT ON COLUMN home_invitation.asked_at IS 'When it was asked for.';
COMMENT ON COLUMN home_invitation.tries IS 'How often handing it over was begun.';
COMMENT ON COLUMN home_invitation.claimed_until IS 'Whoever claimed it has so long for it; before that nobody else tries.';
COMMENT ON COLUMN home_invitation.sent_at IS 'When the mail server took it.';
COMMENT ON COLUMN home_invitation.failure IS 'Why it was not sent: no address that can be, too much mail today, refused by the mail server, mail server away, or who invites may not any more.';
COMMENT ON COLUMN home_invitation.signin IS 'Hash of its link (signin.hash).';
COMMENT ON COLUMN home_invitation.withdrawn_at IS 'When a desk has taken it back.';
COMMENT ON COLUMN home_invitation.accepted_at IS 'When it was accepted.';
CREATE INDEX home_invitation_of ON home_invitation (home_id, id);
CREATE INDEX home_invitation_waiting ON home_invitation (id)
    WHERE sent_at IS NULL AND failure IS NULL AND withdrawn_at IS NULL;
CREATE INDEX home_invitation_signin ON home_invitation (signin) WHERE accepted_at IS NULL;

CREATE TABLE departure (
    municipality text PRIMARY KEY REFERENCES municipality ON DELETE CASCADE,
    exported_at  timestamptz,
    asked_at     timestamptz,
    asked_by     bigint,
    CHECK (exported_at IS NOT NULL OR asked_at IS NOT NULL)
);
COMMENT ON TABLE departure IS 'How far a municipality is with leaving and taking its homes along. Goes with the municipality.';
COMMENT ON COLUMN departure.municipality IS 'Which.';
COMMENT ON COLUMN departure.exported_at IS 'When its data were last handed out, whole.';
COMMENT ON COLUMN departure.asked_at IS 'When somebody asked to delete them: from then on that is done, whoever is killed.';
COMMENT ON COLUMN departure.asked_by IS 'Who; null for the operator. No foreign key: the person goes too.';

CREATE FUNCTION works_for_home(person bigint, home text) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (
        SELECT FROM municipality_member w
        JOIN care_home h ON h.id = home AND starts_with(h.municipality, w.municipality)
        WHERE w.staff_id = person AND NOT EXISTS (
            SELECT FROM municipality p WHERE p.key <> w.municipality
            AND starts_with(p.key, w.municipality) AND starts_with(h.municipality, p.key)));
COMMENT ON FUNCTION works_for_home(bigint, text) IS 'Whether a person works at the desk whose home that is: of its municipality, or of one around it if that takes no part itself.';

ALTER TABLE home_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON home_letter FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
CREATE POLICY desk_prints ON home_letter FOR INSERT TO freiplatz_desk
    WITH CHECK (is_desk(municipality) AND home_id IN (SELECT id FROM care_home));
GRANT SELECT (id, home_id, municipality, created_by, created_at, expires_at, accepted_at),
    INSERT (home_id, municipality, code_hash, created_by, expires_at) ON home_letter TO freiplatz_desk;
ALTER TABLE home_invitation ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON home_invitation FOR SELECT TO freiplatz_desk
    USING (home_id IN (SELECT id FROM care_home));
CREATE POLICY desk_invites ON home_invitation FOR INSERT TO freiplatz_desk
    WITH CHECK (is_desk(municipality) AND home_id IN (SELECT id FROM care_home));
GRANT SELECT (id, home_id, municipality, email, letter_id, invited_by, asked_at, tries, sent_at,
        failure, withdrawn_at, accepted_at),
    INSERT (home_id, municipality, email, invited_by) ON home_invitation TO freiplatz_desk;
ALTER TABLE departure ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON departure FOR SELECT TO freiplatz_desk USING (is_desk(municipality));
GRANT SELECT ON departure TO freiplatz_desk;
-- Offices that advise are public; a desk needs those that are entered for its area.
ALTER TABLE advice_office ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk_area ON advice_office FOR SELECT TO freiplatz_desk USING (in_desk_scope(area));
GRANT SELECT ON advice_office TO freiplatz_desk;
