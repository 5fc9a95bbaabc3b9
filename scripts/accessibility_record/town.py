"""The running program with everything that its pages can show, and the people who see them."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page

from providers.federation.neighbours import ensure_foreign_providers, record_neighbour
from providers.links import make_token
from scripts.accessibility_record.planned import plan_for_months
from scripts.benchmarks.program import command, data_folder, serving
from scripts.report_pictures import HOME, SECRET, employ_long_ago
from vacancies.deployment import Deployment
from vacancies.foreign import Adopt, Silence
from vacancies.lasting import Step, size_of
from vacancies.lasting_fit import record_steps
from vacancies.looks import record_look
from vacancies.models import CareForm, Contact, Freshness, Origin, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from web.alerts.sealing import Seal
from web.commands.administration import run_in_deployment
from web.portals.asking import PATH
from web.portals.copies import Verdict, record_verdicts, select_copies
from web.portals.links import insert_link
from web.webhooks.endpoints import pause_webhook

ADMIN = "alma.admin@example.org"
DESK = "05754008"  # of which Alma is an admin
LONG = "Seniorenpflegeheimverwaltungsgesellschaft Rheda-Wiedenbrück"
# Around all homes.
AREA = {
    "type": "Polygon",
    "coordinates": [[[8.1, 51.8], [8.7, 51.8], [8.7, 52.1], [8.1, 52.1], [8.1, 51.8]]],
}
_WAIT_SECONDS = 20.0
_LOOK_SECONDS = 0.05

HOMES: Mapping[str, dict[str, Any]] = {
    "anna": HOME
    | {
        "coordinates": {"latitude": 51.905, "longitude": 8.385},
        "municipality": DESK,
        "contact": {
            "phone": "05241 12345",
            "email": "aufnahme@example.org",
            "website": "https://example.org",
            "person": "Frau Sommer",
            "hours": "Mo–Fr 8–16 Uhr",
        },
        "costs": {"care_eur": 1200, "training_eur": 80, "board_eur": 900, "investment_eur": 500},
        "focuses": ["dementia", "palliative"],
        "needs": ["mrsa", "weekend_admission"],
        "waiting_list": "open",
    },
    "berta": {
        "name": LONG,
        "municipality": DESK,
        "coordinates": {"latitude": 51.85, "longitude": 8.3},
        "contact": {"phone": "05242 4711"},
        "admission_stop": {"reason": "staff"},
    },
    "clara": {
        "name": "Haus Clara",
        "coordinates": {"latitude": 51.95, "longitude": 8.45},
        "contact": {"phone": "05241 999"},
    },
    "dora": {"name": "Haus Dora", "coordinates": {"latitude": 51.9, "longitude": 8.2}},
    # Two steps away from the others, so that they are not one mark on the map.
    "emil": {
        "name": "Haus Emil",
        "coordinates": {"latitude": 51.99, "longitude": 8.6},
        "contact": {"phone": "0521 1234"},
    },
}
# Of a provider that has nobody who reports yet.
UNASKED: Mapping[str, dict[str, Any]] = {
    "frieda": {
        "name": f"{LONG} Frieda",
        "coordinates": {"latitude": 52.05, "longitude": 8.15},
        "address": {"street": "Am Teich 1", "postcode": "33330", "city": "Gütersloh"},
        "contact": {"email": "frieda@homes.example"},
        "municipality": DESK,
    },
    "gerda": {
        "name": "Haus Gerda",
        "coordinates": {"latitude": 52.06, "longitude": 8.16},
        "address": {"street": "Am Teich 2", "postcode": "33330", "city": "Gütersloh"},
        "municipality": DESK,
    },
}
# Of the same provider, entered when the municipality approves new homes.
WAITING: Mapping[str, Any] = {
    "name": f"{LONG} Hanna",
    "coordinates": {"latitude": 52.07, "longitude": 8.17},
    "municipality": DESK,
}


@dataclass
class Town:
    """`members` holds the number of each membership, by name."""

    url: str
    environ: Mapping[str, str]
    client: aiohttp.ClientSession
    members: dict[str, int] = field(default_factory=dict)

    async def report(self, home_id: str, *counts: int, age: timedelta = timedelta()) -> None:
        """As care software does: short-term places first, then long-term ones."""
        forms = ("short_term", "long_term")
        body = {
            "observed_at": (datetime.now(UTC) - age).isoformat(),
            "vacancies": [
                {"care_form": form, "count": count, "room": "single", "focuses": ["dementia"]}
                for form, count in zip(forms, counts, strict=False)
            ],
        }
        async with self.client.put(f"/api/v1/homes/{home_id}/vacancies", json=body) as answer:
            answer.raise_for_status()

    async def put(self, home_id: str, profile: Mapping[str, Any], **headers: str) -> None:
        path = f"/api/v1/homes/{home_id}"
        async with self.client.put(path, json=profile, headers=headers) as answer:
            answer.raise_for_status()

    async def employ(self, name: str, email: str, *more: str) -> None:
        add = ("staff", "add", email, "--provider", "caritas-musterstadt", *more)
        self.members[name] = int(await command(dict(self.environ), *add))

    def link(self, name: str, home_id: str = "anna", age: timedelta = timedelta()) -> str:
        """The path of a one-tap link."""
        token = make_token(SECRET, self.members[name], home_id, datetime.now(UTC) - age)
        return f"/report/link/{token}"

    def mails(self) -> set[Path]:
        return set((Path(self.environ["FREIPLATZ_DATA_DIR"]) / "mail").glob("[!.]*.eml"))

    async def link_in_new_mail(self, before: set[Path], folder: str = "signin") -> str:
        """The path of the link to a page in `folder`, in the mail that has come since."""
        deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            # Others may come too, such as reminders.
            for file in sorted(self.mails() - before):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                part = mail.get_body(("plain",))
                text = part.get_content() if part else ""
                if found := re.search(rf"https?://[^/\s]+(/{folder}/\S+)", text):
                    return found[1]
            await asyncio.sleep(_LOOK_SECONDS)
        raise RuntimeError("no mail has come")


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    async with data_folder() as folder:
        environ = {**folder, "FREIPLATZ_SECRET_KEY": SECRET}
        # The command works in the data folder that the environment names.
        os.environ["FREIPLATZ_DATA_DIR"] = environ["FREIPLATZ_DATA_DIR"]
        # Curves are read when the service starts.
        async with serving(environ):
            await asyncio.to_thread(run_in_deployment, know_how_long)
        async with serving(environ) as server:
            slug = await command(environ, "provider", "add", "Caritas Musterstadt")
            key = await command(environ, "key", "create", slug)
            # Under a name: passkeys are not for numbers.
            url = server.url.replace("127.0.0.1", "localhost")
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(server.url, headers=headers) as client:
                place = Town(url, environ, client)
                await _settle(place)
                yield place


async def know_how_long(deployment: Deployment) -> None:
    """As after months of reports: two places in short-term care are likely to be still free."""
    step = Step(
        care_form=CareForm.SHORT_TERM,
        size=size_of(sum(HOMES["anna"].get("capacity", {}).values())),
        free_places=2,
        from_hours=0,
        until_hours=28,
        share=0.9,
        pairs=500,
        homes=40,
        expected=0.9,
        checked=200,
        still_free=180,
        refusal=None,
    )
    async with deployment.pool.acquire() as connection, connection.transaction():
        await record_steps(connection, [step], datetime.now(UTC))


async def take_over(deployment: Deployment) -> None:
    """A home of a neighbour from which nothing has been heard for long."""
    terms = ("https://www.govdata.de/dl-de/by-2-0", "Kreis Herford")
    url = "https://freiplatz.herford.example"
    await record_neighbour(deployment.pool, "herford", "Kreis Herford", url, *terms)
    provider = "herford/caritas"
    ids = await ensure_foreign_providers(deployment.pool, [provider])
    now = datetime.now(UTC)
    adopt = Adopt(
        home_id="herford/anna",
        provider_id=ids[provider],
        provider=provider,
        origin=Origin(slug="herford", name="Kreis Herford", url=url, said=Freshness.FRESH),
        profile=Profile(name=LONG, point=Point(52.12, 8.67), contact=Contact(phone="05221 1234")),
        vacancies=(Vacancy(care_form=CareForm.LONG_TERM, count=1),),
        observed_at=now,
        confirmed_at=None,
    )
    silence = Silence(home_id="herford/anna", since=now - timedelta(minutes=9))
    await deployment.writer.submit([adopt, silence])


async def _settle(place: Town) -> None:
    for home_id, profile in HOMES.items():
        await place.put(home_id, profile)
    await place.put("dora", HOMES["dora"] | {"status": "closed"})
    await place.report("anna", 2, 1, age=timedelta(hours=3))
    await place.report("berta", 1, 0, age=timedelta(hours=30))
    await place.report("emil", 1)
    await place.employ("admin", ADMIN, "--name", "Alma Admin")
    for name in ("pat", "rita", "rene"):
        await place.employ(name, f"{name}@example.org", "--home", "anna", "--name", name.title())
    area = Path(place.environ["FREIPLATZ_DATA_DIR"]) / "area.geojson"
    area.write_text(json.dumps(AREA))
    for key, *more in (
        ("05754", "--name", "Kreis Gütersloh", "--from", str(area)),
        (DESK, "--name", "Gütersloh"),
    ):
        await command(dict(place.environ), "municipality", "add", key, *more)
        await command(dict(place.environ), "desk", "add", key, ADMIN)
    await command(dict(place.environ), "municipality", "address", DESK, "--path", "guetersloh")
    await asyncio.to_thread(run_in_deployment, dress)
    slug = await command(dict(place.environ), "provider", "add", "AWO Musterstadt")
    key = await command(dict(place.environ), "key", "create", slug)
    for home_id, profile in UNASKED.items():
        await place.put(home_id, profile, Authorization=f"Bearer {key}")
    await command(dict(place.environ), "policy", "set", DESK, "--approve-new")
    await place.put("hanna", WAITING, Authorization=f"Bearer {key}")
    hook = ("webhook", "add", "https://hooks.example.org/freiplatz", "--provider")
    await command(dict(place.environ), *hook, "caritas-musterstadt")
    await asyncio.to_thread(run_in_deployment, report_elsewhere)
    await asyncio.to_thread(run_in_deployment, employ_long_ago)
    await asyncio.to_thread(run_in_deployment, take_over)
    await asyncio.to_thread(run_in_deployment, plan_for_months)
    await command(dict(place.environ), "staff", "revoke-links", str(place.members["rene"]))


async def dress(deployment: Deployment) -> None:
    """A look of which the colour cannot be read as it is."""
    words = {"greeting": "Willkommen in Gütersloh.", "imprint": "Stadt Gütersloh", "privacy": ""}
    async with deployment.pool.acquire() as connection:
        await record_look(connection, DESK, accent="#ffe14d", **words)


async def report_elsewhere(deployment: Deployment) -> None:
    """A link to another Freiplatz, paused: nobody is to be called. One home was refused there."""
    provider = await ensure_provider(deployment.pool, "caritas-musterstadt")
    seal, now = Seal(deployment.settings.secret_key), datetime.now(UTC)
    url = f"https://freiplatz.example.org{PATH}"
    async with deployment.pool.acquire() as connection, connection.transaction():
        link = await insert_link(connection, seal, provider.id, url, "fp_" + 40 * "x", now)
        await pause_webhook(connection, link)
        (copy,) = await select_copies(connection, link, ["berta"])
        verdict = Verdict(outcome="refused", code="unknown_home")
        await record_verdicts(connection, link, [(copy, verdict)], now)


async def sign_in(place: Town, page: Page, email: str = ADMIN) -> None:
    """As people do: by the link in a mail, opened in the same browser."""
    before = place.mails()
    await page.goto(f"{place.url}/signin")
    await page.locator("#f-email").fill(email)
    await page.locator("form.entry button").click()
    await page.goto(place.url + await place.link_in_new_mail(before))
    await page.locator(".big").click()
    await page.locator("h1").wait_for()
