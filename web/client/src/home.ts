// A home's page: its place on the map, its age, and word of a new report.
import "./style.scss";
import "./shortlist";
import "./feedback";
import L from "leaflet";
import { centreMark, createMap } from "./basemap";
import { element, readStart, type Feature, type HomeStart } from "./types";
import { Language } from "./words";

const CHECK_MS = 30_000;
const ZOOM = 11;

const start = readStart<HomeStart>();
const language = new Language(start.words);
const [centre] = start.centres;

if (centre !== undefined) {
  const map = createMap(element("map"), start, language);
  map.setView(centre, ZOOM);
  centreMark(centre, document.querySelector("h1")?.textContent ?? "").addTo(map);
  // Somebody who scrolls the page does not want to zoom the map.
  map.scrollWheelZoom.disable();
  if (L.Browser.mobile) map.dragging.disable();
}

const age = document.querySelector<HTMLTimeElement>("[data-part=freshness]");
const freshness = document.querySelector<HTMLElement>("[data-freshness]")?.dataset["freshness"];

function refreshAge(): void {
  if (age === null || age.dateTime === "" || freshness === undefined) return;
  age.textContent = language.freshness(freshness, age.dateTime);
}

/** Say that there is news; the reader decides when the page changes. */
async function check(): Promise<void> {
  if (document.hidden) return;
  try {
    const answer = await fetch(`/api/v1/homes/${encodeURIComponent(start.id)}`);
    const changed =
      // Closed by now, or gone.
      (answer.status >= 400 && answer.status < 500) ||
      (answer.ok && ((await answer.json()) as Feature).properties.revision > start.revision);
    if (changed) offerReload();
  } catch {
    // Without a network the page stays as it is, with the time that stands on it.
  }
}

function offerReload(): void {
  const note = element("changed");
  if (!note.hidden) return;
  const text = document.createElement("span");
  text.textContent = language.text("changed");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "kern-btn kern-btn--secondary";
  const label = document.createElement("span");
  label.className = "kern-label";
  label.textContent = language.text("reload");
  button.append(label);
  button.addEventListener("click", () => location.reload());
  note.append(text, button);
  note.hidden = false;
}

setInterval(() => {
  refreshAge();
  void check();
}, CHECK_MS);
document.addEventListener("visibilitychange", () => void check());

/** Back to the list that the reader came from, with its filters. */
element("back").addEventListener("click", (event) => {
  const from = document.referrer === "" ? undefined : new URL(document.referrer);
  if (from?.origin !== location.origin || from.pathname !== "/") return;
  event.preventDefault();
  history.back();
});
