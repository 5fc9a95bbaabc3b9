"""How a page is brought into the state in which it is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.async_api import FilePayload, Page

from scripts.accessibility_record.town import Town

SEARCH = "/?place=33330&care_form=short_term"
OLD = timedelta(days=3)

Steps = Callable[["Visit"], Awaitable[None]]


@dataclass(frozen=True)
class Visit:
    """A page of the browser that is to show something of the town, in that language."""

    place: Town
    page: Page
    language: str

    async def go(self, path: str) -> None:
        mark = "&" if "?" in path else "?"
        await self.page.goto(f"{self.place.url}{path}{mark}lang={self.language}")
        await self.page.wait_for_load_state("load")


def at(path: str) -> Steps:
    async def steps(visit: Visit) -> None:
        await visit.go(path)

    return steps


def linked(name: str, more: str = "", age: timedelta = timedelta()) -> Steps:
    """The page of a one-tap link of that member."""

    async def steps(visit: Visit) -> None:
        await visit.go(visit.place.link(name, age=age) + more)

    return steps


def unfolded(before: Steps, selector: str = "summary") -> Steps:
    async def steps(visit: Visit) -> None:
        await before(visit)
        for summary in await visit.page.locator(selector).all():
            await summary.click()

    return steps


def shown(path: str, selector: str) -> Steps:
    """A page that is there once its script has drawn something."""

    async def steps(visit: Visit) -> None:
        await visit.go(path)
        await visit.page.locator(selector).first.wait_for()

    return steps


async def results(visit: Visit) -> None:
    await visit.go(SEARCH)
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


async def reported(visit: Visit) -> None:
    await linked("pat")(visit)
    await visit.page.locator(".send-main").click()
    await visit.page.locator("#outcome[data-kind=good]").wait_for()


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


async def _by_form(visit: Visit, count: str) -> None:
    """Send the form as a browser without scripts does."""
    await linked("pat")(visit)
    await visit.page.evaluate(
        """(count) => {
          const form = document.getElementById("report");
          form.querySelector("input[type=number]").value = count;
          form.insertAdjacentHTML("beforeend", "<input type=hidden name=do value=report>");
          form.submit();
        }""",
        count,
    )


async def reported_by_form(visit: Visit) -> None:
    await _by_form(visit, "3")
    await visit.page.locator("#done").wait_for()


async def refused_by_form(visit: Visit) -> None:
    await _by_form(visit, "999")
    await visit.page.locator(".problem").wait_for()


async def offline(visit: Visit) -> None:
    await linked("pat")(visit)
    await visit.page.context.set_offline(True)
    await visit.page.locator(".step[data-step='1']").first.click()
    await visit.page.locator(".send-main").click()
    await visit.page.locator("#outcome[data-kind=waits]").wait_for()
    await visit.page.locator(".send-main:not([aria-busy])").wait_for()


async def overtaken(visit: Visit) -> None:
    await offline(visit)
    await visit.place.report("anna", 4, 2)
    await visit.page.context.set_offline(False)
    await visit.page.locator("#outcome[data-kind=asks]").wait_for()


async def slip(visit: Visit) -> None:
    """A number that is asked about."""
    await linked("pat")(visit)
    await visit.page.locator("#count-long_term").fill("44")
    await visit.page.locator(".send-main").click()
    await visit.page.locator("#outcome[data-kind=asks]").wait_for()


async def slip_by_form(visit: Visit) -> None:
    await linked("pat")(visit)
    await visit.page.evaluate(
        """() => {
          const form = document.getElementById("report");
          form.elements["count.long_term"].value = "44";
          form.insertAdjacentHTML("beforeend", "<input type=hidden name=do value=report>");
          form.submit();
        }"""
    )
    await visit.page.locator(".problem button").wait_for()


async def renewed(visit: Visit) -> None:
    await linked("pat", age=OLD)(visit)
    await visit.page.locator("main form button").click()
    await visit.page.locator("main form").wait_for(state="detached")


async def _ask(visit: Visit, email: str) -> None:
    await visit.go("/signin")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await visit.page.locator("form.entry button").click()


async def sign_in_wrong(visit: Visit) -> None:
    await _ask(visit, "rita@")
    await visit.page.locator("#e-email").wait_for()


async def sign_in_sent(visit: Visit) -> None:
    await _ask(visit, "nobody.who.is.known@example.org")
    await visit.page.locator(".more-help summary").click()


async def sign_in_redeem(visit: Visit) -> None:
    before = visit.place.mails()
    await _ask(visit, "rita@example.org")
    link = await visit.place.link_in_new_mail(before)
    await visit.go(link.partition("?")[0])


async def _invite(visit: Visit, email: str) -> None:
    await visit.go("/people")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await visit.page.locator("#f-home").select_option("home:anna")
    await visit.page.locator("form.entry button").click()


async def invitation(visit: Visit) -> None:
    before = visit.place.mails()
    await _invite(visit, f"somebody.with.a.long.address.{visit.language}@example.org")
    link = await visit.place.link_in_new_mail(before)
    await visit.go(link.partition("?")[0])


async def people_wrong(visit: Visit) -> None:
    await _invite(visit, "nobody@")
    await visit.page.locator("#e-wrong").wait_for()


async def out_of_date(visit: Visit) -> None:
    await visit.go("/account")
    await visit.page.evaluate(
        """() => {
          const form = document.querySelector("form.entry");
          form.elements.form_token.value = "0".repeat(64);
          form.submit();
        }"""
    )
    await visit.page.locator("section.message").wait_for()


async def _upload(visit: Visit, content: bytes) -> None:
    await visit.go("/upload")
    file: FilePayload = {"name": "a.csv", "mimeType": "text/csv", "buffer": content}
    await visit.page.locator("#f-file").set_input_files([file])
    await visit.page.locator("form.entry button").click()


async def upload_wrong(visit: Visit) -> None:
    await _upload(visit, b"a;b\n1;2\n")
    await visit.page.locator("#e-file").wait_for()


async def upload_looked_at(visit: Visit) -> None:
    rows = ("home_id;care_form;count;note", "anna;Kurzzeitpflege;5;Balkon", "anna;Dauerpflege;44;")
    await _upload(visit, "\n".join((*rows, "berta;Kurzzeitpflege;x;")).encode())
    await visit.page.locator("form.entry .big").wait_for()


async def uploaded(visit: Visit) -> None:
    await upload_looked_at(visit)
    async with visit.page.expect_navigation():
        await visit.page.locator("form.entry .big").click()


async def webhooks_wrong(visit: Visit) -> None:
    await visit.go("/webhooks")
    await visit.page.locator("#f-address").fill("http://127.0.0.1/")
    await visit.page.locator("form.entry button").click()
    await visit.page.locator("[aria-invalid]").first.wait_for()


async def webhook(visit: Visit) -> None:
    await visit.go("/webhooks")
    await _follow(visit, "main a[href*='/webhooks/wh_']")


async def webhook_tested(visit: Visit) -> None:
    await webhook(visit)
    await _follow(visit, "form[action*='/test'] button")


async def webhook_secret(visit: Visit) -> None:
    await webhook(visit)
    await _follow(visit, "form[action*='/secret'] button")


async def webhook_removal(visit: Visit) -> None:
    await webhook(visit)
    await _follow(visit, "a[href*='/remove']")


async def _follow(visit: Visit, selector: str) -> None:
    async with visit.page.expect_navigation():
        await visit.page.locator(selector).first.click()


care_forms = unfolded(results, ".drop:nth-of-type(1) > summary")
more_filters = unfolded(results, ".drop:nth-of-type(2) > summary")
second_place = unfolded(results, ".second > summary")


async def suggestions(visit: Visit) -> None:
    await results(visit)
    await visit.page.locator("#f-place").fill("Halle")
    await visit.page.locator("#f-place-suggestions [role=option]").first.wait_for()


list_of_homes = unfolded(linked("admin"), ".homes summary")
own_home = at("/report/home/anna")


async def barrier_wrong(visit: Visit) -> None:
    """As a browser sends it that checks nothing itself."""
    await visit.go("/accessibility/report")
    await visit.page.evaluate("document.querySelector('form.entry').noValidate = true")
    await visit.page.fill("#f-email", "pat@")
    await visit.page.fill("#f-said", "…")
    await visit.page.click("form.entry button[type=submit]")
    await visit.page.locator("#e-email").wait_for()
