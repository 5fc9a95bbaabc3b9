// A home at the desk: its position is chosen on a map, which fills the two fields of the form.
import "./style.scss";
import "./menu";
import L from "leaflet";
import { centreMark, createMap } from "./basemap";
import { element, readStart, type Start } from "./types";
import { Language } from "./words";

const ZOOM = 13;
const DIGITS = 6;

const start = readStart<Start>();
const [centre] = start.centres;
const place = document.querySelector<HTMLDetailsElement>("#position");

/** A map needs its size: it is made once there is room for it. */
function show(at: L.LatLngTuple): void {
  const map = createMap(element("map"), start, new Language(start.words));
  map.setView(at, ZOOM);
  const mark = centreMark(at, document.querySelector("h1")?.textContent ?? "").addTo(map);
  map.scrollWheelZoom.disable();
  map.on("click", ({ latlng }) => {
    mark.setLatLng(latlng);
    element<HTMLInputElement>("f-latitude").value = latlng.lat.toFixed(DIGITS);
    element<HTMLInputElement>("f-longitude").value = latlng.lng.toFixed(DIGITS);
  });
}

if (centre !== undefined && place !== null) {
  element("pick").hidden = false;
  place.addEventListener("toggle", () => show(centre), { once: true });
}
