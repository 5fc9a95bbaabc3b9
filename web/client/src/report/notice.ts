// What became of a report, below the button that sent it: text, and what can be done next.
import { element } from "../types";

export type Kind = "good" | "waits" | "bad" | "asks";

const ICONS: Record<Kind, string> = { good: "fresh", waits: "ageing", bad: "stale", asks: "stale" };

export interface Choice {
  label: string;
  isMain?: boolean;
  act: (button: HTMLButtonElement) => void;
}

const place = element("outcome");
const said = element("said");

/** Show it, and have it read out. Nothing moves the focus. */
export function showNotice(
  kind: Kind,
  texts: string[],
  { body, choices = [] }: { body?: HTMLElement; choices?: Choice[] } = {},
): HTMLButtonElement[] {
  const paragraphs = texts.filter(Boolean).map((text, number) => {
    const paragraph = document.createElement(number === 0 ? "strong" : "span");
    paragraph.append(...(number === 0 ? [icon(ICONS[kind])] : []), text);
    return paragraph;
  });
  const buttons = choices.map(newButton);
  const row = document.createElement("div");
  row.className = "outcome-choices";
  row.append(...buttons);
  place.dataset["kind"] = kind;
  place.replaceChildren(...paragraphs, ...(body ? [body] : []), row);
  place.hidden = false;
  const sentence = texts.filter(Boolean).join(" ");
  if (said.textContent !== sentence) said.textContent = sentence;
  return buttons;
}

export function hideNotice(): void {
  place.hidden = true;
  place.replaceChildren();
}

function newButton({ label, isMain, act }: Choice): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `kern-btn kern-btn--${isMain === true ? "primary" : "secondary"}`;
  const text = document.createElement("span");
  text.className = "kern-label";
  text.textContent = label;
  button.append(text);
  button.addEventListener("click", () => act(button));
  return button;
}

function icon(name: string): SVGElement {
  const [svg, use] = ["svg", "use"].map((tag) =>
    document.createElementNS("http://www.w3.org/2000/svg", tag),
  ) as [SVGElement, SVGElement];
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
