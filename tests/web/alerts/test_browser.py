"""The pages of alerts, their mail and their notifications, in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.conftest import Service
from tests.web.alerts.conftest import EMAIL, Bench
from tests.web.alerts.test_pages import count, link_of
from tests.web.conftest import CLIENT, DESK, PHONE, a_home, opened, violations

pytestmark = pytest.mark.browser

SEARCH = "place=33330&care_form=short_term&focus=dementia"
LEAST_TARGET_PX = 44


@pytest.mark.parametrize("script", [True, False])
async def test_from_the_finder_to_the_end(service: Service, browser: Browser, script: bool) -> None:
    """With a thumb, with and without JavaScript."""
    await a_home(service, "a", 1)
    path = f"/?{SEARCH}"
    async with opened(browser, service, path, PHONE, java_script_enabled=script) as page:
        await page.get_by_role("link", name="Bescheid sagen, wenn etwas frei wird").first.click()
        await expect(page.locator(".wishes")).to_contain_text("Demenz")
        await expect(page.locator("#push")).to_be_visible(visible=script)
        await page.get_by_label("Ihre E-Mail-Adresse").fill(EMAIL)
        await page.get_by_role("button", name="Bestätigungs-Mail schicken").click()
        await expect(page.locator("h1")).to_have_text("Sehen Sie jetzt in Ihr Postfach")
        await page.goto(service.url + await link_of(service))
        await page.get_by_role("button", name="Ja, sagen Sie mir Bescheid").click()
        await expect(page.locator(".done")).to_contain_text("Bestätigt.")
        await page.get_by_label("Höchstens so oft am Tag").select_option("1")
        await page.get_by_role("button", name="Ändern").click()
        await expect(page.locator(".done")).to_contain_text("Geändert.")
        await page.get_by_role("link", name="Diese Suche jetzt ansehen").click()
        await expect(page.locator("#f-place")).to_have_value("Gütersloh")
        await page.go_back()
        await page.get_by_role("button", name="Nicht mehr Bescheid sagen").click()
        await expect(page.locator("h1")).to_have_text("Diese Nachrichten sind beendet")
    assert await count(service) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_the_pages(service: Service, browser: Browser, scheme: Any) -> None:
    await a_home(service, "a", 1)
    new = f"/alerts/new?{SEARCH}"
    async with opened(browser, service, new, PHONE) as page:
        await page.get_by_label("Ihre E-Mail-Adresse").fill(EMAIL)
        await page.get_by_role("button", name="Bestätigungs-Mail schicken").click()
    link = await link_of(service)

    async def look(path: str, viewport: dict[str, int]) -> None:
        async with opened(
            browser, service, path, viewport, bypass_csp=True, color_scheme=scheme
        ) as page:
            await page.wait_for_load_state("load")
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], path
            assert await violations(page) == [], (path, viewport)

    for path, viewport in ((new, PHONE), (new, DESK), (link, PHONE), (f"{link}/stop", PHONE)):
        await look(path, viewport)
    async with opened(browser, service, link, PHONE) as page:
        await page.get_by_role("button", name="Ja, sagen Sie mir Bescheid").click()
    for viewport in (PHONE, DESK):
        await look(link, viewport)


@pytest.mark.parametrize("width", [PHONE["width"], 320])
async def test_everybody_can_use_the_mails(bench: Bench, browser: Browser, width: int) -> None:
    await bench.home("a")
    alert_id = await bench.ask()
    assert alert_id is not None
    await bench.tell()
    await bench.confirm(alert_id)
    await bench.report("a", 1)
    await bench.tell()
    await bench.tell(days=83)
    mails = bench.mails()
    assert len(mails) == 3
    for mail in mails:
        body = mail.get_body(("html",))
        assert body is not None
        page = await browser.new_page(viewport={"width": width, "height": PHONE["height"]})
        await page.set_content(body.get_content())
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.evaluate((CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text())
        found = await page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
        )
        assert [rule["id"] for rule in found["violations"]] == []
        for link in await page.locator("a").all():
            box = await link.bounding_box()
            assert box is not None
            assert box["height"] >= LEAST_TARGET_PX
        await page.close()


async def test_a_browser_that_may_not_notify_says_what_to_do(
    service: Service, browser: Browser
) -> None:
    async with opened(browser, service, f"/alerts/new?{SEARCH}", PHONE) as page:
        await page.evaluate("Notification.requestPermission = async () => 'denied'")
        await page.get_by_role("button", name="Auf diesem Gerät benachrichtigen").click()
        await expect(page.locator("#push-message")).to_contain_text("lässt das nicht zu")
        await expect(page.locator("#push-button")).to_be_enabled()


async def test_the_worker_shows_what_is_pushed(service: Service, browser: Browser) -> None:
    """Pushed by the browser's own tools: no push service can be reached from a test."""
    async with opened(
        browser, service, f"/alerts/new?{SEARCH}", PHONE, permissions=["notifications"]
    ) as page:
        tools = await page.context.new_cdp_session(page)
        registrations: list[str] = []

        def note(event: dict[str, Any]) -> None:
            registrations.extend(one["registrationId"] for one in event["registrations"])

        tools.on("ServiceWorker.workerRegistrationUpdated", note)
        await tools.send("ServiceWorker.enable")
        await page.evaluate(
            "navigator.serviceWorker.register('/alerts/worker.js', {scope: '/alerts/'})"
            ".then(() => navigator.serviceWorker.ready).then(() => true)"
        )
        message = {
            "title": "Neues zu Ihrer Suche",
            "body": "1 Heim",
            "tag": "t",
            "language": "de",
            "direction": "ltr",
            "path": "/alerts/x",
            "confirm": None,
            "actions": [{"action": "stop", "title": "Beenden", "path": "/alerts/x/stop"}],
        }
        for _ in range(2):
            await tools.send(
                "ServiceWorker.deliverPushMessage",
                {
                    "origin": service.url,
                    "registrationId": registrations[-1],
                    "data": json.dumps(message),
                },
            )
        shown = await page.evaluate(
            """async () => {
              const worker = await navigator.serviceWorker.ready;
              for (;;) {
                const found = await worker.getNotifications();
                if (found.length) {
                  return found.map(({ title, body, tag, lang }) => ({ title, body, tag, lang }));
                }
                await new Promise((again) => setTimeout(again, 20));
              }
            }"""
        )
        assert shown == [
            {"title": "Neues zu Ihrer Suche", "body": "1 Heim", "tag": "t", "lang": "de"}
        ]
