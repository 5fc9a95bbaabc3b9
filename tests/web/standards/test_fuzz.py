"""Whatever is asked, the answer is one of the standard's own, and never a fault of ours."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Service
from tests.web.standards.subscribing import PATH, platform
from tests.web.webhooks.conftest import Inbox

EXAMPLES = 300
NAMES = {
    "/fhir/Location": "_id name name:exact near _count _cursor _format x",
    "/fhir/HealthcareService": "_id name service-type location _count _cursor x",
    "/hsds/services": "page per_page full format x",
    "/ngsi-ld/v1/entities": "type id attrs pick omit georel geometry coordinates geoproperty limit"
    " offset count options format x",
}
LIKELY = (
    *("", "0", "1", "-1", "9" * 30, "٣", "1e3", "nan", "json", "true", "CareHome", "Point", "W10"),
    *("near;maxDistance==1000", "near;minDistance==0", "near;maxDistance==1..2", "simplified"),
    *("[8.38,51.9]", "[1e308,1]", "[[1,2],3]", "[90,180]", "id", "name", "*", ".", "\\,", ",|"),
    *("51.9|8.38|20|km", "90|180||", "|||", "-90|-180|99999999999|m", "51.9|8.38|-1"),
    *("a-free", "a-free.day", "urn:ngsi-ld:CareHome:a-free", "ff" * 16, "\x00", "a\nb", "' OR 1=1"),
)
KINDS = {"application/fhir+json", "application/json", "application/problem+json"}

values = st.one_of(st.sampled_from(LIKELY), st.text(max_size=12))


@st.composite
def addresses(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(sorted(NAMES)))
    names = st.sampled_from(NAMES[path].split())
    pairs = draw(st.lists(st.tuples(names, values), max_size=4))
    if draw(st.integers(0, 4)) == 0:
        path += "/" + quote(draw(values).strip("/."), safe="")
    return f"{path}?{urlencode(pairs)}"


async def test_nothing_that_is_asked_is_a_fault_of_ours(region: Service) -> None:
    async def ask(address: str, header: str) -> tuple[int, str]:
        headers = {"Accept": header, "Prefer": header, "If-None-Match": header}
        async with region.client.get(region.url + address, headers=headers) as answer:
            return answer.status, answer.headers["Content-Type"]

    loop = asyncio.get_running_loop()
    plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)

    @settings(max_examples=EXAMPLES)
    @given(addresses(), st.one_of(st.sampled_from(("*/*", "handling=strict", "*")), plain))
    def check(address: str, header: str) -> None:
        # Hypothesis is not asynchronous: it has a thread, and asks on the service's loop.
        asking = asyncio.run_coroutine_threadsafe(ask(address, header), loop)
        status, kind = asking.result(timeout=30)
        assert status < 500, address
        assert status == 304 or kind in KINDS, (address, status)

    await asyncio.to_thread(check)


MEMBERS = (
    *("id", "type", "subscriptionName", "entities", "watchedAttributes", "notificationTrigger"),
    *("geoQ", "isActive", "expiresAt", "throttling", "notification", "@context", "idPattern"),
    *("geometry", "coordinates", "georel", "endpoint", "uri", "accept", "receiverInfo", "key"),
    *("value", "attributes", "format"),
)
anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        values,
        st.sampled_from(("Subscription", "https://x.example/", "urn:x:y", "2099-01-01T00:00:00Z")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    ),
    max_leaves=8,
)
DEEP = [b"[" * depth + b"]" * depth for depth in (100, 500, 900, 990, 1100, 100_000)]


async def test_no_subscription_is_a_fault_of_ours(service: Service) -> None:
    """Any member of a good one may be anything. None is ever called: no name has an address."""
    city = await platform(service, Inbox("https://x.example/"))
    good = await city.subscribe(isActive=False)
    loop = asyncio.get_running_loop()

    async def send(method: str, path: str, wish: Any) -> None:
        status, _, headers = await city.call(method, path, wish)
        assert status < 500, wish
        if "Location" in headers:
            await city.call("DELETE", headers["Location"])

    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from(("POST", "PATCH")), st.sampled_from(MEMBERS), anything)
    def check(method: str, name: str, value: Any) -> None:
        wish = {**city.wish(isActive=False), name: value} if method == "POST" else {name: value}
        path = "" if method == "POST" else good
        asyncio.run_coroutine_threadsafe(send(method, path, wish), loop).result(timeout=30)

    await asyncio.to_thread(check)
    for body in DEEP:
        whole = b'{"@context":%b,"type":"Subscription"}' % body
        for method, path in (("POST", ""), ("PATCH", good)):
            assert (await city.call(method, path, whole))[0] < 500, len(body)
    for name in ("%00", "a", "urn:x:%00", "urn:x:" + "y" * 5000, "urn:x:ü"):
        assert (await city.call("GET", f"{PATH}/{name}"))[0] in (400, 404)
