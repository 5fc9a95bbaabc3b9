"""How likely a place is still free some hours after the report: pure, no I/O.

**The question.** A home has said that `n` places of a care form are free, and nothing since. What
is the chance that at least one of them can still be had at this age of the report? (A place that
went may have been followed by another: who calls does not mind.)

**The data.** Two statements of one home that follow each other are a pair: a gap in hours, and
whether at the second at least one place was still free. What happened between is unknown: these
are *current status data*, and the estimate that assumes no more than that the chance never grows
with age is isotonic regression (Ayer et al. 1955, Ann. Math. Statist. 26:641; Groeneboom and
Wellner 1992, Information Bounds and Nonparametric Maximum Likelihood Estimation). Here it is
taken over bins of age (`EDGES_HOURS`), so that each figure can be told as a count.

**Reporting is not blind.** A home may report *because* a place went. Such a report ends a gap
before its time, and says more of places that go than a reader meets, who looks while nothing was
reported. So only pairs count whose second statement was *due*: at about the usual gap of that
home (its median). They are what a reader at that age would have found. A home may also keep
silent because it is full; then the second statement comes late or never. Nobody can know what
was in between, so where that is frequent no number is shown, whatever the count of places: it is
a habit of homes (`MAX_SILENT`).

**Little data** is drawn towards the groups it is part of (all sizes; all sizes and counts), as if
`PRIOR_PAIRS` of theirs had been seen here too.

**Trust.** A fit on the older part of the history foretells the newer part, which it has not seen.
A figure is shown only if the whole 95 % interval (Wilson 1927, JASA 22:209) of the share that was
then observed lies within `LIMIT` of what was foretold: wide intervals (little data) and wrong
figures fail alike. The newest weeks alone must not speak against it, in one group or (by more
than `TURN`) in a care form as a whole: so a market that turns is noticed. What is shown is then
fitted on all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Literal, NamedTuple

from vacancies.models import SMALL_HOME_PLACES

Size = Literal["small", "medium", "large", "unknown"]
Part = Literal["older", "between", "newer", "newest"]
Timing = Literal["early", "due", "late", "lapsed"]
Refusal = Literal["few_pairs", "few_homes", "silent", "uncalibrated"]

LARGE_FROM_PLACES = 80
MOST_PLACES = 3  # three and more are one class
# Ages of a report: a bin around each day, since most homes report at the same time of day.
EDGES_HOURS = (0, 4, 8, 12, 20, 28, 44, 52, 68, 76, 100, 124, 148, 172, 196, 244, 292, 340)
PRIOR_PAIRS = 20.0
MIN_PAIRS = 100
MIN_HOMES = 10
MAX_SILENT = 0.04
LIMIT = 0.10
TURN = 0.04
WILSON_Z = 1.96
SURE_Z = 2.58  # 99 %: every day anew it is asked whether the newest weeks disagree


class Cell(NamedTuple):
    """Pairs of one group, age and timing, counted. `part` of the history in which they lie."""

    care_form: str
    size: Size
    free_places: int
    part: Part
    timing: Timing
    bin: int
    pairs: int
    still_free: int
    homes: int


class Group(NamedTuple):
    care_form: str
    size: Size
    free_places: int


class Step(NamedTuple):
    """One step of the curve of a group: the columns of `lasting_curve`."""

    care_form: str
    size: Size
    free_places: int
    from_hours: float
    until_hours: float
    share: float
    pairs: int
    homes: int
    expected: float | None
    checked: int
    still_free: int
    refusal: Refusal | None


class Count(NamedTuple):
    pairs: int = 0
    still_free: int = 0
    homes: int = 0


Counts = dict[int, Count]  # by bin


class Chance(NamedTuple):
    """`share` of such homes still have a place. `at_least`: it is the share of a later age, as
    there are no pairs for this one. The answer holds until the report is `until_hours` old."""

    share: float
    at_least: bool
    until_hours: float


def size_of(licensed: int) -> Size:
    """The kind of home by its licensed places; 0 is unknown."""
    if licensed <= 0:
        return "unknown"
    if licensed < SMALL_HOME_PLACES:
        return "small"
    return "medium" if licensed < LARGE_FROM_PLACES else "large"


def wilson(still_free: int, pairs: int, z: float = WILSON_Z) -> tuple[float, float]:
    """The interval of a share of which `still_free` of `pairs` were seen."""
    if pairs == 0:
        return 0.0, 1.0
    share, z2 = still_free / pairs, z * z / pairs
    middle = (share + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * sqrt(share * (1 - share) / pairs + z2 / (4 * pairs))
    return max(0.0, middle - half), min(1.0, middle + half)


def falling(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The never growing sequence that is nearest to `values` by weighted squares: neighbours
    that would grow share their mean (pool adjacent violators). Weights are above 0."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        length = 1
        while blocks and blocks[-1][0] < value:
            mean, before, many = blocks.pop()
            value = (mean * before + value * weight) / (before + weight)
            weight, length = before + weight, length + many
        blocks.append((value, weight, length))
    return [mean for mean, _, length in blocks for _ in range(length)]


def curve(counts: Counts, prior: Mapping[int, float]) -> dict[int, float]:
    """Share still free by bin, for the bins of `counts`, drawn towards `prior` where that knows
    the bin."""
    bins = sorted(number for number, count in counts.items() if count.pairs > 0)
    values, weights = [], []
    for number in bins:
        count = counts[number]
        drawn = PRIOR_PAIRS if number in prior else 0.0
        weights.append(count.pairs + drawn)
        values.append((count.still_free + drawn * prior.get(number, 0.0)) / weights[-1])
    return dict(zip(bins, falling(values, weights), strict=True))


def fit(cells: Iterable[Cell]) -> list[Step]:
    """The steps of all groups, shown and refused ones, in order."""
    cells = list(cells)
    due = [cell for cell in cells if cell.timing == "due"]
    everything = _counts(due)
    whole = _curves(everything)
    foretold = _curves(_counts(cell for cell in due if cell.part == "older"))
    newer = _counts(cell for cell in due if cell.part in ("newer", "newest"))
    newest = _counts(cell for cell in due if cell.part == "newest")
    silent, turned = _silent_kinds(cells), _turned_forms(foretold, newest)
    steps = []
    for group in sorted(everything):
        for number, share in sorted(whole[group].items()):
            count = everything[group][number]
            seen = newer.get(group, {}).get(number, Count())
            last = newest.get(group, {}).get(number, Count())
            expected = foretold.get(group, {}).get(number)
            refusal: Refusal | None = _refusal(count, seen, last, expected)
            if group.care_form in turned:
                refusal = "uncalibrated"
            if (group.care_form, group.size) in silent:
                refusal = "silent"
            steps.append(
                Step(
                    *group,
                    from_hours=EDGES_HOURS[number],
                    until_hours=EDGES_HOURS[number + 1],
                    share=share,
                    pairs=count.pairs,
                    homes=count.homes,
                    expected=expected,
                    checked=seen.pairs,
                    still_free=seen.still_free,
                    refusal=refusal,
                )
            )
    return steps


def _refusal(count: Count, seen: Count, newest: Count, expected: float | None) -> Refusal | None:
    if expected is None or count.pairs < MIN_PAIRS:
        return "few_pairs"
    if count.homes < MIN_HOMES:
        return "few_homes"
    low, high = wilson(seen.still_free, seen.pairs)
    last_low, last_high = wilson(newest.still_free, newest.pairs, SURE_Z)
    if not last_low <= expected <= last_high:
        return "uncalibrated"
    if expected - LIMIT <= low and high <= expected + LIMIT:
        return None
    # Could the foretold be right after all? Then there is too little to tell.
    return "few_pairs" if low <= expected <= high else "uncalibrated"


def _counts(cells: Iterable[Cell]) -> dict[Group, Counts]:
    found: dict[Group, Counts] = defaultdict(dict)
    for cell in cells:
        if cell.bin + 1 < len(EDGES_HOURS):  # older than that is no age of a report that counts
            counts = found[Group(*cell[:3])]
            counts[cell.bin] = _added(counts.get(cell.bin, Count()), cell)
    return found


def _added(count: Count, more: Cell | Count) -> Count:
    """Homes may be the same ones in both: at least so many."""
    return Count(
        count.pairs + more.pairs,
        count.still_free + more.still_free,
        max(count.homes, more.homes),
    )


def _curves(groups: dict[Group, Counts]) -> dict[Group, dict[int, float]]:
    """Each group's curve, drawn towards that of all sizes, and that towards all counts."""
    forms: dict[str, Counts] = defaultdict(dict)
    classes: dict[tuple[str, int], Counts] = defaultdict(dict)
    for group, counts in groups.items():
        for wider in (forms[group.care_form], classes[group.care_form, group.free_places]):
            for number, count in counts.items():
                wider[number] = _added(wider.get(number, Count()), count)
    of_form = {form: curve(counts, {}) for form, counts in forms.items()}
    of_class = {key: curve(counts, of_form[key[0]]) for key, counts in classes.items()}
    return {
        group: curve(counts, of_class[group.care_form, group.free_places])
        for group, counts in groups.items()
    }


