"""Homes where people live: clusters around the real towns of Germany, as large as these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vacancies.gazetteer import load_gazetteer

Floats = NDArray[np.float64]


def points_in_towns(count: int, seed: int) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of `count` points, more of them in larger towns.

    A town of 10,000 spreads over about 1 km, Berlin over 15; unknown sizes count as 500.
    """
    random = np.random.default_rng(seed)
    towns = load_gazetteer().towns
    people = np.array([town.population or 500 for town in towns], dtype=np.float64)
    chosen = random.choice(len(towns), size=count, p=people / people.sum())
    centres = np.array([(town.latitude, town.longitude) for town in towns])[chosen]
    north_km, east_km = random.normal(size=(2, count)) * (0.008 * np.sqrt(people[chosen]))
    latitudes = centres[:, 0] + north_km / 111.2
    longitudes = centres[:, 1] + east_km / (111.2 * np.cos(np.radians(centres[:, 0])))
    return latitudes, longitudes
