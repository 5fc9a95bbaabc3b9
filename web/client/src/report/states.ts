// Two reports of one home side by side: one was made here, the other is stored.
import type { Line } from "./queue";
import type { Spoken } from "../types";
import type { Language } from "../words";

export interface Side {
  heading: string;
  at: string | null;
  lines: Line[];
}

/** Places by care form, summed, in the order of the page. */
function counts(lines: Line[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { care_form, count } of lines) {
    if (count > 0) found.set(care_form, (found.get(care_form) ?? 0) + count);
  }
  return found;
}

export function sideBySide(sides: Side[], language: Language<Spoken>): HTMLElement {
  const both = document.createElement("div");
  both.className = "states";
  both.append(...sides.map((side) => column(side, language)));
  return both;
}

function column({ heading, at, lines }: Side, language: Language<Spoken>): HTMLElement {
  const part = document.createElement("section");
  part.className = "state";
  const title = document.createElement("h2");
  title.textContent = heading;
  const time = document.createElement("p");
  time.textContent = at === null ? "" : language.moment(new Date(at));
  const list = document.createElement("ul");
  const found = [...counts(lines)].map(
    ([form, count]) => `${language.number(count)} ${language.words.careForms[form] ?? form}`,
  );
  for (const text of found.length > 0 ? found : [language.text("none")]) {
    const row = document.createElement("li");
    row.textContent = text;
    list.append(row);
  }
  part.append(title, time, list);
  return part;
}
