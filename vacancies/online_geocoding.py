"""Places from a Nominatim or Photon service, through geopy, with the gazetteer behind it.

Postcodes and coordinates are answered offline. So is everything that the service does not
answer in time. What people ask for may be a patient's address: it is never logged, and the
public Nominatim is asked for unknown towns only, once a second, as its usage policy wants
(https://operations.osmfoundation.org/policies/nominatim/: no autocomplete).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from geopy.adapters import AioHTTPAdapter
from geopy.exc import GeopyError
from geopy.geocoders import Nominatim, Photon

from vacancies.errors import UnknownPlace
from vacancies.geocoding import OfflineGeocoder
from vacancies.models import Address, Precision
from vacancies.placenames import parse
from vacancies.places import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger()

PUBLIC_NOMINATIM = "nominatim.openstreetmap.org"
TIMEOUT_SECONDS = 4.0
USER_AGENT = "freiplatz (live vacancies of care homes)"
_REMEMBERED = 2_000
_MOST_WAITING = 5

# geopy takes answers apart unchecked: nonsense from the service surfaces as any of these.
_FAILURES = (
    *(GeopyError, aiohttp.ClientError, OSError, TimeoutError),
    *(ValueError, LookupError, TypeError, AttributeError),
)

# What Nominatim calls `addresstype` and Photon `type`.
_PRECISIONS = {
    Precision.POSTCODE: {"postcode", "postal_code"},
    Precision.TOWN: {
        *("city", "town", "village", "hamlet", "municipality", "suburb", "quarter"),
        *("neighbourhood", "borough", "city_district", "district", "locality"),
    },
    Precision.REGION: {"county", "state", "country", "region", "state_district", "province"},
}


class _NoRedirects(AioHTTPAdapter):  # type: ignore[misc]  # geopy has no types
    """The operator chose a host: an answer that sends us to another is a failure."""

    @asynccontextmanager
    async def _request(
        self,
        url: str,
        *,
        timeout: float,
        headers: dict[str, str],
    ) -> AsyncIterator[Any]:
        async with self.session.get(
            url,
            timeout=aiohttp.ClientTimeout(total=timeout),
            headers=headers,
            allow_redirects=False,
        ) as response:
            if response.status >= 300:
                raise GeopyError(f"status {response.status}")
            yield response


class OnlineGeocoder:
    """Asks the service at `address`; one object per process, for one event loop."""

    def __init__(
        self, address: str, offline: OfflineGeocoder, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        parts = urlsplit(address)
        path = parts.path.strip("/")
        self._is_photon = "photon" in f"{parts.hostname}/{path}".lower() or (
            path.split("/")[-1] == "api"
        )
        self._is_public = (parts.hostname or "").lower() == PUBLIC_NOMINATIM
        self._domain = "/".join(piece for piece in (parts.netloc, _without_endpoint(path)) if piece)
        self._scheme = parts.scheme
        self._timeout_seconds = timeout_seconds
        self._offline = offline
        self._service: Any = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._asked_at = float("-inf")
        self._known: OrderedDict[tuple[str, int], list[Place]] = OrderedDict()

    async def aclose(self) -> None:
        if self._service is not None:
            await self._service.adapter.session.close()
            self._service = None

    def locate(self, address: Address) -> Place | None:
        """Offline, as imports have thousands of rows."""
        return self._offline.locate(address)

    def suggest(self, q: str, limit: int = 8) -> list[Place]:
        """Offline: whoever types tells nobody else."""
        return self._offline.suggest(q, limit)

    def prepare(self) -> None:
        self._offline.prepare()

    async def places(self, q: str, limit: int = 10) -> list[Place]:
        offline = await self._offline.places(q, limit)
        if _is_plain(q) or self._is_public:
            return offline
        return await self._ask(q, limit) or offline

    async def find(self, q: str) -> Place:
        """The service for addresses, and for towns that the gazetteer lacks; so a name that
        stands for several places stays ambiguous even if the service would choose one."""
        if _is_plain(q):
            return await self._offline.find(q)
        found = [] if self._is_public else await self._ask(q, 1)
        if found and found[0].precision is Precision.ADDRESS:
            return found[0]
        try:
            return await self._offline.find(q)
        except UnknownPlace:
            if self._is_public and not any(character.isdigit() for character in q):
                found = await self._ask(q, 1)
            if not found:
                raise
            return found[0]

    async def _ask(self, q: str, limit: int) -> list[Place]:
        """The service's answer, remembered; [] when it has none or does not answer."""
        key = (" ".join(q.split())[:200], limit)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if self._waiting >= _MOST_WAITING and self._is_public:
            return []
        self._waiting += 1
        try:
            found = await self._in_turn(*key) if self._is_public else await self._fetch(*key)
        except _FAILURES as error:
            log.warning("geocoder does not answer", error=type(error).__name__)
            return []
        finally:
            self._waiting -= 1
        self._known[key] = found
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def _in_turn(self, q: str, limit: int) -> list[Place]:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._asked_at + 1 - monotonic()))
            self._asked_at = monotonic()
            return await self._fetch(q, limit)

    async def _fetch(self, q: str, limit: int) -> list[Place]:
        if self._service is None:
            service = Photon if self._is_photon else Nominatim
            self._service = service(
                domain=self._domain,
                scheme=self._scheme,
                timeout=self._timeout_seconds,
                user_agent=USER_AGENT,
                adapter_factory=_NoRedirects,
            )
        language = {} if self._is_photon else {"language": "de"}
        found = await self._service.geocode(q, exactly_one=False, limit=limit, **language)
        return [_place(location) for location in found or []]


def _without_endpoint(path: str) -> str:
    """The path before the endpoint, which geopy adds itself."""
    pieces = path.split("/")
    return "/".join(pieces[:-1] if pieces[-1] in ("api", "search") else pieces)


def _is_plain(q: str) -> bool:
    """A postcode alone or coordinates: the gazetteer knows these as well as anybody."""
    wish = parse(q)
    return wish.point is not None or (wish.postcode is not None and not wish.town)


def _place(location: Any) -> Place:
    raw = location.raw
    details = raw.get("properties", raw)
    kind = details.get("addresstype") or details.get("type") or ""
    precision = next(
        (level for level, kinds in _PRECISIONS.items() if kind in kinds), Precision.ADDRESS
    )
    if details.get("class") == "boundary" and kind == "administrative":
        precision = Precision.TOWN
    label = str(location.address)[:300]
    return Place(label, float(location.latitude), float(location.longitude), precision)
