-- How long places stay free after a report: what the history says, fitted once a day.

CREATE TABLE lasting_fit (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fitted_at timestamptz NOT NULL
);
COMMENT ON TABLE lasting_fit IS 'One row once the history was looked at: when. Web processes read the curves anew when it moves.';
COMMENT ON COLUMN lasting_fit.only_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN lasting_fit.fitted_at IS 'When the curves were fitted last.';

CREATE TABLE lasting_curve (
    care_form   text NOT NULL,
    size        text NOT NULL CHECK (size IN ('small', 'medium', 'large', 'unknown')),
    free_places smallint NOT NULL CHECK (free_places BETWEEN 1 AND 3),
    from_hours  double precision NOT NULL,
    until_hours double precision NOT NULL CHECK (until_hours > from_hours),
    share       double precision NOT NULL CHECK (share BETWEEN 0 AND 1),
    pairs       integer NOT NULL,
    homes       integer NOT NULL,
    expected    double precision,
    checked     integer NOT NULL,
    still_free  integer NOT NULL CHECK (still_free BETWEEN 0 AND checked),
    refusal     text,
    PRIMARY KEY (care_form, size, free_places, from_hours)
);
COMMENT ON TABLE lasting_curve IS 'Of the reports of such homes with so many free places: how many still had one after so many hours. Written whole by the daily fit.';
COMMENT ON COLUMN lasting_curve.care_form IS 'Care form of the places.';
COMMENT ON COLUMN lasting_curve.size IS 'Kind of home by licensed places: small (under 30), medium (under 80), large, or unknown.';
COMMENT ON COLUMN lasting_curve.free_places IS 'Free places that were reported: 1, 2, or 3 for three and more.';
COMMENT ON COLUMN lasting_curve.from_hours IS 'Age of the report from which on this holds.';
COMMENT ON COLUMN lasting_curve.until_hours IS 'Age of the report up to which it holds, this one excluded.';
COMMENT ON COLUMN lasting_curve.share IS 'Estimated share of homes that still have a place free.';
COMMENT ON COLUMN lasting_curve.pairs IS 'Pairs of reports on which the estimate rests.';
COMMENT ON COLUMN lasting_curve.homes IS 'Homes from which they come.';
COMMENT ON COLUMN lasting_curve.expected IS 'What a fit on the older part of the history foretold for the newer part; null if it could not.';
COMMENT ON COLUMN lasting_curve.checked IS 'Pairs of the newer part that were compared with that.';
COMMENT ON COLUMN lasting_curve.still_free IS 'How many of these still had a place free.';
COMMENT ON COLUMN lasting_curve.refusal IS 'Why no number is shown (few_pairs, few_homes, silent, uncalibrated); null: it is shown.';
