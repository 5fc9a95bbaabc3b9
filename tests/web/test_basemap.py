"""A base map of one's own, from one file that the app serves."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tests.conftest import served
from tests.web.conftest import DESK, SEARCH, a_home, opened
from vacancies.config import Basemap, Settings
from web.basemap import LARGEST_RANGE_BYTES

MOST_ZOOM = 6
SAND = (0xE8, 0xDC, 0xB5)


def png(colour: tuple[int, int, int]) -> bytes:
    """A picture of 256 × 256 pixels of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    row = b"\x00" + bytes(colour) * 256
    header = struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * 256)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def field(number: int, data: bytes) -> bytes:
    """Of protocol buffers: a field that holds bytes."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def vector_tile() -> bytes:
    """A Mapbox vector tile, version 2, with the layer "earth" all over it."""

    def zigzag(value: int) -> bytes:
        value, encoded = (value << 1) ^ (value >> 31), b""
        while value > 127:
            encoded, value = encoded + bytes([value & 127 | 128]), value >> 7
        return encoded + bytes([value])

    corners = [(0, 0), (4096, 0), (0, 4096), (-4096, 0)]
    geometry = bytes([1 << 3 | 1]) + b"".join(map(zigzag, corners[0]))  # move there
    geometry += bytes([3 << 3 | 2]) + b"".join(zigzag(n) for corner in corners[1:] for n in corner)
    geometry += bytes([1 << 3 | 7])  # and close
    feature = field(2, b"\x00\x00") + bytes([3 << 3, 3]) + field(4, geometry)
    layer = (
        field(1, b"earth") + field(2, feature) + field(3, b"kind") + field(4, field(1, b"earth"))
    )
    return field(3, layer + bytes([5 << 3]) + b"\x80\x20" + bytes([15 << 3, 2]))


def archive(path: Path, kind: TileType, tile: bytes, attribution: str) -> Path:
    """The whole earth down to a small zoom, the same tile everywhere."""
    with path.open("wb") as file:
        writer: Any = Writer(file)  # type: ignore[no-untyped-call]
        for zoom in range(MOST_ZOOM + 1):
            side = range(2**zoom)
            for number in sorted(zxy_to_tileid(zoom, x, y) for x in side for y in side):
                writer.write_tile(number, tile)
        header: Any = {
            "tile_type": kind,
            "tile_compression": Compression.NONE,
            "min_zoom": 0,
            "max_zoom": MOST_ZOOM,
            "min_lon_e7": -1_800_000_000,
            "min_lat_e7": -850_000_000,
            "max_lon_e7": 1_800_000_000,
            "max_lat_e7": 850_000_000,
            "center_zoom": 0,
            "center_lon_e7": 0,
            "center_lat_e7": 0,
        }
        writer.finalize(header, {"attribution": attribution})
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    attribution = "<a href='https://osm.example' onclick='window.pwned=1'>© Leute & Co</a>"
    return archive(tmp_path / "a map.pmtiles", TileType.PNG, png(SAND), attribution)


async def test_ranges_of_the_file_are_served_and_nothing_else(
    settings: Settings, pictures: Path
) -> None:
    content = pictures.read_bytes()
    async with served(replace(settings, basemap=Basemap(file=pictures))) as service:

        async def ask(**headers: str) -> tuple[int, bytes, str]:
            address = f"{service.url}/basemap.pmtiles"
            async with service.client.get(address, headers=headers) as answer:
                return answer.status, await answer.read(), answer.headers.get("Content-Range", "")

        size = len(content)
        assert await ask(Range="bytes=0-126") == (206, content[:127], f"bytes 0-126/{size}")
        status, body, _ = await ask(Range=f"bytes=100-{size + 50}")
        assert (status, body) == (206, content[100:])
        assert (await ask(Range=f"bytes={size}-{size + 9}"))[0] == 416
        for wrong in ({}, {"Range": f"bytes=0-{LARGEST_RANGE_BYTES}"}, {"Range": "bytes=5-"}):
            assert (await ask(**wrong))[0] == 400
    async with (
        served(settings) as service,
        service.client.get(f"{service.url}/basemap.pmtiles") as answer,
    ):
        assert answer.status == 404


async def shown(page: Page) -> tuple[int, ...]:
    """The colour of the pixel under the middle of the map."""
    colour: list[int] = await page.evaluate(
        """() => {
          const map = document.querySelector("#map").getBoundingClientRect();
          const [x, y] = [map.left + map.width / 2, map.top + map.height / 2];
          const tiles = document.querySelectorAll("#map .leaflet-tile-pane :is(img, canvas)");
          const tile = [...tiles].find((each) => {
            const box = each.getBoundingClientRect();
            return box.left <= x && x < box.right && box.top <= y && y < box.bottom;
          });
          const copy = document.createElement("canvas");
          [copy.width, copy.height] = [1, 1];
          copy.getContext("2d").drawImage(tile, 0, 0, 1, 1);
          return [...copy.getContext("2d").getImageData(0, 0, 1, 1).data];
        }"""
    )
    return tuple(colour[:3])


@pytest.mark.browser
async def test_pictures_from_the_file(settings: Settings, pictures: Path, browser: Browser) -> None:
    async with served(replace(settings, basemap=Basemap(file=pictures))) as service:
        await a_home(service, "a", 1)
        async with opened(browser, service, SEARCH, DESK) as page:
            await expect(page.locator("#map .leaflet-tile-loaded").first).to_be_visible()
            assert await shown(page) == SAND
            said = page.locator(".leaflet-control-attribution")
            await expect(said).to_have_text("© Leute & Co")
            assert await said.locator("a").count() == 0
            await expect(page.locator("#map .mark")).to_have_count(1)
            assert await page.locator("#map .land").count() == 0


@pytest.mark.browser
async def test_vectors_from_the_file(settings: Settings, tmp_path: Path, browser: Browser) -> None:
    file = archive(tmp_path / "v.pmtiles", TileType.MVT, vector_tile(), "of the file")
    chosen = Basemap(file=file, attribution="© Stadt <b>Musterstadt</b>")
    async with served(replace(settings, basemap=chosen)) as service:
        await a_home(service, "a", 1)
        colours = {}
        for scheme in ("light", "dark"):
            async with opened(browser, service, SEARCH, DESK, color_scheme=scheme) as page:
                await expect(page.locator("#map canvas.leaflet-tile-loaded").first).to_be_visible()
                said = page.locator(".leaflet-control-attribution")
                await expect(said).to_have_text("© Stadt <b>Musterstadt</b>")
                await expect(page.locator("#map .mark")).to_have_count(1)
                colours[scheme] = await shown(page)
        assert min(colours["light"]) > 128 > max(colours["dark"]) > 0


@pytest.mark.browser
async def test_a_file_that_breaks_leaves_the_map_that_is_built_in(
    settings: Settings, tmp_path: Path, browser: Browser
) -> None:
    broken = tmp_path / "broken.pmtiles"
    broken.write_bytes(b"PMTiles\x03" + bytes(20))
    async with served(replace(settings, basemap=Basemap(file=broken))) as service:
        await a_home(service, "a", 1)
        async with opened(browser, service, SEARCH, DESK) as page:
            await expect(page.locator("#map .land").first).to_be_attached()
            await expect(page.locator("#map .mark")).to_have_count(1)
