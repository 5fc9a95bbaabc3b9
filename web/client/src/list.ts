// The list of cards. Live changes fill cards in place or wait: nothing moves by itself.
import { fillCard, markGone, newCard, refreshAge } from "./card";
import type { Homes, Spot } from "./homes";
import { element, type Feature } from "./types";

export class List {
  readonly #cards = new Map<string, HTMLElement>();
  /** Homes that came while the page was open, belong among the cards and have none yet. */
  readonly #arrived = new Map<string, Feature>();
  /** What has changed while more cards are on their way. */
  #meanwhile: Map<string, Feature> | undefined;
  readonly #list = element("cards");
  readonly #news = element<HTMLButtonElement>("news");
  readonly #more = element("more");
  readonly #link = this.#more.querySelector("a")!;

  constructor(readonly homes: Homes) {
    this.#take(this.#list.children);
    this.#news.addEventListener("click", () => this.#showNews());
    this.#link.addEventListener("click", (event) => {
      event.preventDefault();
      void this.#append();
    });
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
  }

  card(id: string): HTMLElement | undefined {
    return this.#cards.get(id);
  }

  /** A home is new, or has changed. */
  update(feature: Feature): void {
    const card = this.#cards.get(feature.id);
    this.#meanwhile?.set(feature.id, feature);
    if (card === undefined) {
      if (this.#belongs(this.homes.get(feature.id))) this.#arrived.set(feature.id, feature);
    } else if (Number(card.dataset["revision"]) <= feature.properties.revision) {
      fillCard(card, feature, this.homes);
    }
  }

  gone(id: string): void {
    this.#arrived.delete(id);
    this.#meanwhile?.delete(id);
    const card = this.#cards.get(id);
    if (card !== undefined) markGone(card, this.homes.language);
  }

  /** Another history begins: its revisions have nothing to do with those of the cards. */
  forget(): void {
    this.#arrived.clear();
    for (const card of this.#cards.values()) card.dataset["revision"] = "0";
  }

  /** Cards of homes that are there no more. */
  reconcile(): void {
    for (const id of this.#cards.keys()) {
      if (this.homes.get(id) === undefined) this.gone(id);
    }
  }

  refreshAges(): void {
    for (const card of this.#cards.values()) refreshAge(card, this.homes.language);
  }

  /** The button for what waits, the counts, and the words for an empty list. */
  refresh(): void {
    const { language } = this.homes;
    const waiting = this.#waiting();
    const places = waiting.reduce((sum, spot) => sum + spot.free, 0);
    this.#news.hidden = waiting.length === 0;
    const label = places > 0 ? language.plural("newPlaces", places) : language.text("showChanges");
    this.#news.firstElementChild!.textContent = label;
    element("nothing").hidden = this.#cards.size > 0;
    element("shown").textContent = language.text("shown", {
      shown: language.number(this.#shown().length),
      total: language.number(this.homes.size),
    });
  }

  /** The homes of the cards that are still free, in the order of the cards. */
  #shown(): Spot[] {
    return this.#known(this.#cards.keys());
  }

  #waiting(): Spot[] {
    return this.#known(this.#arrived.keys()).filter((spot) => this.#belongs(spot));
  }

  #known(ids: Iterable<string>): Spot[] {
    return [...ids].map((id) => this.homes.get(id)).filter((spot) => spot !== undefined);
  }

  /** Whether a home has its place among the cards; those behind them come with "show more". */
  #belongs(spot: Spot | undefined): boolean {
    if (spot === undefined) return false;
    const shown = this.#shown();
    const [first, last] = [shown[0], shown.at(-1)];
    if (this.homes.start.after && first && this.homes.before(spot, first) < 0) return false;
    return this.#more.hidden !== false || last === undefined || this.homes.before(spot, last) < 0;
  }

  #take(cards: Iterable<Element>): void {
    for (const card of cards)
      this.#cards.set((card as HTMLElement).dataset["home"]!, card as HTMLElement);
  }

  #showNews(): void {
    const waiting = this.#waiting();
    const order = [...this.#shown(), ...waiting].sort(this.homes.before);
    const cards = order.map(
      ({ id }) => this.#cards.get(id) ?? newCard(this.#arrived.get(id)!, this.homes),
    );
    this.#cards.clear();
    this.#arrived.clear();
    this.#take(cards);
    this.#list.replaceChildren(...cards);
    this.refresh();
    // The button is gone: go on at what it was pressed for.
    if (waiting[0] !== undefined) this.focus(waiting[0].id);
  }

  /** The cards of the next page, as the link would show them. */
  async #append(): Promise<void> {
    if (this.#meanwhile !== undefined) return;
    const changed = (this.#meanwhile = new Map<string, Feature>());
    const html = await fetchPage(this.#link.href);
    this.#meanwhile = undefined;
    if (html === undefined) return; // no network: the list stays, and so does the button
    this.#appendFrom(new DOMParser().parseFromString(html, "text/html"));
    for (const feature of changed.values()) this.update(feature);
    if (!this.homes.isComplete) return;
    this.reconcile();
    this.refresh();
  }

  #appendFrom(page: Document): void {
    const cards = [...page.querySelectorAll<HTMLElement>("#cards > [data-home]")].filter(
      (card) => !this.#cards.has(card.dataset["home"]!),
    );
    this.#take(cards);
    for (const card of cards) this.#arrived.delete(card.dataset["home"]!);
    this.#list.append(...cards);
    const more = page.getElementById("more");
    this.#more.hidden = more === null || more.hidden !== false;
    this.#link.href = more?.querySelector("a")?.getAttribute("href") ?? "";
    if (cards[0] !== undefined) this.focus(cards[0].dataset["home"]!);
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

/** None without a network; with any other trouble the page itself says what is wrong. */
async function fetchPage(address: string): Promise<string | undefined> {
  try {
    const answer = await fetch(address);
    if (!answer.ok) location.assign(address);
    else return await answer.text();
  } catch {
    // The line above the list says that the connection is lost.
  }
  return undefined;
}
