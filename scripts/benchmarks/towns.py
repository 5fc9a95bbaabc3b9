"""Homes where people live: clusters around the real towns of Germany, as large as these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vacancies.gazetteer import load_gazetteer
from vacancies.models import CareForm, Point

Floats = NDArray[np.float64]

FORMS = (CareForm.LONG_TERM, CareForm.SHORT_TERM, CareForm.DAY)
FREE = 0.28


@dataclass
class Region:
    """Homes by number. `free` says which of `FORMS` a home has free, -1 for none; `asked` are
    points from which somebody searches."""

    latitudes: list[float]
    longitudes: list[float]
    free: list[int]
    asked: list[Point]


def made_up_region(homes: int, questions: int) -> Region:
    """Always the same for the same numbers."""
    random = np.random.default_rng(1)
    latitudes, longitudes = points_in_towns(homes, random)
    forms = random.integers(len(FORMS), size=homes)
    free = np.where(random.random(homes) < FREE, forms, -1)
    asked = zip(*(column.tolist() for column in points_in_towns(questions, random)), strict=True)
    return Region(
        latitudes.tolist(), longitudes.tolist(), free.tolist(), [Point(*point) for point in asked]
    )


def points_in_towns(count: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of `count` points, more of them in larger towns.

    A town of 10,000 spreads over about 1 km, Berlin over 15; unknown sizes count as 500.
    """
    towns = load_gazetteer().towns
    people = np.array([town.population or 500 for town in towns], dtype=np.float64)
    chosen = random.choice(len(towns), size=count, p=people / people.sum())
    centres = np.array([(town.latitude, town.longitude) for town in towns])[chosen]
    north_km, east_km = random.normal(size=(2, count)) * (0.008 * np.sqrt(people[chosen]))
    latitudes = centres[:, 0] + north_km / 111.2
    longitudes = centres[:, 1] + east_km / (111.2 * np.cos(np.radians(centres[:, 0])))
    return latitudes, longitudes