def _silent_kinds(cells: Iterable[Cell]) -> set[tuple[str, Size]]:
    """Care forms and sizes in which, for some count of places, too often nothing came when it
    was due."""
    waited: dict[Group, int] = defaultdict(int)
    silent: dict[Group, int] = defaultdict(int)
    for cell in cells:
        if cell.timing != "early":
            group = Group(*cell[:3])
            waited[group] += cell.pairs
            silent[group] += cell.pairs * (cell.timing != "due")
    return {
        (group.care_form, group.size)
        for group, pairs in waited.items()
        if silent[group] > MAX_SILENT * max(pairs, MIN_PAIRS)
    }


def _turned_forms(
    foretold: Mapping[Group, Mapping[int, float]], newest: Mapping[Group, Counts]
) -> set[str]:
    """Care forms in which the newest weeks, all groups together, are not as foretold."""
    pairs: dict[str, int] = defaultdict(int)
    seen: dict[str, float] = defaultdict(float)
    expected: dict[str, float] = defaultdict(float)
    for group, counts in newest.items():
        for number, count in counts.items():
            share = foretold.get(group, {}).get(number)
            if share is not None:
                pairs[group.care_form] += count.pairs
                seen[group.care_form] += count.still_free
                expected[group.care_form] += share * count.pairs
    return {
        form
        for form, many in pairs.items()
        if many >= MIN_PAIRS and abs(seen[form] - expected[form]) > TURN * many
    }


class Curves:
    """What may be shown, of all groups."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._steps: dict[Group, list[Step]] = defaultdict(list)
        for step in sorted(steps):
            self._steps[Group(*step[:3])].append(step)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def chance(self, care_form: str, size: Size, places: int, age_hours: float) -> Chance | None:
        """For a home that reported `places` (1 or more) of a care form `age_hours` ago; None
        where no number can be trusted."""
        group = Group(care_form, size, min(places, MOST_PLACES))
        steps = self._steps.get(group, [])
        first = bisect_right([step.until_hours for step in steps], max(0.0, age_hours))
        for step in steps[first:]:
            if step.refusal is None:
                is_bound = age_hours < step.from_hours
                until_hours = step.from_hours if is_bound else step.until_hours
                return Chance(step.share, is_bound, until_hours)
            if step.refusal != "few_pairs":
                break
        return None
