-- What municipalities plan by: the history, counted by day and month, and searches that found nothing.

CREATE TABLE home_past (
    home_id      text NOT NULL,
    from_day     date NOT NULL,
    municipality text NOT NULL,
    is_open      boolean NOT NULL,
    is_frozen    boolean NOT NULL DEFAULT false,
    capacity     jsonb NOT NULL,
    size         text NOT NULL CHECK (size IN ('small', 'medium', 'large', 'unknown')),
    fresh_hours  integer NOT NULL,
    ageing_hours integer NOT NULL,
    stop_reason  text,
    stop_until   date,
    PRIMARY KEY (home_id, from_day)
);
COMMENT ON TABLE home_past IS 'What a home was from a day on, until its next row: the history of reports does not say that.';
COMMENT ON COLUMN home_past.home_id IS 'The home; no foreign key, as in the history.';
COMMENT ON COLUMN home_past.from_day IS 'First day (Europe/Berlin) at whose end it was so.';
COMMENT ON COLUMN home_past.municipality IS 'Municipality key (AGS), empty while not assigned.';
COMMENT ON COLUMN home_past.is_open IS 'Whether it was neither closed nor merged.';
COMMENT ON COLUMN home_past.is_frozen IS 'Whether its reports were frozen, and counted for nothing.';
COMMENT ON COLUMN home_past.capacity IS 'Licensed places per care form.';
COMMENT ON COLUMN home_past.size IS 'By all its licensed places: small (under 30), medium (under 80), large, or unknown.';
COMMENT ON COLUMN home_past.fresh_hours IS 'How long its reports were fresh.';
COMMENT ON COLUMN home_past.ageing_hours IS 'From when on they were stale.';
COMMENT ON COLUMN home_past.stop_reason IS 'Reason of an admission stop, null without one.';
COMMENT ON COLUMN home_past.stop_until IS 'Last day of the stop, null until further notice.';

CREATE TABLE planning_head (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    since         date NOT NULL,
    until         date NOT NULL,
    recorded_from date NOT NULL,
    revision      bigint NOT NULL,
    looked_at     timestamptz NOT NULL
);
COMMENT ON TABLE planning_head IS 'One row once the history was looked at: how far it is counted.';
COMMENT ON COLUMN planning_head.only_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN planning_head.since IS 'The first day that is counted.';
COMMENT ON COLUMN planning_head.until IS 'The last one; of those between, planning_due names the ones that are not counted yet.';
COMMENT ON COLUMN planning_head.recorded_from IS 'From this day on home_past was written day by day; days before have what was known then.';
COMMENT ON COLUMN planning_head.revision IS 'Up to this revision the history was asked for reports that came late.';
COMMENT ON COLUMN planning_head.looked_at IS 'When that was.';

CREATE TABLE planning_due (
    day        date PRIMARY KEY,
    is_counted boolean NOT NULL
);
COMMENT ON TABLE planning_due IS 'Days that are to be counted, or counted again.';
COMMENT ON COLUMN planning_due.day IS 'The day.';
COMMENT ON COLUMN planning_due.is_counted IS 'Whether it was counted before, and something came late.';

CREATE TABLE planning_rollup (
    step         text NOT NULL CHECK (step IN ('day', 'month')),
    care_form    text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    first_day    date NOT NULL,
    size         text COLLATE "C" NOT NULL,
    homes        integer NOT NULL,
    told         integer NOT NULL,
    fresh        integer NOT NULL,
    current      integer NOT NULL,
    age_hours    integer NOT NULL,
    licensed     integer NOT NULL,
    counted      integer NOT NULL,
    taken        integer NOT NULL,
    free         integer NOT NULL,
    coming       integer NOT NULL,
    PRIMARY KEY (step, care_form, municipality, first_day, size)
);
-- The key is how pages read; this one is how days are counted again.
CREATE INDEX planning_rollup_day ON planning_rollup (first_day);
COMMENT ON TABLE planning_rollup IS 'Homes and places as they were at the end of each day (Europe/Berlin), by care form, municipality and size; months are the sums of their days.';
COMMENT ON COLUMN planning_rollup.step IS 'day or month.';
COMMENT ON COLUMN planning_rollup.care_form IS 'Care form; "all": every home once, with all its places.';
COMMENT ON COLUMN planning_rollup.municipality IS 'Municipality key (AGS) that the homes had then, empty while not assigned.';
COMMENT ON COLUMN planning_rollup.first_day IS 'The day, or the first one of the month.';
COMMENT ON COLUMN planning_rollup.size IS 'Size of the homes, as in home_past.';
COMMENT ON COLUMN planning_rollup.homes IS 'Open homes with this care form.';
COMMENT ON COLUMN planning_rollup.told IS 'Of those: that reported or confirmed on that day.';
COMMENT ON COLUMN planning_rollup.fresh IS 'Of those: whose last word was fresh.';
COMMENT ON COLUMN planning_rollup.current IS 'Of those: whose last word was fresh or ageing, not stale.';
COMMENT ON COLUMN planning_rollup.age_hours IS 'Sum of the ages of these words, whole hours each.';
COMMENT ON COLUMN planning_rollup.licensed IS 'Licensed places, as far as known.';
COMMENT ON COLUMN planning_rollup.counted IS 'Of those: of homes with a current word and without an admission stop.';
COMMENT ON COLUMN planning_rollup.taken IS 'Of the counted ones: not free.';
COMMENT ON COLUMN planning_rollup.free IS 'Free places, as the public sees them.';
COMMENT ON COLUMN planning_rollup.coming IS 'Places announced as free from a later day on.';

