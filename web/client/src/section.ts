// The part of the map to which the reader has gone: the list, the answer and the address follow.
import { padded, written, type Box } from "./area";
import type { Homes } from "./homes";
import type { List } from "./list";
import { element } from "./types";

const SETTLE_MS = 250;
// Homes are fetched for so much around, so that the next moves need nothing new.
const AROUND = 1;

export interface SectionListener {
  /** The list shows other homes of those that are known. */
  changed(): void;
  /** Know the homes of that search from now on. */
  extend(search: string): Promise<void>;
}

export class Section {
  /** Where the list was before the reader moved the map. */
  readonly #from: { address: string; view: Box | undefined };
  readonly #cards = element("cards");
  /** Counts the moves: only what belongs to the last one is shown. */
  #move = 0;
  #isBehind = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly homes: Homes,
    readonly list: List,
    readonly listener: SectionListener,
  ) {
    this.#from = { address: location.pathname + location.search, view: homes.view };
  }

  /** The reader has come to rest there, or will in a moment. */
  moveTo(box: Box): void {
    this.#show(box, addressOf(box));
  }

  /** To the list with which the page began. */
  back(): void {
    this.#show(this.#from.view, this.#from.address);
  }

  get isAway(): boolean {
    return this.homes.view !== this.#from.view;
  }

  /** There is a network again. */
  retry(): void {
    const { view } = this.homes;
    if (!this.#isBehind) return;
    if (view === undefined || !this.isAway) this.back();
    else this.moveTo(view);
  }

  /** Answer and counts at once, from what is known; the cards when the moving is over. */
  #show(view: Box | undefined, address: string): void {
    if (view !== undefined || this.#covers(view)) this.homes.view = view;
    this.listener.changed();
    this.#cards.setAttribute("aria-busy", "true");
    const move = ++this.#move;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#follow(move, view, address), SETTLE_MS);
  }

  async #follow(move: number, view: Box | undefined, address: string): Promise<void> {
    const { homes, list } = this;
    try {
      if (!this.#covers(view)) {
        await this.listener.extend(searchOf(homes.search, homes.start.search, view));
      }
      if (move !== this.#move) return;
      homes.view = view;
      await list.replaceBy(address, (page) => {
        if (move !== this.#move) return false;
        history.replaceState(null, "", address);
        take(page);
        return true;
      });
      if (move === this.#move) this.#isBehind = false;
    } catch {
      // No network: the line above the list says so, and what was shown stays.
      this.#isBehind = true;
    }
    if (move !== this.#move) return;
    this.#cards.removeAttribute("aria-busy");
    this.listener.changed();
  }

  #covers(view: Box | undefined): boolean {
    const { homes } = this;
    return view === undefined ? homes.search === homes.start.search : homes.covers(view);
  }
}

/** The address of the page that shows that part of the map, for the same wishes. */
function addressOf(box: Box): string {
  const args = new URLSearchParams(location.search);
  for (const name of ["after", "radius_km", "bbox"]) args.delete(name);
  // Says that the part belongs to this place: another place in the form ends it (form.py).
  for (const number of ["", "2"]) {
    const place = args.get(`place${number}`);
    if (place !== null && !args.has(`near${number}`)) args.set(`label${number}`, place);
  }
  args.set("bbox", written(box));
  return `${location.pathname}?${args}`;
}

function searchOf(search: string, first: string, view: Box | undefined): string {
  if (view === undefined) return first;
  const args = new URLSearchParams(search);
  args.delete("radius_km");
  args.set("bbox", written(padded(view, AROUND)));
  return args.toString();
}

/** The parts of the page that speak of the search: each says so by `data-follows`. */
function take(page: Document): void {
  document.title = page.title;
  for (const old of document.querySelectorAll<HTMLElement>("[data-follows]")) {
    const now = page.querySelector<HTMLElement>(`[data-follows="${old.dataset["follows"]}"]`);
    if (now === null || old.innerHTML === now.innerHTML) continue;
    const hadFocus = old.contains(document.activeElement);
    // Of options that are moved it is not said which one is chosen.
    const chosen = now instanceof HTMLSelectElement ? now.value : undefined;
    old.replaceChildren(...now.childNodes);
    if (chosen !== undefined) (old as HTMLSelectElement).value = chosen;
    old.hidden = now.hidden;
    if (hadFocus) element("list").focus();
  }
}
