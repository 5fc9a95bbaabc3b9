"""Nobody is sent elsewhere, whatever address or host is asked for; and secret addresses stay out
of the log of the proxy."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from yarl import URL

from tests.conftest import Service
from web.app import create_app

CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
TARGETS = (
    *("//evil.test/x", "//evil.test/%2e%2e", "/\\evil.test", "///evil.test", "/%2f%2fevil.test/"),
    *(
        "//evil.test/?lang=en",
        "/.//evil.test",
        "//homes//a",
        "/opendata",
        "//opendata?x=//evil.test",
    ),
    *("/@evil.test", "/%5cevil.test", "/https://evil.test", "//opendata//archive"),
)


@pytest.mark.parametrize("host", [None, "evil.test"])
async def test_no_address_leads_elsewhere(service: Service, host: str | None) -> None:
    """Neither where one is sent, nor a link on the page. Behind a proxy with TLS we are asked by
    http: a scheme in an answer would be the wrong one."""
    headers = {"Host": host} if host else {}
    sent_on = 0
    for target in TARGETS:
        url = URL(service.url + target, encoded=True)
        async with service.client.get(url, headers=headers, allow_redirects=False) as answer:
            text = await answer.text()
            location = answer.headers.get("Location")
        if location is not None:
            sent_on += 1
            assert re.match(r"/(?![/\\])", location), (target, location)
        for there in re.findall(r'(?:href|action|src)="([^"]*)"', text):
            found = urlsplit(urljoin("https://us.example/", there.replace("\\", "/")))
            assert found.scheme == "data" or found.netloc == "us.example", (target, there)
    assert sent_on >= 3


@pytest.mark.parametrize("path", ["/", "/api/v1/vacancies/stream", "/api/v1/homes/a", "/nowhere"])
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DEBUG", "POST"])
async def test_other_methods_are_refused(service: Service, method: str, path: str) -> None:
    """TRACE would send back what a proxy has added. Every refusal is of the kind that it says."""
    async with service.client.request(method, service.url + path) as answer:
        text = await answer.text()
    assert answer.status in (403, 404, 405)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "User-Agent" not in text


# What in an address is a secret: whoever has it may do something.
SECRETS = ("<token>", "<code>", "<feedback_id>")


async def test_the_proxy_logs_no_secret_address(service: Service) -> None:
    """Also below the path of a municipality."""
    found = re.search(r'request>uri regexp "(.+)" "\$1"', CADDYFILE.read_text())
    assert found is not None
    left_out = re.compile(found[1])
    rules = {str(rule) for rule in create_app(service.state.deployment).url_map.iter_rules()}
    secret = {rule for rule in rules if any(gap in rule for gap in SECRETS)}
    assert {"/alerts/<token>", "/report/link/<token>", "/letter/<code>"} <= secret
    for rule in secret:
        for path in (rule, f"/guetersloh{rule}"):
            logged = left_out.sub(r"\1", path)
            assert not [gap for gap in SECRETS if gap in logged], logged
    gaps = {gap for rule in rules for gap in re.findall(r"<[^>]+>", rule)}
    # A gap of a new kind: is it a secret?
    assert gaps - set(SECRETS) <= KNOWN_GAPS


KNOWN_GAPS = {
    *("<home_id>", "<origin>", "<key>", "<uuid:number>", "<name>", "<webhook_id>", "<path:name>"),
    *("<path:entity_id>", "<resource_id>", "<service_id>", "<number>", "<quarter>"),
}