CREATE TABLE planning_stop (
    step         text NOT NULL CHECK (step IN ('day', 'month')),
    care_form    text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    first_day    date NOT NULL,
    size         text COLLATE "C" NOT NULL,
    reason       text NOT NULL,
    homes        integer NOT NULL,
    licensed     integer NOT NULL,
    PRIMARY KEY (step, care_form, municipality, first_day, size, reason)
);
CREATE INDEX planning_stop_day ON planning_stop (first_day);
COMMENT ON TABLE planning_stop IS 'Of the homes of planning_rollup those with an admission stop.';
COMMENT ON COLUMN planning_stop.step IS 'day or month.';
COMMENT ON COLUMN planning_stop.care_form IS 'As in planning_rollup.';
COMMENT ON COLUMN planning_stop.municipality IS 'As in planning_rollup.';
COMMENT ON COLUMN planning_stop.first_day IS 'As in planning_rollup.';
COMMENT ON COLUMN planning_stop.size IS 'As in planning_rollup.';
COMMENT ON COLUMN planning_stop.reason IS 'Why they take nobody.';
COMMENT ON COLUMN planning_stop.homes IS 'How many.';
COMMENT ON COLUMN planning_stop.licensed IS 'Their licensed places, as far as known.';

CREATE TABLE unmet_search (
    municipality text COLLATE "C" NOT NULL,
    care_form    text COLLATE "C" NOT NULL,
    day          date NOT NULL,
    searches     integer NOT NULL CHECK (searches > 0),
    PRIMARY KEY (municipality, care_form, day)
);
COMMENT ON TABLE unmet_search IS 'Searches that found no free place, counted: nothing of who asked or what was typed.';
COMMENT ON COLUMN unmet_search.municipality IS 'Municipality key (AGS) of the place that was asked for.';
COMMENT ON COLUMN unmet_search.care_form IS 'Care form that was asked for; "all": every search once.';
COMMENT ON COLUMN unmet_search.day IS 'Day (Europe/Berlin).';
COMMENT ON COLUMN unmet_search.searches IS 'How many.';

-- Days are read from a history of years. BRIN is a few pages in all, and costs a report next to nothing.
CREATE INDEX report_observed ON report USING brin (observed_at) WITH (pages_per_range = 32);
-- What was said before, and holds again: its time lies outside of the days that are read.
CREATE INDEX report_undo ON report (reported_at) WHERE kind = 'undo';

GRANT SELECT ON planning_head, planning_due, planning_rollup, planning_stop, unmet_search
    TO freiplatz_desk;
-- How far is counted is the same for all desks.
ALTER TABLE planning_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON planning_head FOR SELECT TO freiplatz_desk USING (desk_key() IS NOT NULL);
ALTER TABLE planning_due ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON planning_due FOR SELECT TO freiplatz_desk USING (desk_key() IS NOT NULL);
-- As in_desk_scope() has it; the key is looked up once and not for every row: there are many.
ALTER TABLE planning_rollup ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON planning_rollup FOR SELECT TO freiplatz_desk
    USING (starts_with(municipality, (SELECT desk_key())));
ALTER TABLE planning_stop ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON planning_stop FOR SELECT TO freiplatz_desk
    USING (starts_with(municipality, (SELECT desk_key())));
ALTER TABLE unmet_search ENABLE ROW LEVEL SECURITY;
CREATE POLICY desk ON unmet_search FOR SELECT TO freiplatz_desk
    USING (starts_with(municipality, (SELECT desk_key())));
