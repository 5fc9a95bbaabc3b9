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

let shown = "";

export function noticeKind(): string | undefined {
  return place.hidden ? undefined : place.dataset["kind"];
}

/** Show it, and have it read out. What is shown already stays as it is, under finger and focus;
 * `about` tells apart what has the same texts. Returns the buttons of a new notice. */
export function showNotice(
  kind: Kind,
  texts: string[],
  { body, about, choices = [] }: { body?: HTMLElement; about?: string; choices?: Choice[] } = {},
): HTMLButtonElement[] {
  const same = JSON.stringify([kind, texts, about, choices.map(({ label }) => label)]);
  if (!place.hidden && shown === same && kind !== "good") return [];
  shown = same;
  const paragraphs = texts.filter(Boolean).map((text, number) => {
    const paragraph = document.createElement(number === 0 ? "strong" : "span");
    paragraph.append(...(number === 0 ? [icon(ICONS[kind])] : []), text);
    return paragraph;
  });
  const buttons = choices.map(newButton);
  const row = document.createElement("div");
  row.className = "outcome-choices";
  row.append(...buttons);
  const hadFocus = place.contains(document.activeElement);
  place.dataset["kind"] = kind;
  place.replaceChildren(...paragraphs, ...(body ? [body] : []), row);
  place.hidden = false;
  // The button that was pressed is gone: the next one is near, not at the top of the page.
  if (hadFocus) place.focus();
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
