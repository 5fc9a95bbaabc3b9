// The list of cards. Live changes fill cards in place or wait: nothing moves by itself.
import { fillCard, markGone, newCard, refreshAge } from "./card";
import type { Homes, Spot } from "./homes";
import { element, type Feature } from "./types";

export class List {
  readonly #cards = new Map<string, HTMLElement>();
  /** Homes that came while the page was open, belong among the cards and have none yet. */
  readonly #arrived = new Map<string, Feature>();
  /** Cards of homes that come later in the list, shown at its end because they were chosen. */
  readonly #apart = new Set<string>();
  /** What has changed while cards are on their way. */
  readonly #meanwhile = new Set<Map<string, Feature>>();
  #isAppending = false;
  #beginsInside: boolean;
  readonly #list = element("cards");
  readonly #news = element<HTMLButtonElement>("news");
  readonly #more = element("more");
  readonly #link = this.#more.querySelector("a")!;

  constructor(readonly homes: Homes) {
    this.#beginsInside = homes.start.after;
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
    for (const changed of this.#meanwhile) changed.set(feature.id, feature);
    if (card === undefined) {
      if (this.#belongs(this.homes.get(feature.id))) this.#arrived.set(feature.id, feature);
    } else if (Number(card.dataset["revision"]) <= feature.properties.revision) {
      fillCard(card, feature, this.homes);
    }
  }

  gone(id: string): void {
    this.#arrived.delete(id);
    for (const changed of this.#meanwhile) changed.delete(id);
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
    return this.#known(this.#cards.keys()).filter((spot) => this.homes.isShown(spot));
  }

  #waiting(): Spot[] {
    return this.#known(this.#arrived.keys()).filter((spot) => this.#belongs(spot));
  }

  #known(ids: Iterable<string>): Spot[] {
    return [...ids].map((id) => this.homes.get(id)).filter((spot) => spot !== undefined);
  }

  /** Whether a home has its place among the cards; those behind them come with "show more". */
  #belongs(spot: Spot | undefined): boolean {
    if (spot === undefined || !this.homes.isShown(spot)) return false;
    const shown = this.#shown().filter(({ id }) => !this.#apart.has(id));
    const [first, last] = [shown[0], shown.at(-1)];
    if (this.#beginsInside && first && this.homes.before(spot, first) < 0) return false;
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
    if (this.#isAppending) return;
    this.#isAppending = true;
    const address = this.#link.href;
    try {
      // By then the list may be another one.
      await this.#takePage(address, (page) => {
        if (this.#link.href === address) this.#appendFrom(page);
      });
    } catch (error) {
      // Without a network the list stays, and so does the button; with any other trouble the
      // page itself says what is wrong.
      if (error instanceof Refused) location.assign(address);
    } finally {
      this.#isAppending = false;
    }
  }

  /** The cards of the page at `address` in the place of these, if they are still `wanted` then.
   * Raises without a network. */
  async replaceBy(address: string, wanted: (page: Document) => boolean): Promise<void> {
    await this.#takePage(address, (page) => {
      if (wanted(page)) this.#replaceFrom(page);
    });
  }

  async #takePage(address: string, take: (page: Document) => void): Promise<void> {
    const changed = new Map<string, Feature>();
    this.#meanwhile.add(changed);
    try {
      take(await fetchPage(address));
    } finally {
      this.#meanwhile.delete(changed);
    }
    for (const feature of changed.values()) this.update(feature);
    if (!this.homes.isComplete) return;
    this.reconcile();
    this.refresh();
  }

  #replaceFrom(page: Document): void {
    const hadFocus = this.#list.contains(document.activeElement);
    const cards = cardsOf(page).map((card) => this.#newer(card));
    for (const known of [this.#cards, this.#arrived, this.#apart]) known.clear();
    this.#take(cards);
    this.#list.replaceChildren(...cards);
    this.#beginsInside = false;
    this.#followMore(page);
    const pane = element("list");
    pane.scrollTop = 0;
    if (hadFocus && !this.#list.contains(document.activeElement)) pane.focus();
  }

  /** The card that is there already, unless the new one says more. */
  #newer(card: HTMLElement): HTMLElement {
    const known = this.#cards.get(card.dataset["home"]!);
    if (known === undefined || known.classList.contains("is-gone")) return card;
    return Number(known.dataset["revision"]) < Number(card.dataset["revision"]) ? card : known;
  }

  #appendFrom(page: Document): void {
    const apart = this.#removeApart(() => true);
    const cards = cardsOf(page).filter((card) => !this.#cards.has(card.dataset["home"]!));
    this.#take(cards);
    for (const card of cards) this.#arrived.delete(card.dataset["home"]!);
    this.#list.append(...cards);
    for (const card of apart) {
      if (!this.#cards.has(card.dataset["home"]!)) this.#putApart(card);
    }
    this.#followMore(page);
    if (cards[0] !== undefined) this.focus(cards[0].dataset["home"]!);
  }

  #followMore(page: Document): void {
    const more = page.getElementById("more");
    this.#more.hidden = more === null || more.hidden !== false;
    this.#link.href = more?.querySelector("a")?.getAttribute("href") ?? "";
  }

  /** Mark the cards of these homes as chosen, the first in view; `features` are of those that
   * the list does not reach yet. */
  choose(ids: readonly string[], features: readonly Feature[] = []): void {
    this.#removeApart(
      (card) => !ids.includes(card.dataset["home"]!) && !card.matches(":focus-within"),
    );
    for (const feature of features) {
      if (!this.#cards.has(feature.id)) this.#putApart(newCard(feature, this.homes));
    }
    for (const [id, card] of this.#cards) {
      card.classList.toggle("is-chosen", ids.includes(id));
      if (ids.includes(id)) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
    }
    if (ids[0] !== undefined) this.#cards.get(ids[0])?.scrollIntoView({ block: "nearest" });
  }

  #putApart(card: HTMLElement): void {
    card.classList.add("is-apart");
    this.#apart.add(card.dataset["home"]!);
    this.#take([card]);
    this.#list.append(card);
  }

  #removeApart(isOver: (card: HTMLElement) => boolean): HTMLElement[] {
    const cards = [...this.#apart].map((id) => this.#cards.get(id)!).filter(isOver);
    for (const card of cards) {
      this.#apart.delete(card.dataset["home"]!);
      this.#cards.delete(card.dataset["home"]!);
      card.remove();
    }
    return cards;
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

class Refused extends Error {}

/** Raises `Refused` if the server does not give it, another error without a network. */
async function fetchPage(address: string): Promise<Document> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Refused(`${address} answered ${answer.status}.`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function cardsOf(page: Document): HTMLElement[] {
  return [...page.querySelectorAll<HTMLElement>("#cards > [data-home]")];
}
