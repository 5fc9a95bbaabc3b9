"""The pages of those who look for a place: finder, home, shortlist, alerts, corrections."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from scripts.accessibility_record.visit import Visit, follow, shown, unfolded

SEARCH = "/?place=33330&care_form=short_term"
FRAMED = "/embed" + SEARCH[1:] + "&accent=0a6e4f"


async def results(visit: Visit) -> None:
    await visit.go(SEARCH)
    await visit.page.locator("#live[data-state=live]").wait_for()


async def framed(visit: Visit) -> None:
    """As it fits into a frame of another site; here without one."""
    await visit.go(FRAMED)
    await visit.page.locator("#live[data-state=live]").wait_for()


async def on_the_map(visit: Visit) -> None:
    """Beside the list, or instead of it where there is no room for both."""
    await visit.go(SEARCH)
    switch = visit.page.locator("#switch button[data-view=map]")
    if await switch.is_visible():
        await switch.click()
    await visit.page.locator("#map .mark-anchor").first.wait_for()
    await visit.page.locator("#map .land").first.wait_for(state="attached")


async def chosen_on_the_map(visit: Visit) -> None:
    await on_the_map(visit)
    mark = visit.page.locator("#map .mark-anchor:has(.mark-fresh)").first
    await mark.focus()
    await visit.page.keyboard.press("Enter")
    await visit.page.locator("#sheet .card").wait_for()


documentation = shown("/api/v1/docs", "#swagger .opblock")


async def an_operation(visit: Visit) -> None:
    await documentation(visit)
    await visit.page.locator("#swagger .opblock-summary-control").first.click()
    await visit.page.locator("#swagger .opblock-body").first.wait_for()


async def _correct(visit: Visit, matter: str) -> None:
    await visit.go("/homes/clara/wrong")
    await visit.page.locator(f"#m-{matter}").check()
    async with visit.page.expect_navigation():
        await visit.page.locator("form.entry button").click()


async def correction_wrong(visit: Visit) -> None:
    await _correct(visit, "other")
    await visit.page.locator("#e-said").wait_for()


async def correction_sent(visit: Visit) -> None:
    await _correct(visit, "phone")
    await visit.page.locator("section.message").wait_for()


async def _ask_for_news(visit: Visit, email: str) -> None:
    await visit.go(f"/alerts/new{SEARCH[1:]}")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await follow(visit, "form.entry button")


async def alert_wrong(visit: Visit) -> None:
    await _ask_for_news(visit, "tochter@")
    await visit.page.locator("#e-email").wait_for()


async def alert_sent(visit: Visit) -> None:
    await _ask_for_news(visit, "nobody.who.is.known@example.org")


async def alert_asked(visit: Visit) -> None:
    before = visit.place.mails()
    # One address is written to a few times a day only.
    await _ask_for_news(visit, f"{secrets.token_hex(4)}@example.org")
    link = await visit.place.link_in_new_mail(before, "alerts")
    await visit.go(link.partition("?")[0])


async def alert_confirmed(visit: Visit) -> None:
    await alert_asked(visit)
    await follow(visit, "form[action*='/confirm'] button")


async def alert_stop(visit: Visit) -> None:
    await alert_asked(visit)
    await visit.go(urlsplit(visit.page.url).path + "/stop")


async def alert_stopped(visit: Visit) -> None:
    await alert_stop(visit)
    await follow(visit, "form[action*='/stop'] button")


care_forms = unfolded(results, ".drop:nth-of-type(1) > summary")
more_filters = unfolded(results, ".drop:nth-of-type(2) > summary")
second_place = unfolded(results, ".second > summary")


async def suggestions(visit: Visit) -> None:
    await results(visit)
    await visit.page.locator("#f-place").fill("Halle")
    await visit.page.locator("#f-place-suggestions [role=option]").first.wait_for()


async def barrier_wrong(visit: Visit) -> None:
    """As a browser sends it that checks nothing itself."""
    await visit.go("/accessibility/report")
    await visit.page.evaluate("document.querySelector('form.entry').noValidate = true")
    await visit.page.fill("#f-email", "pat@")
    await visit.page.fill("#f-said", "…")
    await visit.page.click("form.entry button[type=submit]")
    await visit.page.locator("#e-email").wait_for()


LIST = "/shortlist?home=anna&home=berta&home=dora&home=nowhere&home=emil"


async def own_list(visit: Visit) -> None:
    """One's own, with notes, and one home that was just removed."""
    await visit.go(LIST)
    take = visit.page.locator("#take")
    # Every language is looked at in a browser that knows nothing yet.
    await take.click()
    await visit.page.locator("[data-note=status]").first.select_option("callback")
    await visit.page.locator("[data-remove]").last.click()
    await visit.page.locator(".entry-gone").wait_for()


async def told_of_call(visit: Visit) -> None:
    """The page that says what becomes of it, as without a script."""
    await visit.go("/homes/anna")
    await visit.page.evaluate(
        """() => {
          const form = document.querySelector(".call-feedback");
          form.insertAdjacentHTML("beforeend", "<input type=hidden name=kind value=confirmed>");
          form.submit();
        }"""
    )
    await visit.page.locator("section.message").wait_for()
