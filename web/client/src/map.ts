// The map: the picture of the list, and whether the reader has moved it.
import L from "leaflet";
import { rounded, type Box } from "./area";
import { centreMark, createMap, MAX_ZOOM } from "./basemap";
import type { Homes, Spot } from "./homes";
import { MarkLayer } from "./layer";
import { element } from "./types";

const TARGET = 44;
// More cards than that in one place are no help.
const MOST_CHOSEN = 30;
const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
const GERMANY: L.LatLngBoundsLiteral = [
  [47.2, 5.8],
  [55.1, 15.1],
];

export interface MapListener {
  /** Marks were chosen: one home, or several at the same point. */
  chosen(ids: string[]): void;
  /** The pointer or the focus is on the mark of these homes, or has left it. */
  pointed(ids: string[]): void;
  /** The reader, and not the page, has moved the map. */
  moved(): void;
}

export class HomeMap {
  readonly #map: L.Map;
  readonly #marks: MarkLayer;
  #placed = false;
  #isOurMove = false;
  #isMovedByReader = false;

  constructor(
    readonly homes: Homes,
    readonly listener: MapListener,
  ) {
    this.#map = createMap(element("map"), homes.start, homes.language);
    this.#marks = new MarkLayer(this.#map, homes, {
      pressed: (spots) => this.#press(spots),
      pointed: (spots) => listener.pointed(spots.map(({ id }) => id)),
    });
    this.#ourselves(() => this.#map.setView([51.2, 10.4], 6));
    this.#drawSearch();
    this.#listen();
  }

  /** The homes have changed: draw them again. */
  refresh(): void {
    if (!this.#placed) this.place(this.homes.view);
    this.#marks.refresh();
  }

  resize(): void {
    this.#map.invalidateSize();
  }

  /** What is in view. */
  box(): Box {
    const bounds = this.#map.getBounds();
    return rounded([bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]);
  }

  point(id: string | undefined): void {
    this.#marks.point(id);
  }

  focus(id: string): void {
    this.#marks.focus(id);
  }

  /** Bring a home into view, if it is not. The list does not follow. */
  reveal(id: string): void {
    const home = this.homes.get(id);
    if (home === undefined || this.#map.getBounds().pad(-0.05).contains(latLng(home))) return;
    this.#map.panTo(latLng(home), { animate: !isStill() });
  }

  choose(ids: readonly string[], under: DOMRect): void {
    this.#marks.choose(ids);
    const home = ids[0] === undefined ? undefined : this.homes.get(ids[0]);
    if (home === undefined) return;
    if (this.#map.getBounds().contains(latLng(home))) this.#uncover(home, under);
    else this.reveal(home.id);
  }

  /** Show that part, else where the search was, else all that there is. */
  place(view: Box | undefined): void {
    const { start } = this.homes;
    const bounds = L.latLngBounds([]);
    if (view !== undefined) {
      bounds.extend([view[1], view[0]]).extend([view[3], view[2]]);
    } else if (start.centres.length > 0) {
      for (const centre of start.centres) {
        bounds.extend(L.latLng(centre).toBounds(start.radiusKm * 2000));
      }
    } else {
      for (const home of this.homes.all()) bounds.extend(latLng(home));
    }
    const options = { animate: false, padding: [16, 16] as L.PointTuple, maxZoom: 13 };
    const exactly = { animate: false, padding: [0, 0] as L.PointTuple, maxZoom: MAX_ZOOM };
    this.#ourselves(() =>
      this.#map.fitBounds(
        bounds.isValid() ? bounds : L.latLngBounds(GERMANY),
        view === undefined ? options : exactly,
      ),
    );
    this.#placed = bounds.isValid();
  }

  /** Tell the reader's moves from ours, from a window that changes its size, and from a phone
   * that is turned. */
  #listen(): void {
    this.#map.on("dragstart", () => (this.#isMovedByReader = true));
    this.#map.on("zoomstart", () => (this.#isMovedByReader ||= !this.#isOurMove));
    this.#map.getContainer().addEventListener("keydown", (event) => {
      if (event.target === event.currentTarget && KEYS.includes(event.key)) {
        this.#isMovedByReader = true;
      }
    });
    this.#map.on("moveend", () => {
      this.#marks.draw();
      if (!this.#isMovedByReader) return;
      this.#isMovedByReader = false;
      this.listener.moved();
    });
  }

  /** For moves that end at once. */
  #ourselves(move: () => void): void {
    this.#isOurMove = true;
    move();
    this.#isOurMove = false;
  }

  #press(spots: readonly Spot[]): void {
    const [first] = spots;
    if (first === undefined) return;
    const bounds = L.latLngBounds(spots.map(latLng));
    const isOnePlace = bounds.getSouthWest().equals(bounds.getNorthEast(), 1e-5);
    if (spots.length === 1 || isOnePlace || this.#map.getZoom() >= MAX_ZOOM) {
      this.listener.chosen(spots.slice(0, MOST_CHOSEN).map(({ id }) => id));
      return;
    }
    const zoom = this.#map.getBoundsZoom(bounds, false, L.point(2 * TARGET, 2 * TARGET));
    const nearer = Math.min(MAX_ZOOM, Math.max(zoom, this.#map.getZoom() + 1));
    this.#isMovedByReader = true;
    this.#map.setView(bounds.getCenter(), nearer);
  }

  /** Move the map as far as is needed for a mark not to lie under the sheet. */
  #uncover(home: Spot, sheet: DOMRect): void {
    const box = this.#map.getContainer().getBoundingClientRect();
    const at = this.#map.latLngToContainerPoint(latLng(home));
    const [left, top] = [sheet.left - box.left, sheet.top - box.top];
    const covered =
      at.x > left - TARGET && at.x < left + sheet.width + TARGET && at.y > top - TARGET;
    if (!covered) return;
    this.#map.panBy([0, at.y - Math.max(TARGET, top / 2)], { animate: !isStill() });
  }

  #drawSearch(): void {
    for (const centre of this.homes.start.centres) {
      const radius = this.homes.start.radiusKm * 1000;
      const renderer = L.svg({ padding: 0.5 });
      L.circle(centre, { radius, className: "radius-line", interactive: false, renderer }).addTo(
        this.#map,
      );
      centreMark(centre, this.homes.language.text("hereSearched")).addTo(this.#map);
    }
  }
}

function latLng({ latitude, longitude }: Spot): L.LatLng {
  return L.latLng(latitude, longitude);
}

function isStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
