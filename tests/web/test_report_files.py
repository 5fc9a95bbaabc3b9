"""The files that make an app of the report page."""

from __future__ import annotations

import struct

import pytest

from tests.conftest import Service
from tests.web.conftest import CLIENT

built = pytest.mark.skipif(
    not (CLIENT / "dist" / "manifest.json").exists(), reason="the client is not built"
)


@built
async def test_the_worker_has_an_address_that_stays(service: Service) -> None:
    async with service.client.get(service.url + "/report/worker.js") as answer:
        body = await answer.text()
        assert answer.status == 200
        assert answer.content_type == "text/javascript"
        assert answer.headers["Cache-Control"] == "no-cache"
        etag = answer.headers["ETag"]
    assert "import" not in body.split("(")[0], "not every browser knows workers with imports"
    headers = {"If-None-Match": etag}
    async with service.client.get(service.url + "/report/worker.js", headers=headers) as answer:
        assert answer.status == 304


@built
@pytest.mark.parametrize(("lang", "direction"), [("de", "ltr"), ("ar", "rtl")])
async def test_the_manifest_names_icons_that_are_there(
    service: Service, lang: str, direction: str
) -> None:
    address = f"{service.url}/report/manifest.webmanifest?lang={lang}"
    async with service.client.get(address) as answer:
        assert answer.content_type == "application/manifest+json"
        manifest = await answer.json(content_type=None)
    assert (manifest["lang"], manifest["dir"]) == (lang, direction)
    assert (manifest["display"], manifest["scope"]) == ("standalone", "/report/")
    assert manifest["start_url"].startswith(manifest["scope"])
    for icon in manifest["icons"]:
        async with service.client.get(service.url + icon["src"]) as answer:
            assert answer.content_type == "image/png"
            head = await answer.content.read(24)
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", head[16:24])
        assert icon["sizes"] == f"{width}x{height}"


@pytest.mark.parametrize("path", ["/report/start", "/report/offline"])
async def test_there_is_always_a_next_step(service: Service, path: str) -> None:
    async with service.client.get(service.url + path + "?lang=pl") as answer:
        assert answer.status == 200
        html = await answer.text()
    assert '<html lang="pl"' in html
    assert '<ul class="steps">' in html
    assert "<li><a" in html
