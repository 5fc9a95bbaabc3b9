-- New homes may wait for their municipality, and it says from which size on details are public.

ALTER TABLE care_home
    ADD COLUMN detail_places integer NOT NULL DEFAULT 30,
    DROP CONSTRAINT care_home_standing_check,
    ADD CONSTRAINT care_home_standing_check
        CHECK (standing IN ('normal', 'frozen', 'declined', 'waiting', 'refused'));
COMMENT ON COLUMN care_home.detail_places IS 'With fewer licensed places the public sees how many are free, and not for whom: as the policy of its municipality was when the home was last judged.';
COMMENT ON COLUMN care_home.standing IS 'normal; frozen: its reports are false, they are kept and not shown; declined: it does not report here and is not reminded; waiting: it is new, and its municipality has not approved it; refused: nor will it. Nobody else sees these two.';

ALTER TABLE reporting_policy
    ADD COLUMN detail_places integer NOT NULL DEFAULT 30 CHECK (detail_places BETWEEN 0 AND 1000),
    ADD COLUMN approve_new boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN reporting_policy.detail_places IS 'Of homes with fewer licensed places the public sees how many are free, and not for whom.';
COMMENT ON COLUMN reporting_policy.approve_new IS 'Whether new homes of providers are shown only when the desk has approved them.';
