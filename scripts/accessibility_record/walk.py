"""A walk over a page with the Tab key, from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import CDPSession, Page

# More than any page has: who gets here walks in circles.
MOST_STOPS = 1_000
# A field for a date is one stop with several parts: day, month, year, the button for the calendar.
MOST_PARTS = 6

# Numbers what Tab should come to, notes how it looks without focus, and begins at the top, or at
# what is named.
BEGIN = """(selector) => {
  const wanted = "a[href], button, input, select, textarea, summary, [tabindex]";
  const look = window.lookOf = (it) => [it, it.closest("label"), it.parentElement]
    .filter(Boolean).map((node) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(node);
      const hasOutline = outlineStyle !== "none" && outlineWidth !== "0px" &&
        !/, 0\\)$|transparent/.test(outlineColor);
      return JSON.stringify([hasOutline, boxShadow]);
    });
  window.tagOf = (it) => it.cloneNode().outerHTML.slice(0, 160);
  // Tab goes on from the place of what had the focus last, also when that is gone.
  const start = selector ? document.querySelector(selector) : null;
  const from = start ?? document.createElement("span");
  if (start === null) {
    from.tabIndex = -1;
    document.body.prepend(from);
  }
  from.focus();
  if (start === null) from.remove();
  const isAhead = (it) => !start ||
    start.compareDocumentPosition(it) & Node.DOCUMENT_POSITION_FOLLOWING;
  const all = [...document.querySelectorAll(wanted)].filter((it) =>
    it.tabIndex >= 0 && !it.disabled && it.type !== "hidden" && it.type !== "radio" &&
    it.checkVisibility({ visibilityProperty: true }) && isAhead(it));
  window.stops = new Map(all.map((it, number) => [it, { number, before: look(it) }]));
  return all.length;
}"""

# Where the focus is: its number (-1: nothing that was expected), whether that is the one before,
# whether one sees a mark of it (WCAG 2.4.7), and whether something else hides it (2.4.11).
LOOK = """() => {
  const it = document.activeElement;
  if (it === null || it === document.body || it === document.documentElement) return null;
  const stop = window.stops.get(it), marks = window.lookOf(it);
  const isMarked = marks.some((mark, i) => {
    const [hasOutline, shadow] = JSON.parse(mark);
    const [hadOutline, shadowBefore] = JSON.parse(stop?.before[i] ?? "[false, \\"none\\"]");
    return (hasOutline && !hadOutline) || (shadow !== "none" && shadow !== shadowBefore);
  });
  const whole = it.closest("label") ?? it;
  const isSeen = [...whole.getClientRects()].some((box) =>
    [0.1, 0.3, 0.5, 0.7, 0.9].some((x) => [0.1, 0.5, 0.9].some((y) => {
      const hit = document.elementFromPoint(box.left + x * box.width, box.top + y * box.height);
      return hit !== null && (whole.contains(hit) || it.contains(hit));
    })));
  const isSame = window.lastStop === it;
  window.lastStop = it;
  return { number: stop?.number ?? -1, isSame, isMarked, isSeen,
    html: window.tagOf(it) };
}"""

# What Chromium calls by names of its own.
ROLES = {
    "DisclosureTriangle": "summary",
    "DisclosureTriangleGrouped": "summary",
    "Date": "date field",
}

NAMES = "[...window.stops.keys()].map(window.tagOf)"


@dataclass
class Walk:
    """`stops` are (role, name) in their order, `faults` what is wrong on the way."""

    stops: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def walk(page: Page, start: str = "") -> Walk:
    """Press Tab until the focus leaves the page, and look at every stop. Begins at what the
    selector `start` names, else at the top."""
    found, seen, parts = Walk(), set[int](), 0
    first: int | None = None
    wanted = int(await page.evaluate(BEGIN, start))
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Accessibility.enable")
    while True:
        await page.keyboard.press("Tab")
        here: dict[str, Any] | None = await page.evaluate(LOOK)
        if here is None:
            break
        if here["number"] in seen and not here["isSame"]:
            if here["number"] != first:
                found.faults.append(f"in a circle from {here['html']}")
            break
        parts = parts + 1 if here["isSame"] else 0
        if parts > MOST_PARTS or len(found.stops) > MOST_STOPS:
            found.faults.append(f"no way on from {here['html']}")
            break
        if here["isSame"]:
            continue
        first = here["number"] if first is None else first
        role, name = await _told(devtools)
        _judge(found, here, name)
        found.stops.append((role, name))
        if here["number"] >= 0:
            seen.add(here["number"])
    missed = set(range(wanted)) - seen
    if missed:
        html: list[str] = await page.evaluate(NAMES)
        found.faults += [f"not reached: {html[number]}" for number in sorted(missed)]
    await devtools.detach()
    return found


def _judge(found: Walk, here: dict[str, Any], name: str) -> None:
    if not here["isMarked"]:
        found.faults.append(f"focus not visible: {here['html']}")
    if not here["isSeen"]:
        found.faults.append(f"focus hidden: {here['html']}")
    if not name:
        found.faults.append(f"without a name: {here['html']}")


async def _told(devtools: CDPSession) -> tuple[str, str]:
    """Role and name of what has the focus, as the browser tells assistive technology."""
    focused = await devtools.send("Runtime.evaluate", {"expression": "document.activeElement"})
    tree = await devtools.send(
        "Accessibility.getPartialAXTree",
        {"objectId": focused["result"]["objectId"], "fetchRelatives": False},
    )
    (node,) = tree["nodes"]
    texts = [str(node.get(key, {}).get("value", "")) for key in ("role", "name")]
    role, name = (" ".join(text.split()) for text in texts)
    return ROLES.get(role, role), name
