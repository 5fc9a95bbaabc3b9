"""The pages of people who report in a real browser: passkeys, and that everybody can use them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from providers.links import LIVES
from providers.people import select_people
from providers.sessions import start_session
from providers.signin import issue_invitation
from providers.staff import Staff
from tests.conftest import Service
from tests.web.carer import Carer, carer_of
from tests.web.conftest import DESK, PHONE, opened, violations
from tests.web.portals.conftest import a_portal
from tests.web.staff import BERT, a_person, link_in, mail_number, mails
from tests.web.webhooks.conftest import a_webhook
from vacancies.provider import ensure_provider

pytestmark = pytest.mark.browser

ZOOMED = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %
GERMAN_AND_ENGLISH = ("/people", "/homes/", "/upload", "/webhooks")


@pytest.fixture
def local(service: Service) -> Service:
    """The service under a name: passkeys are not for numbers."""
    return replace(service, url=service.url.replace("127.0.0.1", "localhost"))


async def signed_in(service: Service, staff: Staff) -> dict[str, Any]:
    """Options of a browser in which that person is signed in."""
    value = await start_session(service.state.deployment.pool, staff.id, "Chrome, Linux")
    cookie = {"name": "freiplatz", "value": value, "url": service.url + "/"}
    host = service.url.partition("//")[2].partition(":")[0]
    del cookie["url"]
    return {
        "storage_state": {
            "cookies": [
                {
                    **cookie,
                    "domain": host,
                    "path": "/",
                    "expires": -1,
                    "httpOnly": True,
                    "secure": False,
                    "sameSite": "Lax",
                }
            ],
            "origins": [],
        }
    }


async def a_virtual_device(page: Page) -> None:
    """Chromium's own device with passkeys, whose holder is always there and known to it."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def test_a_passkey_is_the_quick_way_back(local: Service, browser: Browser) -> None:
    staff = await a_person(local, home="a")
    options = await signed_in(local, staff)
    async with opened(browser, local, "/account?lang=en", PHONE, **options) as page:
        await a_virtual_device(page)
        await page.get_by_role("button", name="Make a passkey on this device").click()
        await expect(page.get_by_text("Chrome, Linux").first).to_be_visible()
        await expect(page.get_by_role("button", name="Remove the passkey")).to_be_visible()
        told = await mail_number(local, 1)
        assert "Chrome, Linux" in told.get_content()
        assert f"{local.url}/account" in told.get_content()
        await page.goto(f"{local.url}/account?lang=en")
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.goto(f"{local.url}/signin?lang=en&next=/homes/a/trail")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page).to_have_url(f"{local.url}/homes/a/trail")
        await expect(page.locator("h1")).to_be_visible()


async def test_without_a_passkey_there_is_a_way_on(local: Service, browser: Browser) -> None:
    # The browser itself reports the refusal on its console, as an error: that is what is asked for.
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto(f"{local.url}/signin?lang=en")
    await a_virtual_device(page)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_text("let us send you a link")).to_be_visible()
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()
    await context.close()


@pytest.mark.parametrize("javascript", [True, False])
async def test_signing_in_by_keyboard(service: Service, browser: Browser, javascript: bool) -> None:
    await a_person(service, home="a")
    path = "/signin?lang=en"
    async with opened(browser, service, path, PHONE, java_script_enabled=javascript) as page:
        keyboard = page.keyboard
        while await page.locator("#f-email:focus").count() == 0:
            await keyboard.press("Tab")
        await keyboard.type("anna@example.org" if not javascript else BERT)
        await keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Look into your mail")
        if javascript:
            assert mails(service) == []
            return
        link = link_in(await mail_number(service, 1))
        await page.goto(service.url + link)
        while await page.locator(".big:focus").count() == 0:
            await keyboard.press("Tab")
        await keyboard.press("Enter")
        await expect(page).to_have_url(f"{service.url}/report/home/a")


async def everything(service: Service) -> tuple[Staff, str]:
    """Somebody who sees something in every part of every page, and the path of an invitation."""
    pool = service.state.deployment.pool
    staff = await a_person(service)
    await a_person(service, BERT, home="a")
    await service.report("a", {"count": 1, "note": "x" * 100})
    provider = await ensure_provider(pool, "caritas-musterstadt")
    other = await ensure_provider(pool, "Seniorenpflegeheimverwaltungsgesellschaft " + "x" * 40)
    await pool.execute(
        "INSERT INTO membership (staff_id, provider_id) VALUES ($1, $2)", staff.id, other.id
    )
    await pool.execute(
        "INSERT INTO passkey (credential_id, staff_id, public_key, sign_count, label)"
        " VALUES ('\\x01', $1, '', 0, 'Chrome, Android')",
        staff.id,
    )
    await start_session(pool, staff.id, "Safari, iPhone")
    async with pool.acquire() as connection:
        token = await issue_invitation(
            connection, "a-very-long-address-of-somebody@example.org", provider.id, "a"
        )
    assert len(await select_people(pool, provider.id)) == 2
    return staff, f"/signin/{token}"


