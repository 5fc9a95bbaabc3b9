"""A region whose homes report: changes as they come from another worker of a deployment."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from vacancies.commands import Describe, Report
from vacancies.config import load_settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.feed import Announcement
from vacancies.geojson import encode_feature
from vacancies.models import CareForm, Listing, Point, Profile, Vacancy

BATCH = 500


@dataclass
class Region:
    """`announced` holds for each revision the listing, and the moment (`time.monotonic`) just
    before the news of its commit went to Redis."""

    deployment: Deployment
    homes: int
    announced: dict[int, tuple[float, Listing]] = field(default_factory=dict)
    _turn: count[int] = field(default_factory=count)

    def listen(self, news: Announcement) -> None:
        at = time.monotonic()
        for listing in news.listings or ():
            self.announced[listing.revision] = (at, listing)

    async def report(self) -> None:
        """The next home says something new."""
        turn = next(self._turn)
        line = Vacancy(care_form=CareForm.LONG_TERM, count=1 + turn // self.homes % 9)
        report = Report(home_id=f"h{turn % self.homes}", vacancies=(line,))
        settled = await self.deployment.writer.submit([report])
        if (error := settled.outcomes[0].error) is not None:
            raise error

    def payloads(self) -> dict[int, bytes]:
        """The bytes that a viewer of everything gets, by revision."""
        return {
            revision: encode_feature(listing).at(None)
            for revision, (_, listing) in self.announced.items()
        }


@asynccontextmanager
async def region(environ: dict[str, str], homes: int) -> AsyncIterator[Region]:
    """`homes` short homes h0, h1 … in the deployment of `environ`, made if need be."""
    async with open_deployment(load_settings(environ)) as deployment:
        provider = await deployment.pool.fetchval(
            "INSERT INTO provider (slug, name) VALUES ('bench', 'Bench')"
            " ON CONFLICT (slug) DO UPDATE SET name = excluded.name RETURNING id"
        )
        describe = [
            Describe(
                home_id=f"h{number}",
                provider_id=provider,
                provider="bench",
                profile=Profile(name=f"Haus {number}", point=_point(number)),
            )
            for number in range(homes)
        ]
        for start in range(0, homes, BATCH):
            await deployment.writer.submit(describe[start : start + BATCH])
        found = Region(deployment, homes)
        # First of all listeners: the next one sends the news on its way.
        deployment.listeners.insert(0, found.listen)
        yield found


def _point(number: int) -> Point:
    return Point(round(51 + number % 100 / 100, 2), round(8 + number // 100 / 100, 2))
