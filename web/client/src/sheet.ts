// What was chosen on the map, as the same cards, over the map.
import { fillCard, markGone, newCard } from "./card";
import type { Homes } from "./homes";
import type { List } from "./list";
import { element, type Feature } from "./types";

const OF_THE_LIST_ONLY = ["is-pointed", "is-chosen", "is-apart"];

export class Sheet {
  readonly #node = element("sheet");
  readonly #cards = element("sheet-cards");
  /** The homes that are shown. */
  #ids: readonly string[] = [];

  constructor(
    readonly homes: Homes,
    readonly list: List,
    /** It was closed by the reader, who goes on at the mark of that home. */
    readonly closed: (id: string | undefined) => void,
  ) {
    element("sheet-close").addEventListener("click", () => this.close());
    this.#node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  get isOpen(): boolean {
    return !this.#node.hidden;
  }

  get box(): DOMRect {
    return this.#node.getBoundingClientRect();
  }

  /** Show these homes. Returns those of which the list has no card, or nothing if something
   * else was chosen in the meantime. */
  async show(ids: readonly string[]): Promise<Feature[] | undefined> {
    this.#ids = ids;
    const missing = ids.filter((id) => this.list.card(id) === undefined);
    const asked = await Promise.all(
      missing.map((id) => this.homes.fetch(id).catch(() => undefined)),
    );
    if (this.#ids !== ids) return undefined;
    const found = new Map(
      asked.filter((home) => home !== undefined).map((home) => [home.id, home]),
    );
    const cards = ids.map((id) => this.#copy(id, found.get(id)));
    this.#cards.replaceChildren(...cards.filter((card) => card !== undefined));
    this.#node.hidden = this.#cards.childElementCount === 0;
    if (this.isOpen) this.#node.focus();
    return [...found.values()];
  }

  hide(): void {
    this.#ids = [];
    this.#node.hidden = true;
  }

  close(): void {
    const [id] = this.#ids;
    const hadFocus = this.#node.contains(document.activeElement);
    this.hide();
    this.closed(hadFocus ? id : undefined);
  }

  update(feature: Feature): void {
    const card = this.#card(feature.id);
    if (card !== undefined) fillCard(card, feature, this.homes);
  }

  gone(id: string): void {
    const card = this.#card(id);
    if (card !== undefined) markGone(card, this.homes.language);
  }

  #card(id: string): HTMLElement | undefined {
    const cards = [...this.#cards.children] as HTMLElement[];
    return cards.find((card) => card.dataset["home"] === id);
  }

  /** The card of the list again, or one with what the server says. */
  #copy(id: string, feature: Feature | undefined): HTMLElement | undefined {
    const card = this.list.card(id)?.cloneNode(true) as HTMLElement | undefined;
    card?.classList.remove(...OF_THE_LIST_ONLY);
    card?.removeAttribute("aria-current");
    return card ?? (feature && newCard(feature, this.homes));
  }
}
