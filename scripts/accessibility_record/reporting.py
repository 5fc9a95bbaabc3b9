"""The pages of a one-tap link, and what becomes of a report."""

from __future__ import annotations

from datetime import timedelta

from scripts.accessibility_record.visit import Visit, linked, unfolded

OLD = timedelta(days=3)


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


list_of_homes = unfolded(linked("admin"), ".homes summary")
