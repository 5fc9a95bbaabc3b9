"""Every page of the app, in every state that looks different. A new page is one more line here:
`tests/web/test_accessibility.py` fails until it has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from playwright.async_api import Page

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


@dataclass(frozen=True)
class View:
    """`template` is what the server renders, `rule` the address as the app has it (none: any
    that there is not), and `is_inside` whether one must be signed in.
    The keyboard starts at `start`, if that is not the top."""

    name: str
    template: str
    rule: str | None
    steps: Steps
    is_inside: bool = False
    start: str = ""


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
    await _by_form(visit, "9999")
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


care_forms = unfolded(results, ".drop:nth-of-type(1) > summary")
more_filters = unfolded(results, ".drop:nth-of-type(2) > summary")
own_home = at("/report/home/anna")

HOME = "/homes/<home_id>"
TRAIL = "/homes/<home_id>/trail"
LINK = "/report/link/<token>"
OWN = "/report/home/<home_id>"
INSIDE = True

VIEWS = (
    View("Finder, before a search", "finder.html", "/", at("/")),
    View("Finder, results", "finder.html", "/", results),
    View("Finder, care forms unfolded", "finder.html", "/", care_forms),
    View("Finder, more filters unfolded", "finder.html", "/", more_filters),
    View("Finder, full homes too", "finder.html", "/", at(SEARCH + "&include_full=true")),
    View("Finder, nothing found", "finder.html", "/", at("/?place=33330&care_form=hospice")),
    View("Finder, map", "finder.html", "/", on_the_map),
    View("Finder, chosen on the map", "finder.html", "/", chosen_on_the_map, start="#sheet"),
    View("Finder, place not known", "refused.html", "/", at("/?place=Xyzzyhausen")),
    View("Finder, several such places", "refused.html", "/", at("/?place=Neustadt")),
    View("Finder, wrong entry", "refused.html", "/", at("/?place=33330&max_cost_eur=x")),
    View("Home", "home.html", HOME, at("/homes/anna")),
    View("Home, admission stop", "home.html", HOME, at("/homes/berta")),
    View("Home, not known", "message.html", HOME, at("/homes/nowhere")),
    View("Home, closed", "message.html", HOME, at("/homes/dora")),
    View("No such page", "message.html", None, at("/nowhere")),
    View("Documentation of the API", "docs.html", "/api/v1/docs", documentation),
    View("Documentation, operation unfolded", "docs.html", "/api/v1/docs", an_operation),
    View("Report by link", "report.html", LINK, linked("pat")),
    View("Report by link, filled in", "report.html", LINK, linked("pat", "?short_term=2")),
    View("Report by link, several homes", "report.html", LINK, linked("admin")),
    View("Report by link, all unfolded", "report.html", LINK, unfolded(linked("pat"))),
    View("Report by link, reported", "report.html", LINK, reported),
    View("Report by link, reported without script", "report.html", LINK, reported_by_form),
    View("Report by link, refused", "report.html", LINK, refused_by_form),
    View("Report by link, no network", "report.html", LINK, offline),
    View("Report by link, overtaken", "report.html", LINK, overtaken),
    View("Expired link", "report_expired.html", LINK, linked("pat", age=OLD)),
    View("Expired link, new one sent", "message.html", LINK + "/renew", renewed),
    View("Revoked link", "message.html", LINK, linked("rene", age=timedelta(hours=1))),
    View("App, start", "message.html", "/report/start", at("/report/start")),
    View("App, no network", "message.html", "/report/offline", at("/report/offline")),
    View("Sign-in", "signin.html", "/signin", at("/signin")),
    View("Sign-in, wrong address", "signin.html", "/signin", sign_in_wrong),
    View("Sign-in, link sent", "signin_sent.html", "/signin", sign_in_sent),
    View("Sign-in, link opened", "signin_redeem.html", "/signin/<token>", sign_in_redeem),
    View("Sign-in, link not valid", "message.html", "/signin/<token>", at("/signin/over")),
    View("Invitation", "signin_redeem.html", "/signin/<token>", invitation, INSIDE),
    View("Account", "account.html", "/account", at("/account"), INSIDE),
    View("Account, form out of date", "message.html", "/account", out_of_date, INSIDE),
    View("People", "people.html", "/people", at("/people"), INSIDE),
    View("People, all unfolded", "people.html", "/people", unfolded(at("/people")), INSIDE),
    View("People, wrong address", "people.html", "/people", people_wrong, INSIDE),
    View("What was reported", "trail.html", TRAIL, at("/homes/anna/trail"), INSIDE),
    View("What was reported, foreign home", "message.html", TRAIL, at("/homes/x/trail"), INSIDE),
    View("Report signed in", "report.html", OWN, own_home, INSIDE),
    View("Report signed in, all unfolded", "report.html", OWN, unfolded(own_home), INSIDE),
    View("Report signed in, foreign home", "message.html", OWN, at("/report/home/nowhere"), INSIDE),
)  # fmt: skip
