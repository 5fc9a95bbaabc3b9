// The finder: the server's list goes on living. One store of homes, one stream, and the list,
// the map and the answer as views of it.
import "./style.scss";
import "./form";
import { answer } from "./answer";
import { countChoices } from "./facets";
import { Homes } from "./homes";
import { List } from "./list";
import type { HomeMap } from "./map";
import { Section } from "./section";
import { Sheet } from "./sheet";
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
const sheet = new Sheet(homes, list, (id) => closed(id));
const section = new Section(homes, list, { changed: refresh, extend });
const split = element("split");
const here = element<HTMLButtonElement>("here");

let map: HomeMap | undefined;
let stream: Stream | undefined;
let refreshTimer: ReturnType<typeof setTimeout> | undefined;
let refreshMs = REFRESH_MS;

/** Bring answer, list and map up to date: at most so often, however much comes in. */
function refreshSoon(): void {
  if (homes.isComplete) refreshTimer ??= setTimeout(refreshAll, refreshMs);
}

function refreshAll(): void {
  const began = performance.now();
  refreshTimer = undefined;
  refresh();
  if (isMapShown()) map?.refresh();
  // Thousands of homes on a slow phone: never busy for more than a tenth of the time.
  refreshMs = Math.max(REFRESH_MS, 9 * (performance.now() - began));
}

/** The words: the marks on the map stay as they are. */
function refresh(): void {
  if (!homes.isComplete) return;
  const sentence = answer(homes);
  const shown = element("answer");
  if (shown.textContent !== sentence) shown.textContent = sentence;
  status.sayLater(sentence);
  list.refresh();
}

function onListing(feature: Feature): void {
  const had = homes.get(feature.id)?.free ?? 0;
  // The cards may be from before the points: what is no news here can be news for them.
  if (homes.put(feature) && homes.isComplete) count(feature.id, had);
  list.update(feature);
  sheet.update(feature);
  refreshSoon();
}

/** What comes and goes where the reader looks. */
function count(id: string, had: number): void {
  const home = homes.get(id)!;
  if (homes.isShown(home)) status.count(home.free - had);
}

function onGone(id: string): void {
  const home = homes.delete(id);
  if (home !== undefined && homes.isShown(home)) status.count(-home.free);
  list.gone(id);
  sheet.gone(id);
  refreshSoon();
}

function openStream(cursor: string): void {
  stream = new Stream(homes.search, cursor, {
    listing: onListing,
    gone: onGone,
    connection(state) {
      status.show(state);
      if (state === "live") section.retry();
    },
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
    refreshAll();
    document.documentElement.dataset["loaded"] = String(homes.size);
    openStream(cursor);
  } catch {
    status.show("lost");
    setTimeout(() => void load(), RETRY_LOAD_MS);
  }
}

/** Know the homes of a wider search: the map shows them, the list those of its part. */
async function extend(search: string): Promise<void> {
  const cursor = await homes.loadOther(search);
  stream?.follow(search, cursor);
  map?.refresh();
}

// ---- the map and what is chosen on it ----

function isMapShown(): boolean {
  return wide.matches || split.dataset["view"] === "map";
}

async function startMap(): Promise<void> {
  if (map !== undefined) return;
  try {
    const { HomeMap } = await import("./map");
    map ??= new HomeMap(homes, {
      chosen: (ids) => void showChosen(ids),
      pointed: pointAt,
      moved: onMoved,
    });
    if (homes.isComplete) map.refresh();
  } catch {
    element("map").textContent = language.text("mapFailed");
  }
}

/** Beside the map the list follows by itself. On a phone the reader sees the one or the other,
 * and asks for it: looking around costs nothing then, and the list is where it was left. */
function onMoved(): void {
  if (map === undefined) return;
  if (wide.matches) goToSection();
  else here.hidden = false;
}

function goToSection(): void {
  here.hidden = true;
  status.moved();
  section.moveTo(map!.box());
}

here.addEventListener("click", () => {
  element("map").focus();
  goToSection();
});

element("back").addEventListener("click", (event) => {
  if (start.bbox !== null || !(event.target as Element).closest("a")) return;
  event.preventDefault();
  here.hidden = true;
  section.back();
  map?.place(undefined);
});

function pointAt(ids: readonly string[]): void {
  for (const card of document.querySelectorAll(".card.is-pointed")) {
    card.classList.remove("is-pointed");
  }
  for (const id of ids) list.card(id)?.classList.add("is-pointed");
  map?.point(ids[0]);
}

/** The chosen homes as the same cards, over the map; in the list, the card comes into view. */
async function showChosen(ids: string[]): Promise<void> {
  const fetched = await sheet.show(ids);
  if (fetched === undefined) return;
  if (!sheet.isOpen) return sheet.close();
  map?.choose(ids, sheet.box);
  pointAt(ids);
  if (wide.matches) list.choose(ids, fetched);
}

/** The focus goes back to the mark for which the sheet was opened. */
function closed(id: string | undefined): void {
  map?.choose([], new DOMRect());
  list.choose([]);
  pointAt([]);
  if (id !== undefined) map?.focus(id);
}

// Who goes on with the keyboard must see where: the sheet may cover it.
element("map").addEventListener("focusin", ({ target }) => {
  if (sheet.isOpen && (target as Element).matches(":focus-visible")) sheet.close();
});

const cards = element("cards");
const idAt = (event: Event): string | undefined =>
  (event.target as Element).closest<HTMLElement>("[data-home]")?.dataset["home"];
cards.addEventListener("pointerover", (event) => map?.point(idAt(event)));
cards.addEventListener("pointerleave", () => map?.point(undefined));
cards.addEventListener("focusout", () => map?.point(undefined));
cards.addEventListener("focusin", (event) => {
  const id = idAt(event);
  map?.point(id);
  if (id !== undefined && (event.target as Element).matches(":focus-visible")) map?.reveal(id);
});
// A press beside links and buttons: show me where that is.
cards.addEventListener("click", (event) => {
  const id = idAt(event);
  if (id === undefined || (event.target as Element).closest("a, button, input, summary")) return;
  if (!wide.matches || getSelection()?.isCollapsed === false) return;
  sheet.hide();
  list.choose([id]);
  map?.choose([id], new DOMRect());
  map?.reveal(id);
});

// ---- list or map, where there is no room for both ----

function show(view: string): void {
  split.dataset["view"] = view;
  for (const button of element("switch").querySelectorAll<HTMLElement>("button")) {
    button.setAttribute("aria-pressed", String(button.dataset["view"] === view));
  }
  if (view !== "map") return;
  showMap();
  element("switch").scrollIntoView({ block: "start" });
}

/** It was out of sight, and may be behind. */
function showMap(): void {
  const isNew = map === undefined;
  void startMap().then(() => {
    map?.resize();
    if (!isNew && homes.isComplete) map?.refresh();
  });
}

element("switch").addEventListener("click", (event) => {
  const view = (event.target as Element).closest("button")?.dataset["view"];
  if (view !== undefined) show(view);
});
wide.addEventListener("change", () => {
  if (isMapShown()) showMap();
});

countChoices(element<HTMLFormElement>("search"));
setInterval(() => {
  list.refreshAges();
  status.tick();
}, AGES_MS);

status.show("connecting");
if (wide.matches) void startMap();
void load();
