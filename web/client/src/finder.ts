// The finder: the server's list goes on living. One store of homes, one stream, and the list,
// the map and the answer as views of it.
import "./style.scss";
import "./form";
import { answer } from "./answer";
import { newCard } from "./card";
import { countChoices } from "./facets";
import { Homes } from "./homes";
import { List } from "./list";
import type { HomeMap } from "./map";
import { Status } from "./status";
import { Stream } from "./stream";
import { element, readStart, type Feature, type FinderStart } from "./types";
import { Language } from "./words";

const AGES_MS = 30_000;
const REFRESH_MS = 400;
const RETRY_LOAD_MS = 5_000;
// From 60 rem the list and the map stand side by side (style.scss).
const wide = matchMedia("(min-width: 60rem)");

const start = readStart<FinderStart>();
const language = new Language(start.words);
const homes = new Homes(start, language);
const list = new List(homes);
const status = new Status(language, new Date(start.asOf));
const split = element("split");
const sheet = element("sheet");

let map: HomeMap | undefined;
let chosen: string[] = [];
let refreshTimer: ReturnType<typeof setTimeout> | undefined;
let refreshMs = REFRESH_MS;

/** Bring answer, list and map up to date: at most so often, however much comes in. */
function refreshSoon(): void {
  if (homes.isComplete) refreshTimer ??= setTimeout(refresh, refreshMs);
}

function refresh(): void {
  const began = performance.now();
  refreshTimer = undefined;
  const sentence = answer(homes);
  const shown = element("answer");
  if (shown.textContent !== sentence) shown.textContent = sentence;
  status.sayLater(sentence);
  list.refresh();
  map?.refresh();
  // Thousands of homes on a slow phone: never busy for more than a tenth of the time.
  refreshMs = Math.max(REFRESH_MS, 9 * (performance.now() - began));
}

function onListing(feature: Feature): void {
  const had = homes.get(feature.id)?.free ?? 0;
  // The cards may be from before the points: what is no news here can be news for them.
  if (homes.put(feature) && homes.isComplete) status.count(homes.get(feature.id)!.free - had);
  list.update(feature);
  refreshChosen(feature);
  refreshSoon();
}

function onGone(id: string): void {
  status.count(-(homes.delete(id)?.free ?? 0));
  list.gone(id);
  refreshSoon();
}

function openStream(cursor: string): void {
  new Stream(start.search, cursor, {
    listing: onListing,
    gone: onGone,
    connection: (state) => status.show(state),
    reset() {
      homes.clear();
      list.forget();
    },
    ready() {
      if (homes.isComplete) return;
      homes.isComplete = true;
      list.reconcile();
      refreshSoon();
    },
  });
}

async function load(): Promise<void> {
  try {
    const cursor = await homes.load();
    refresh();
    document.documentElement.dataset["loaded"] = String(homes.size);
    openStream(cursor);
  } catch {
    status.show("lost");
    setTimeout(() => void load(), RETRY_LOAD_MS);
  }
}

// ---- the map and what is chosen on it ----

async function startMap(): Promise<void> {
  if (map !== undefined) return;
  try {
    const { HomeMap } = await import("./map");
    map ??= new HomeMap(homes, { chosen: (ids) => void showChosen(ids), pointed: pointAt });
    if (homes.isComplete) map.refresh();
  } catch {
    element("map").textContent = language.text("mapFailed");
  }
}

function pointAt(id: string | undefined): void {
  for (const card of document.querySelectorAll(".card.is-pointed")) {
    card.classList.remove("is-pointed");
  }
  if (id !== undefined) list.card(id)?.classList.add("is-pointed");
  map?.point(id);
}

/** The chosen homes as the same cards, over the map; in the list, the card comes into view. */
async function showChosen(ids: string[]): Promise<void> {
  chosen = ids;
  const found = await Promise.all(ids.map(copyOfCard));
  if (chosen !== ids) return; // something else by now
  const cards = found.filter((card) => card !== undefined);
  element("sheet-cards").replaceChildren(...cards);
  sheet.hidden = cards.length === 0;
  const [id] = ids;
  map?.choose(ids.length === 1 && id !== undefined ? id : "", sheet.getBoundingClientRect());
  if (sheet.hidden) return;
  sheet.focus();
  pointAt(id);
  if (wide.matches && id !== undefined) list.card(id)?.scrollIntoView({ block: "nearest" });
}

/** The card of the list again, or one with what the server says; none if it does not answer. */
async function copyOfCard(id: string): Promise<HTMLElement | undefined> {
  const card = list.card(id)?.cloneNode(true) as HTMLElement | undefined;
  card?.classList.remove("is-pointed");
  return (
    card ??
    homes
      .fetch(id)
      .then((home) => newCard(home, homes))
      .catch(() => undefined)
  );
}

function refreshChosen(feature: Feature): void {
  for (const card of element("sheet-cards").children) {
    if ((card as HTMLElement).dataset["home"] === feature.id) {
      card.replaceWith(newCard(feature, homes));
    }
  }
}

/** The focus goes back to the mark for which the sheet was opened. */
async function closeSheet(): Promise<void> {
  const [id] = chosen;
  const hadFocus = sheet.contains(document.activeElement);
  await showChosen([]);
  if (hadFocus && id !== undefined) map?.focus(id);
}

element("sheet-close").addEventListener("click", () => void closeSheet());
sheet.addEventListener("keydown", (event) => {
  if (event.key === "Escape") void closeSheet();
});
// Who goes on with the keyboard must see where: the sheet may cover it.
element("map").addEventListener("focusin", ({ target }) => {
  if (!sheet.hidden && (target as Element).matches(":focus-visible")) void showChosen([]);
});

const cards = element("cards");
const idAt = (event: Event): string | undefined =>
  (event.target as Element).closest<HTMLElement>("[data-home]")?.dataset["home"];
cards.addEventListener("pointerover", (event) => map?.point(idAt(event)));
cards.addEventListener("pointerleave", () => map?.point(undefined));
cards.addEventListener("focusin", (event) => map?.point(idAt(event)));
cards.addEventListener("focusout", () => map?.point(undefined));

// ---- list or map, where there is no room for both ----

function show(view: string): void {
  split.dataset["view"] = view;
  for (const button of element("switch").querySelectorAll<HTMLElement>("button")) {
    button.setAttribute("aria-pressed", String(button.dataset["view"] === view));
  }
  if (view !== "map") return;
  void startMap().then(() => map?.resize());
  element("switch").scrollIntoView({ block: "start" });
}

element("switch").addEventListener("click", (event) => {
  const view = (event.target as Element).closest("button")?.dataset["view"];
  if (view !== undefined) show(view);
});
wide.addEventListener("change", () => {
  if (wide.matches) void startMap().then(() => map?.resize());
  else map?.resize();
});

countChoices(element<HTMLFormElement>("search"));
setInterval(() => {
  list.refreshAges();
  status.tick();
}, AGES_MS);

status.show("connecting");
if (wide.matches) void startMap();
void load();
