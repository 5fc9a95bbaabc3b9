// A field for a place that suggests some as one types: a combobox with a listbox, as the ARIA
// Authoring Practices have it. It works without: then the server asks which place is meant.
import type { Spoken } from "./types";
import type { Language } from "./words";

const SUGGEST = "/api/v1/places/suggest";
const PAUSE_MS = 120;
const SHORTEST = 2;
const RADIUS = /(\d{1,3})\s*km\b/i;
// Whoever needs care may live there: a street and its number are not sent for suggestions.
const STREET = /^.*\p{L}.*?\s\d{1,4}\s?[a-z]?(?:\s*,\s*|\s+(?=\p{L})|\s*$)/iu;

export type PlaceWords = Language<Spoken>;

interface Suggestion {
  label: string;
  latitude: number;
  longitude: number;
  land: string;
  near_town: string;
}

export class PlaceField {
  readonly #list = document.createElement("ul");
  readonly #said = document.createElement("span");
  #found: Suggestion[] = [];
  #active = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the newest question only the answer counts. */
  #asking: AbortController | undefined;

  constructor(
    readonly input: HTMLInputElement,
    readonly language: PlaceWords,
  ) {
    const { id } = input;
    this.#list.id = `${id}-suggestions`;
    this.#list.className = "suggestions";
    this.#list.setAttribute("role", "listbox");
    // What scrolls can have the focus; Tab would go there, and be lost when it closes.
    this.#list.tabIndex = -1;
    this.#list.setAttribute("aria-label", input.labels?.[0]?.textContent ?? "");
    this.#said.className = "kern-sr-only";
    this.#said.setAttribute("role", "status");
    input.type = "text"; // a search field of the browser empties itself with Escape
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.#list.id);
    input.after(this.#list, this.#said);
    this.#close();
    input.addEventListener("input", (event) => {
      if (!(event as InputEvent).isComposing) this.#askSoon();
    });
    input.addEventListener("compositionend", () => this.#askSoon());
    input.addEventListener("keydown", (event) => this.#onKey(event));
    input.addEventListener("blur", () => this.#close());
    // The field keeps the focus, and the keyboard of the phone stays open.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest("[role=option]");
      this.#choose([...this.#list.children].indexOf(option as Element));
    });
  }

  /** This place from now on, and its very point: nobody needs to ask which one is meant. */
  take(label: string, latitude: number | string, longitude: number | string): void {
    const number = this.input.name.replace("place", "");
    this.input.value = label;
    this.#set(`near${number}`, `${latitude},${longitude}`);
    this.#set(`label${number}`, label);
  }

  #set(name: string, value: string): void {
    const { form } = this.input;
    const known = form?.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`) ?? [];
    for (const old of known) old.remove();
    const hidden = document.createElement("input");
    hidden.type = "hidden";
    hidden.name = name;
    hidden.value = value;
    form?.append(hidden);
  }

  // ---- asking ----

  #askSoon(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const text = placeIn(this.input.value);
    if (text.length < SHORTEST) this.#close();
    else this.#timer = setTimeout(() => void this.#ask(text), PAUSE_MS);
  }

  async #ask(q: string): Promise<void> {
    const asking = (this.#asking = new AbortController());
    try {
      const address = `${SUGGEST}?${new URLSearchParams({ q })}`;
      const answer = await fetch(address, { signal: asking.signal });
      const found = answer.ok ? ((await answer.json()) as Suggestion[]) : [];
      if (!asking.signal.aborted && document.activeElement === this.input) this.#show(found);
    } catch {
      // No network, or asked again by now: what is typed can be sent all the same.
    }
  }

  // ---- the list ----

  #show(found: Suggestion[]): void {
    this.#close();
    this.#found = found;
    if (found.length === 0) return;
    this.#list.replaceChildren(...found.map((place, i) => this.#option(place, i)));
    this.#list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#said.textContent = this.language.plural("suggestions", found.length);
  }

  #option({ label, land, near_town: town }: Suggestion, i: number): HTMLElement {
    const option = document.createElement("li");
    option.id = `${this.#list.id}-${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const more = document.createElement("span");
    const known = label.endsWith(land) ? "" : land;
    more.textContent = town ? this.language.text("besideTown", { town }) : known;
    option.append(label, " ", more);
    return option;
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#found = [];
    this.#active = -1;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#said.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const isOpen = !this.#list.hidden;
    if (event.key === "ArrowDown" && !isOpen) this.#askSoon();
    else if (!isOpen) return;
    else if (event.key === "ArrowDown") this.#point(this.#active + 1);
    else if (event.key === "ArrowUp") this.#point(this.#active - 1);
    else if (event.key === "Enter" && this.#active >= 0) this.#choose(this.#active);
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Escape would fold the panel, too
  }

  /** Round and round, with the field itself between the last and the first. */
  #point(to: number): void {
    const options = [...this.#list.children];
    this.#active = to < -1 ? options.length - 1 : to >= options.length ? -1 : to;
    options.forEach((option, i) =>
      option.setAttribute("aria-selected", String(i === this.#active)),
    );
    const option = options[this.#active];
    if (option === undefined) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", option.id);
    option?.scrollIntoView({ block: "nearest" });
  }

  #choose(i: number): void {
    const place = this.#found[i];
    if (place === undefined) return;
    const km = RADIUS.exec(this.input.value)?.[0];
    this.take(place.label, place.latitude, place.longitude);
    if (km !== undefined) this.input.value += ` ${km}`; // the server reads it there
    this.#close();
  }
}

/** What of a text names a place. */
function placeIn(text: string): string {
  return text
    .replace(RADIUS, "")
    .replace(STREET, "")
    .replace(/^[\s,]+|[\s,]+$/g, "");
}
