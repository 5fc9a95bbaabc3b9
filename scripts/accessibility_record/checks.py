"""What a page must do for everybody: the rules of axe-core, and width at 400 %."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Page

CLIENT = Path(__file__).parents[2] / "web" / "client"
AXE = CLIENT / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2, levels A and AA, and what is no rule but good practice.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

RUN = """async (tags) => {
  const options = { runOnly: tags, rules: { "target-size": { enabled: true } } };
  const { violations, incomplete } = await axe.run(options);
  const short = (rules) => rules.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
  return { violations: short(violations), undecided: short(incomplete) };
}"""

# WCAG 1.4.10: nothing is wider than the window, be it cut off or in a box that scrolls sideways.
# Maps may be; so may tables and program text in a box of their own.
TOO_WIDE = """() => {
  const scroller = document.scrollingElement, found = [];
  if (scroller.scrollWidth > innerWidth) found.push(`page: ${scroller.scrollWidth} pixels`);
  const free = "#map, table, pre, .kern-sr-only, .spoken, .skip, svg";
  for (const it of document.body.querySelectorAll("*")) {
    if (it.closest(free) || !it.checkVisibility({ visibilityProperty: true })) continue;
    const name = `${it.tagName.toLowerCase()}.${[...it.classList].join(".")}`;
    const style = getComputedStyle(it), scrolls = ["auto", "scroll"].includes(style.overflowX);
    if (scrolls && it.scrollWidth > it.clientWidth + 1 && !it.querySelector("table, pre"))
      found.push(`${name} scrolls sideways`);
    const box = it.getBoundingClientRect();
    const hasText = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isClipped = style.clipPath !== "none" || box.width <= 1;
    if (hasText && !isClipped && (box.right > innerWidth + 1 || box.left < -1))
      if (!it.closest(":has(> table), :has(> pre)")) found.push(`${name} is cut off`);
  }
  return found;
}"""


async def broken_rules(page: Page) -> tuple[list[str], set[str]]:
    """What axe-core finds, light and dark: violations with their places, and the names of rules
    about which it cannot decide. Needs a context that bypasses the content security policy."""
    # Cards far down are laid out when they come near, and their places are guessed until then:
    # axe-core, which scrolls, would see them on top of each other.
    await page.add_style_tag(content=".card { content-visibility: visible !important; }")
    await page.evaluate(AXE.read_text())
    violations: list[str] = []
    undecided: set[str] = set()
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        found: dict[str, Any] = await page.evaluate(RUN, list(TAGS))
        violations += [f"{scheme}, {text}" for text in found["violations"]]
        undecided |= {text.partition(":")[0] for text in found["undecided"]}
    await page.emulate_media(color_scheme="light")
    return violations, undecided


async def too_wide(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(TOO_WIDE)
    return found
