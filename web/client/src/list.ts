// The list of cards. Live changes fill cards in place or wait: nothing moves by itself.
import { fillCard, markGone, newCard, refreshAge } from "./card";
import type { Homes } from "./homes";
import { element, type Feature } from "./types";

const CHUNK = 50;

export class List {
  readonly #cards = new Map<string, HTMLElement>();
  /** Homes that came while the page was open and have no card yet. */
  readonly #arrived = new Set<string>();
  readonly #list = element("cards");
  readonly #news = element<HTMLButtonElement>("news");
  readonly #more = element("more");

  constructor(readonly homes: Homes) {
    for (const card of this.#list.querySelectorAll<HTMLElement>("[data-home]")) {
      this.#cards.set(card.dataset["home"] ?? "", card);
    }
    this.#news.addEventListener("click", () => this.#showNews());
    this.#more.querySelector("a")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#append();
    });
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
  }

  card(id: string): HTMLElement | undefined {
    return this.#cards.get(id);
  }

  /** A home is new, or has changed. `isNew` if it did not match a moment ago. */
  update(feature: Feature, isNew: boolean): void {
    const card = this.#cards.get(feature.id);
    if (card !== undefined) fillCard(card, feature, this.homes);
    else if (isNew) this.#arrived.add(feature.id);
  }

  gone(id: string): void {
    this.#arrived.delete(id);
    const card = this.#cards.get(id);
    if (card !== undefined) markGone(card, this.homes.language);
  }

  /** Bring the cards to the state of all homes, after a load or a reset. */
  reconcile(): void {
    for (const [id, card] of this.#cards) {
      const feature = this.homes.get(id);
      if (feature === undefined) this.gone(id);
      else if (card.dataset["revision"] !== String(feature.properties.revision)) {
        fillCard(card, feature, this.homes);
      }
    }
    this.refresh();
  }

  refreshAges(): void {
    for (const card of this.#cards.values()) refreshAge(card, this.homes.language);
  }

  /** The button for what waits, the counts, and the words for an empty list. */
  refresh(): void {
    const { language } = this.homes;
    const waiting = this.#waiting();
    const places = waiting.reduce((sum, { properties }) => sum + this.homes.free(properties), 0);
    this.#news.hidden = waiting.length === 0;
    const label = places > 0 ? language.plural("newPlaces", places) : language.text("showChanges");
    this.#news.firstElementChild!.textContent = label;
    element("nothing").hidden = this.#cards.size > 0;
    const rest = this.homes.size - this.#shownHomes() - waiting.length;
    this.#more.hidden = rest <= 0;
    element("shown").textContent = language.text("shown", {
      shown: language.number(this.#shownHomes()),
      total: language.number(this.homes.size),
    });
  }

  #shownHomes(): number {
    let shown = 0;
    for (const id of this.#cards.keys()) if (this.homes.get(id) !== undefined) shown += 1;
    return shown;
  }

  /** New homes that belong among the cards; those behind them come with "show more". */
  #waiting(): Feature[] {
    const last = [...this.#cards.keys()].reverse().find((id) => this.homes.get(id) !== undefined);
    const lastHome = last === undefined ? undefined : this.homes.get(last);
    const all = this.#more.hidden;
    return [...this.#arrived]
      .map((id) => this.homes.get(id))
      .filter((home): home is Feature => home !== undefined)
      .filter((home) => all || lastHome === undefined || this.homes.isBefore(home, lastHome));
  }

  #showNews(): void {
    const first = this.#waiting()[0];
    const count = Math.max(CHUNK, this.#cards.size + this.#waiting().length);
    const features = this.homes.sorted().slice(0, count);
    const cards = features.map((home) => this.#cards.get(home.id) ?? newCard(home, this.homes));
    this.#cards.clear();
    features.forEach((home, i) => this.#cards.set(home.id, cards[i]!));
    features.forEach((home) => this.#arrived.delete(home.id));
    this.#list.replaceChildren(...cards);
    this.refresh();
    // The button is gone: go on at what it was pressed for.
    if (first !== undefined) this.focus(first.id);
  }

  #append(): void {
    const next = this.homes
      .sorted()
      .filter((home) => !this.#cards.has(home.id))
      .slice(0, CHUNK);
    for (const home of next) {
      this.#cards.set(home.id, newCard(home, this.homes));
      this.#arrived.delete(home.id);
    }
    this.#list.append(...next.map((home) => this.#cards.get(home.id)!));
    this.refresh();
    if (next[0] !== undefined) this.focus(next[0].id);
  }

  focus(id: string): void {
    this.#cards.get(id)?.querySelector<HTMLElement>("[data-part=name]")?.focus();
  }

  #walk(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const card = (event.target as Element).closest("[data-home]");
    const next = step === 1 ? card?.nextElementSibling : card?.previousElementSibling;
    if (!next) return;
    event.preventDefault();
    next.querySelector<HTMLElement>("[data-part=name]")?.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}
