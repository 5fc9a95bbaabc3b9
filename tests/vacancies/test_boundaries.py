"""In which area a point lies, and what of a provider's statement holds."""

from __future__ import annotations

import shapely
from hypothesis import given
from hypothesis import strategies as st

from vacancies.boundaries import GAP_DEGREES, Boundaries
from vacancies.models import Point

# A district of two towns side by side, with a gap between them that is no wider than usual.
WEST = shapely.box(8.0, 51.0, 8.5 - GAP_DEGREES / 2, 52.0)
EAST = shapely.box(8.5, 51.0, 9.0, 52.0)
DISTRICT = shapely.box(8.0, 51.0, 9.0, 52.0)
TOWNS = Boundaries(1, {"05754004": WEST, "05754008": EAST})
ALL = Boundaries(1, {"05754": DISTRICT, "05754004": WEST, "05754008": EAST})
IN_WEST, IN_EAST = Point(51.5, 8.2), Point(51.5, 8.7)


def test_the_smallest_area_around_a_point() -> None:
    assert ALL.key_at(IN_WEST) == "05754004"
    assert Boundaries(1, {"05754": DISTRICT}).key_at(IN_WEST) == "05754"
    assert Boundaries(1, {"05": DISTRICT.buffer(1), "05754": DISTRICT}).key_at(IN_WEST) == "05754"
    assert Boundaries(0, {}).key_at(IN_WEST) is None


def test_in_a_gap_the_nearer_one_counts_but_outside_is_outside() -> None:
    in_gap = GAP_DEGREES / 2
    assert TOWNS.key_at(Point(51.5, 8.5 - 0.1 * in_gap)) == "05754008"
    assert TOWNS.key_at(Point(51.5, 8.5 - 0.9 * in_gap)) == "05754004"
    assert TOWNS.key_at(Point(51.5, 9.0 + in_gap)) is None
    assert TOWNS.key_at(Point(52.0 + in_gap, 8.2)) is None


def test_the_position_wins_over_what_is_stated() -> None:
    assert TOWNS.assign(IN_WEST, None) == ("05754004", "position")
    assert TOWNS.assign(IN_WEST, "05754008") == ("05754004", "position")
    assert TOWNS.assign(IN_WEST, "05758012") == ("05754004", "position")


def test_a_finer_statement_holds_within_its_area() -> None:
    district = Boundaries(1, {"05754": DISTRICT})
    assert district.assign(IN_WEST, "05754008") == ("05754008", "position")
    assert district.assign(IN_WEST, "05758012") == ("05754", "position")


def test_a_finer_statement_does_not_hold_against_a_boundary_of_its_own() -> None:
    some = Boundaries(1, {"05754": DISTRICT, "05754008": EAST})
    assert some.assign(IN_WEST, "05754008") == ("05754", "position")
    assert some.assign(IN_WEST, "05754004") == ("05754004", "position")
    assert some.assign(IN_EAST, "05754004") == ("05754008", "position")


def test_outside_of_all_areas_a_statement_holds_unless_a_boundary_speaks_against_it() -> None:
    far = Point(48.0, 11.0)
    assert TOWNS.assign(far, "09162000") == ("09162000", None)
    assert TOWNS.assign(far, "05754008") == (None, None)
    assert Boundaries(1, {"05754": DISTRICT}).assign(far, "05754008") == (None, None)
    assert TOWNS.assign(far, "05754") == ("05754", None)
    assert TOWNS.assign(far, None) == (None, None)


@given(
    st.floats(50, 53),
    st.floats(7, 10),
    st.none() | st.from_regex(r"[0-9]{2,8}", fullmatch=True),
)
def test_nobody_gets_a_home_by_stating_it(latitude: float, longitude: float, stated: str) -> None:
    """Whoever has a boundary gets exactly the homes within it (and its gaps)."""
    point = Point(latitude, longitude)
    key, by = ALL.assign(point, stated)
    inside = DISTRICT.buffer(GAP_DEGREES).contains(shapely.Point(longitude, latitude))
    if key is not None and key.startswith("05754"):
        assert inside
        assert by == "position"
