// The numbers beside the choices of the search form, and on its button: kept true while one
// chooses. Without this they are those of the page.
import { readStart, type FinderStart } from "./types";
import { Language } from "./words";

const FACETS = "/api/v1/vacancies/facets";
const WAIT_MS = 150;
// What of the search stands outside of the panels, or is as it was.
const AREA = ["near", "bbox"];

interface Facets {
  total: number;
  counts: Record<string, Record<string, number>>;
}

export function countChoices(form: HTMLFormElement): void {
  const start = readStart<FinderStart>();
  const language = new Language(start.words);
  const place = form.querySelector<HTMLInputElement>("#f-place");
  const placeAtFirst = place?.value;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  /** The search that the form would make, in the area that the page shows. */
  function search(): URLSearchParams {
    const shown = new URLSearchParams(start.search);
    const wanted = new URLSearchParams();
    const data = new FormData(form);
    // Of a map that has been moved since.
    const box = data.get("bbox");
    if (typeof box === "string") shown.set("bbox", box);
    else shown.delete("bbox");
    for (const name of AREA) for (const value of shown.getAll(name)) wanted.append(name, value);
    for (const [name, value] of data) {
      const isOutside = [...AREA, "lang"].includes(name) || /^(place|label|near)/.test(name);
      if (!isOutside && typeof value === "string" && value !== "") wanted.append(name, value);
    }
    if (!shown.has("near")) wanted.delete("radius_km");
    return wanted;
  }

  async function refresh(): Promise<void> {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${FACETS}?${search()}`, { signal: asked.signal });
      if (answer.ok) show((await answer.json()) as Facets);
      else say(language.text("showPlaces")); // an entry that is not complete yet
    } catch {
      if (!asked.signal.aborted) say(language.text("showPlaces"));
    }
  }

  function show({ total, counts }: Facets): void {
    for (const node of form.querySelectorAll<HTMLElement>("[data-count]")) {
      const [name, value] = node.dataset["count"]!.split("=", 2) as [string, string];
      const count = counts[name]?.[value] ?? 0;
      const label = node.dataset["label"];
      node.textContent =
        label === undefined
          ? language.plural("homes", count)
          : `${label} (${language.number(count)})`;
    }
    const isSameArea = place === null || place.value === placeAtFirst;
    say(isSameArea ? language.plural("showHomes", total) : language.text("showPlaces"));
  }

  function say(text: string): void {
    for (const label of form.querySelectorAll("[data-shown]")) label.textContent = text;
  }

  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), WAIT_MS);
  };
  form.addEventListener("input", soon);
  for (const panel of form.querySelectorAll("details.drop")) {
    panel.addEventListener("toggle", () => {
      if ((panel as HTMLDetailsElement).open) void refresh();
    });
  }
}
