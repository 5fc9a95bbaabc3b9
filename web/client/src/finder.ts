// The finder: the server's list goes on living. One store of homes, one stream, and the list,
// the map and the answer as views of it.
import "./style.scss";
import "./form";
import { answer } from "./answer";
import { newCard } from "./card";
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
let beforeReset: Set<string> | undefined;
let refreshTimer: ReturnType<typeof setTimeout> | undefined;

/** Bring answer, list and map up to date: at most so often, however much comes in. */
function refreshSoon(): void {
  if (beforeReset !== undefined) return;
  refreshTimer ??= setTimeout(refresh, REFRESH_MS);
}

function refresh(): void {
  refreshTimer = undefined;
  const sentence = answer(homes);
  const shown = element("answer");
  if (shown.textContent !== sentence) shown.textContent = sentence;
  status.sayLater(sentence);
  list.refresh();
  map?.refresh();
}

function onListing(feature: Feature): void {
  const known = homes.get(feature.id);
  const had = known === undefined ? 0 : homes.free(known.properties);
  if (!homes.put(feature)) return;
  const isNew = known === undefined && !beforeReset?.has(feature.id);
  status.count(homes.free(feature.properties) - had);
  list.update(feature, isNew);
  refreshChosen(feature);
  refreshSoon();
}

function onGone(id: string): void {
  const known = homes.delete(id);
  if (known === undefined) return;
  status.count(-homes.free(known.properties));
  list.gone(id);
  refreshSoon();
}

function openStream(cursor: string): void {
  new Stream(start.search, cursor, {
    listing: onListing,
    gone: onGone,
    connection: (state) => status.show(state),
    reset() {
      beforeReset = new Set(homes.all().map(({ id }) => id));
      homes.clear();
    },
    ready() {
      if (beforeReset === undefined) return;
      beforeReset = undefined;
      list.reconcile();
      refreshSoon();
    },
  });
}

async function load(): Promise<void> {
  try {
    const cursor = await homes.load(() => map?.refresh());
    list.reconcile();
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
    map ??= new HomeMap(homes, { chosen: showChosen, pointed: (id) => pointAt(id) });
    if (homes.size > 0) map.refresh();
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
function showChosen(ids: string[]): void {
  const chosen = ids.map((id) => homes.get(id)).filter((home): home is Feature => !!home);
  element("sheet-cards").replaceChildren(...chosen.map((home) => newCard(home, homes)));
  sheet.hidden = chosen.length === 0;
  const [id] = ids;
  map?.choose(ids.length === 1 && id !== undefined ? id : "", sheet.getBoundingClientRect());
  if (chosen.length === 0) return;
  sheet.focus();
  pointAt(id);
  if (wide.matches && id !== undefined) list.card(id)?.scrollIntoView({ block: "nearest" });
}

function refreshChosen(feature: Feature): void {
  for (const card of element("sheet-cards").children) {
    if ((card as HTMLElement).dataset["home"] === feature.id) {
      card.replaceWith(newCard(feature, homes));
    }
  }
}

element("sheet-close").addEventListener("click", () => showChosen([]));
sheet.addEventListener("keydown", (event) => {
  if (event.key === "Escape") showChosen([]);
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

setInterval(() => {
  list.refreshAges();
  status.tick();
}, AGES_MS);

status.show("connecting");
if (wide.matches) void startMap();
void load();
