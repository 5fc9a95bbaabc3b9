// A home's page: its place on the map, one's own share of the price, and what it says anew.
import "./style.scss";
import "./menu";
import "./shortlist";
import "./feedback";
import L from "leaflet";
import { centreMark, createMap } from "./basemap";
import { hideOutdated } from "./lasting";
import { Stream, type Connection } from "./stream";
import { element, readStart, type Feature, type HomeStart } from "./types";
import { Language } from "./words";

const AGES_MS = 30_000;
const RETRY_MS = 5_000;
// Another process of the server may hear of news a little later.
const LAG_MS = 1_000;
const ZOOM = 11;

const start = readStart<HomeStart>();
const language = new Language(start.words);
const [centre] = start.centres;
let revision = start.revision;
// What the stream has told of; a page from before that is fetched once more.
let told = revision;
let renewing = false;
let again = false;

if (centre !== undefined) {
  const map = createMap(element("map"), start, language);
  map.setView(centre, ZOOM);
  centreMark(centre, document.querySelector("h1")?.textContent ?? "").addTo(map);
  // Somebody who scrolls the page does not want to zoom the map.
  map.scrollWheelZoom.disable();
  if (L.Browser.mobile) map.dragging.disable();
}

function refreshAge(): void {
  const age = document.querySelector<HTMLTimeElement>("[data-part=freshness]");
  const freshness = element("head").dataset["freshness"];
  if (age === null || age.dateTime === "" || freshness === undefined) return;
  age.textContent = language.freshness(freshness, age.dateTime);
}

// ---- what the home says while the page is open ----

let state: Connection = "connecting";
let asOf = new Date(start.asOf);

/** While live, what is shown is true now; after that, as of the last word from the server. */
function show(now: Connection): void {
  state = now;
  if (state === "live") asOf = new Date();
  element("live").dataset["state"] = state;
  const text = language.text(state, { time: language.clock(asOf) });
  if (element("live-text").textContent !== text) element("live-text").textContent = text;
}

/** Fetch the page, and put what it says anew in its place: nothing else moves. */
async function renew(): Promise<void> {
  if (renewing) {
    again = true;
    return;
  }
  renewing = true;
  try {
    const answer = await fetch(location.href);
    if (answer.status >= 500) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) put(page);
    else say(page.querySelector("h1")?.textContent ?? "");
    if (answer.ok && revision < told) setTimeout(() => void renew(), LAG_MS);
  } catch {
    setTimeout(() => void renew(), RETRY_MS);
  } finally {
    renewing = false;
  }
  if (again) {
    again = false;
    void renew();
  }
}

function put(page: Document): void {
  const now = JSON.parse(page.getElementById("start")?.textContent ?? "") as HomeStart;
  if (now.revision < revision) return;
  if (now.search !== start.search) {
    // Moved: the map and the stream are about another place.
    location.reload();
    return;
  }
  const before = element("places").dataset["summary"];
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (fresh === null || fresh.innerHTML === part.innerHTML) continue;
    Object.assign(part.dataset, { ...fresh.dataset });
    // What has the focus stays: a button that one is about to press must not be another one.
    // Of the parts only the head has something to press.
    if (!part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
    else part.querySelector(".freshness")?.replaceWith(fresh.querySelector(".freshness") ?? "");
  }
  if (now.revision === revision) return;
  revision = now.revision;
  const what = element("places").dataset["summary"] ?? "";
  const time = language.clock(new Date());
  say(language.text(what === before ? "homeSame" : "homeNews", { time, what }));
}

function say(text: string): void {
  element("news").textContent = text;
}

/** Another home may stand at the same place. */
function onListing(feature: Feature): void {
  if (feature.id !== start.id || feature.properties.revision <= told) return;
  told = feature.properties.revision;
  void renew();
}

new Stream(start.search, start.cursor, {
  listing: onListing,
  // Closed, or moved to another place.
  gone: (id) => void (id === start.id && renew()),
  reset: () => void renew(),
  ready: () => undefined,
  connection: show,
});
setInterval(() => {
  refreshAge();
  hideOutdated(document);
  if (state === "live") show(state);
}, AGES_MS);

// ---- one's own share: all sentences are there, one is chosen ----

const form = document.querySelector<HTMLFormElement>(".share-form");

function choose(): void {
  const [grade, year] = ["grade", "since"].map(
    (name) => (form?.elements.namedItem(name) as HTMLSelectElement).value,
  );
  element("share").textContent = start.shares[grade === "1" ? "0" : (year ?? "1")] ?? "";
  element("share-table").hidden = grade === "1";
  for (const row of document.querySelectorAll<HTMLElement>("#share-table [data-year]")) {
    if (row.dataset["year"] === year) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

form?.addEventListener("change", choose);
// Nothing goes to the server: a care grade is nobody's business.
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  choose();
});

const printing = element<HTMLButtonElement>("print");
printing.hidden = false;
printing.addEventListener("click", () => print());

/** Back to the list that the reader came from, with its filters. */
const back = element<HTMLAnchorElement>("back");
back.addEventListener("click", (event) => {
  const from = document.referrer === "" ? undefined : new URL(document.referrer);
  if (from?.origin !== location.origin || from.pathname !== back.pathname) return;
  event.preventDefault();
  history.back();
});