def pages(carer: Carer, invitation: str, webhook: str, portal: str) -> list[tuple[str, bool]]:
    """Every page of people who report, and whether one must be signed in for it."""
    over = carer.link(age=LIVES)
    return [
        ("/signin", False),
        (invitation, False),
        ("/signin/over", False),
        (carer.link(), False),
        (over, False),
        ("/report/start", False),
        ("/account", True),
        ("/people", True),
        ("/homes/a/trail", True),
        ("/report/home/a", True),
        ("/report/home/nowhere", True),
        ("/upload", True),
        ("/webhooks", True),
        (webhook, True),
        (f"{webhook}/remove", True),
        ("/webhooks/portals", True),
        (portal, True),
    ]


@pytest.mark.parametrize(
    ("viewport", "scheme", "language"),
    [
        (PHONE, "light", "en"),
        (PHONE, "dark", "en"),
        (DESK, "light", "en"),
        (ZOOMED, "light", "en"),
        (PHONE, "light", "ar"),
        (DESK, "dark", "ar"),
        (ZOOMED, "dark", "ar"),
    ],
    ids=str,
)
async def test_everybody_can_use_it(
    local: Service, browser: Browser, viewport: dict[str, int], scheme: Any, language: str
) -> None:
    staff, invitation = await everything(local)
    carer, webhook = await carer_of(local, "a"), await a_webhook(local)
    portal = await a_portal(local)
    await local.state.deployment.pool.execute("UPDATE membership SET links_from = '2000-01-01'")
    inside = await signed_in(local, staff)
    for path, is_inside in pages(carer, invitation, webhook, portal):
        address = f"{path}?lang={language}"
        options = {"bypass_csp": True, "color_scheme": scheme, **(inside if is_inside else {})}
        async with opened(browser, local, address, viewport, may_fail=True, **options) as page:
            await page.wait_for_load_state("load")
            for summary in await page.locator("summary").all():
                await summary.click()
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], path
            assert await violations(page) == [], path
            assert await page.evaluate(SMALL_TARGETS) == [], path
            is_rtl = language == "ar" and not path.startswith(GERMAN_AND_ENGLISH)
            assert await page.evaluate("document.dir") == ("rtl" if is_rtl else "ltr"), path


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_everything_is_reached_by_keyboard(
    local: Service, browser: Browser, language: str
) -> None:
    """Tab goes through all that can be done, in the order in which it is read, and shows where."""
    staff, invitation = await everything(local)
    carer, webhook = await carer_of(local, "a"), await a_webhook(local)
    portal = await a_portal(local)
    inside = await signed_in(local, staff)
    for path, is_inside in pages(carer, invitation, webhook, portal):
        address, options = f"{path}?lang={language}", inside if is_inside else {}
        async with opened(browser, local, address, PHONE, may_fail=True, **options) as page:
            await page.wait_for_load_state("load")
            wanted = await page.evaluate(REACHABLE)
            walked = []
            for _ in range(wanted):
                await page.keyboard.press("Tab")
                walked.append(await page.evaluate(FOCUSED))
            assert [number for number, _ in walked] == list(range(wanted)), path
            assert all(is_shown for _, is_shown in walked), path


# What one taps on these pages is at least 44 pixels high (links in the foot aside).
SMALL_TARGETS = """
[...document.querySelectorAll("main :is(a, button, input, select, summary)")]
  .filter((it) => it.checkVisibility() && it.type !== "hidden")
  .map((it) => [it, it.type === "checkbox" ? it.labels[0] : it.closest("label") ?? it])
  .filter(([, target]) => target.getBoundingClientRect().height < 43.5)
  .map(([it]) => it.outerHTML.slice(0, 150))
"""

# What Tab stops at, numbered in the order of the page; how many.
REACHABLE = """(() => {
  const wanted = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(wanted)]
    .filter((it) => it.type !== "hidden" && !it.disabled && it.checkVisibility());
  all.forEach((it, number) => { it.dataset.number = number; });
  return all.length;
})()"""
# Its number, and whether one sees that it has the focus.
FOCUSED = """(() => {
  const it = document.activeElement, style = getComputedStyle(it);
  const isShown = style.outlineStyle !== "none" || style.boxShadow !== "none";
  return [Number(it.dataset.number ?? -1), isShown];
})()"""
