// The map under the marks, from files of our own: outlines of countries and names of towns,
// or the raster tiles that the operator has set.
import L from "leaflet";
import "leaflet/dist/leaflet.css";
import outlineAddress from "virtual:outline";
import smallTownsAddress from "virtual:small-towns";
import townsAddress from "virtual:towns";
import type { Start } from "./types";
import type { Language } from "./words";

type Country = [home: boolean, polygons: number[][][]];
type Town = [name: string, latitude: number, longitude: number, fromZoom: number];

const MIN_ZOOM = 5;
export const MAX_ZOOM = 16;
const MAX_LABELS = 70;
// The file with the largest towns does until here (../basemap.ts): zooms are rounded.
const LARGE_ONLY_UP_TO_ZOOM = 8.4;
// About the size of a label, in pixels: two that overlap are not both drawn.
const LABEL_WIDTH_PER_LETTER = 8;
const LABEL_HEIGHT = 22;

/** A map without marks, as every page starts it. */
export function createMap(container: HTMLElement, start: Start, language: Language): L.Map {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(container, {
    minZoom: MIN_ZOOM,
    maxZoom: MAX_ZOOM,
    // Outlines are sharp at any zoom, tiles only at whole ones.
    zoomSnap: start.basemap === null ? 0.25 : 1,
    zoomControl: false,
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    maxBounds: [
      [44, -2],
      [59, 23],
    ],
  });
  map.attributionControl.setPrefix(false);
  const [zoomInTitle, zoomOutTitle] = [language.text("zoomIn"), language.text("zoomOut")];
  L.control.zoom({ position: "topright", zoomInTitle, zoomOutTitle }).addTo(map);
  addBasemap(map, start);
  return map;
}

function addBasemap(map: L.Map, { basemap }: Start): void {
  if (basemap?.kind === "pmtiles") {
    void import("./archive")
      .then(({ addArchive }) => addArchive(map, basemap))
      .catch(() => addBuiltIn(map));
  } else if (basemap?.kind === "raster") {
    map.attributionControl.addAttribution(textOnly(basemap.attribution));
    L.tileLayer(basemap.address, { maxZoom: 19 }).addTo(map);
  } else {
    addBuiltIn(map);
  }
}

/** What needs no tiles: outlines and names. */
function addBuiltIn(map: L.Map): void {
  map.createPane("land").style.zIndex = "200";
  map.createPane("towns").style.zIndex = "450";
  void addOutline(map);
  void addTowns(map);
}

/** Leaflet takes attributions as HTML; ours is a setting, and still only text. */
export function textOnly(text: string): string {
  const node = document.createElement("span");
  node.textContent = text;
  return node.innerHTML;
}

async function fetchJson<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`);
  return (await answer.json()) as T;
}

async function addOutline(map: L.Map): Promise<void> {
  const countries = await fetchJson<Country[]>(outlineAddress);
  const renderer = L.svg({ pane: "land", padding: 0.5 });
  const options = { renderer, interactive: false, fillOpacity: 1, weight: 1, smoothFactor: 0.8 };
  for (const [home, polygons] of countries) {
    // Colours come from the style sheet, so that they follow the reader's theme.
    const className = home ? "land land-home" : "land";
    L.polygon(
      polygons.map((rings) => rings.map(corners)),
      { ...options, className },
    ).addTo(map);
  }
}

/** The corners of a ring from its steps: longitude, latitude, in thousandths of a degree. */
function corners(steps: number[]): L.LatLngTuple[] {
  let [lon, lat] = [0, 0];
  return Array.from({ length: steps.length / 2 }, (_, i) => {
    [lon, lat] = [lon + steps[2 * i]!, lat + steps[2 * i + 1]!];
    return [lat / 1000, lon / 1000];
  });
}

async function addTowns(map: L.Map): Promise<void> {
  const towns = await fetchJson<Town[]>(townsAddress);
  let isComplete = false;
  const labels = new Map<Town, L.Marker>();
  const draw = (): void => {
    if (!isComplete && map.getZoom() > LARGE_ONLY_UP_TO_ZOOM) {
      isComplete = true;
      void fetchJson<Town[]>(smallTownsAddress).then(
        (small) => {
          towns.push(...small);
          draw();
        },
        // Without a network: the next move asks again.
        () => (isComplete = false),
      );
    }
    const wanted = new Set(visibleTowns(map, towns));
    for (const [town, marker] of labels) {
      if (wanted.has(town)) continue;
      marker.remove();
      labels.delete(town);
    }
    for (const town of wanted) {
      if (!labels.has(town)) labels.set(town, townLabel(town).addTo(map));
    }
  };
  map.on("moveend", draw);
  draw();
}

/** The largest towns in view whose names do not run into one another. */
function visibleTowns(map: L.Map, towns: Town[]): Town[] {
  const zoom = Math.round(map.getZoom());
  const bounds = map.getBounds().pad(0.05);
  const taken: L.Bounds[] = [];
  const chosen: Town[] = [];
  for (const town of towns) {
    const [name, latitude, longitude, fromZoom] = town;
    if (chosen.length >= MAX_LABELS) break;
    if (fromZoom > zoom || !bounds.contains([latitude, longitude])) continue;
    const at = map.latLngToLayerPoint([latitude, longitude]);
    const half = L.point((name.length * LABEL_WIDTH_PER_LETTER) / 2 + 4, LABEL_HEIGHT / 2);
    const box = L.bounds(at.subtract(half), at.add(half));
    if (taken.some((other) => other.overlaps(box))) continue;
    taken.push(box);
    chosen.push(town);
  }
  return chosen;
}

function townLabel([name, latitude, longitude, fromZoom]: Town): L.Marker {
  const label = document.createElement("span");
  label.textContent = name;
  label.className = fromZoom <= 7 ? "town town-large" : "town";
  // The names are scenery: nothing to press, nothing to read aloud.
  label.setAttribute("aria-hidden", "true");
  const icon = L.divIcon({ html: label, className: "town-anchor", iconSize: [0, 0] });
  const options = { icon, pane: "towns", interactive: false, keyboard: false };
  return L.marker([latitude, longitude], options);
}

export function centreMark(at: L.LatLngExpression, label: string): L.Marker {
  const node = L.divIcon({ className: "centre", iconSize: [14, 14] });
  return L.marker(at, {
    icon: node,
    interactive: false,
    keyboard: false,
    title: label,
    zIndexOffset: -1000,
  });
}
