"""Places from a Nominatim or Photon service, here a stand-in on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vacancies.errors import AmbiguousPlace, UnknownPlace
from vacancies.geocoding import OfflineGeocoder, open_geocoder
from vacancies.models import Precision
from vacancies.online_geocoding import OnlineGeocoder

OFFLINE = OfflineGeocoder()
NOMINATIM_ADDRESS = {
    "lat": "51.9064",
    "lon": "8.3782",
    "display_name": "Berliner Straße 70, 33330 Gütersloh",
    "class": "place",
    "type": "house",
    "addresstype": "place",
}
ABROAD = {"lat": "48.2", "lon": "16.37", "display_name": "Wien, Österreich", "addresstype": "city"}


class Service:
    """A stand-in for Nominatim on loopback that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = [NOMINATIM_ADDRESS]
        self.status = 200
        self.headers: dict[str, str] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.query["q"])
        return web.json_response(self.answer, status=self.status, headers=self.headers)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def online(service: Service) -> AsyncIterator[OnlineGeocoder]:
    app = web.Application()
    app.router.add_get("/{path:.*}", service.handle)
    server = TestServer(app)
    await server.start_server()
    geocoder = OnlineGeocoder(str(server.make_url("/")), OFFLINE, timeout_seconds=2)
    yield geocoder
    await geocoder.aclose()
    await server.close()


async def test_online_address(online: OnlineGeocoder, service: Service) -> None:
    place = await online.find("Berliner Straße 70, 33330 Gütersloh")
    assert (place.latitude, place.precision) == (51.9064, Precision.ADDRESS)
    await online.find("Berliner  Straße 70, 33330 Gütersloh")
    assert service.asked == ["Berliner Straße 70, 33330 Gütersloh"]  # remembered


async def test_online_knows_towns_abroad(online: OnlineGeocoder, service: Service) -> None:
    service.answer = [ABROAD]
    place = await online.find("Wien")
    assert (place.label, place.precision) == ("Wien, Österreich", Precision.TOWN)
    assert await online.places("Wien") == [place]


async def test_postcodes_are_not_asked_online(online: OnlineGeocoder, service: Service) -> None:
    assert (await online.find("33330")).label == "33330 Gütersloh"
    assert (await online.find("51.9, 8.38")).precision is Precision.EXACT
    assert service.asked == []


async def test_ambiguous_towns_stay_so_online(online: OnlineGeocoder, service: Service) -> None:
    service.answer = [ABROAD]
    with pytest.raises(AmbiguousPlace):
        await online.find("Neuenkirchen")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {}),
        (429, {}),
        (200, {"error": "overloaded"}),
        (200, [{"lat": "x", "lon": "1", "display_name": ""}]),
        (200, [{"lat": "nan", "lon": "1", "display_name": ""}]),
        (200, "nonsense"),
        (200, None),
    ],
)
async def test_offline_stands_in(
    online: OnlineGeocoder,
    service: Service,
    status: int,
    answer: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.status, service.answer = status, answer
    assert (await online.find("Berliner Str. 70, 33330 Gütersloh")).label == "33330 Gütersloh"
    with pytest.raises(UnknownPlace):
        await online.find("Xyzzyhausen")
    assert "Berliner" not in "".join(capsys.readouterr())  # addresses are personal data


async def test_redirects_are_not_followed(online: OnlineGeocoder, service: Service) -> None:
    service.status, service.headers = 302, {"Location": "/elsewhere?q=x"}
    assert (await online.find("Berliner Str. 70, 33330 Gütersloh")).label == "33330 Gütersloh"
    assert len(service.asked) == 1


async def test_nobody_listens() -> None:
    geocoder = OnlineGeocoder("http://127.0.0.1:9/", OFFLINE, timeout_seconds=2)
    assert (await geocoder.find("Gütersloh")).label == "Gütersloh"
    await geocoder.aclose()


async def test_photon(service: Service) -> None:
    service.answer = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [8.3782, 51.9064]},
                "properties": {"name": "Haus", "city": "Gütersloh", "type": "house"},
            }
        ],
    }
    app = web.Application()
    app.router.add_get("/photon/api", service.handle)
    async with TestServer(app) as server:
        geocoder = OnlineGeocoder(str(server.make_url("/photon/api")), OFFLINE)
        place = await geocoder.find("Berliner Straße 70, Gütersloh")
        await geocoder.aclose()
    assert (place.longitude, place.precision) == (8.3782, Precision.ADDRESS)


async def test_the_public_nominatim_gets_no_addresses() -> None:
    """None of these may open a connection: they are answered, or unknown, offline."""
    geocoder = open_geocoder("https://nominatim.openstreetmap.org")
    assert (await geocoder.find("Berliner Straße 70, 33330 Gütersloh")).label == "33330 Gütersloh"
    assert [place.label for place in await geocoder.places("Güters")] == ["Gütersloh"]
    with pytest.raises(UnknownPlace):
        await geocoder.find("Xyzzyweg 5, Xyzzyhausen")
    assert isinstance(geocoder, OnlineGeocoder)
    assert geocoder._service is None
