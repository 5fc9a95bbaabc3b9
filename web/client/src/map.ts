// The map: the homes of the list as marks, clustered, only those in view in the page.
import L from "leaflet";
import Supercluster from "supercluster";
import { centreMark, createMap, MAX_ZOOM } from "./basemap";
import type { Homes, Spot } from "./homes";
import { clusterMark, drawMark, homeMark, type Mark } from "./marks";
import { element } from "./types";

const TARGET = 44;
const GERMANY: L.LatLngBoundsLiteral = [
  [47.2, 5.8],
  [55.1, 15.1],
];

interface Sum {
  free: number;
}
interface One extends Sum {
  id: string;
}

export interface MapListener {
  /** Marks were chosen: one home, or several at the same point. */
  chosen(ids: string[]): void;
  /** The pointer or the focus is on a home's mark, or has left it. */
  pointed(id: string | undefined): void;
}

export class HomeMap {
  readonly #map: L.Map;
  readonly #marks = new Map<string, L.Marker>();
  readonly #clusters = new Supercluster<One, Sum>({
    radius: 54,
    extent: 256,
    maxZoom: MAX_ZOOM - 1,
    map: ({ free }) => ({ free }),
    reduce: (sum, { free }) => {
      sum.free += free;
    },
  });
  readonly #ring: L.Marker;
  #chosen = "";
  #placed = false;

  constructor(
    readonly homes: Homes,
    readonly listener: MapListener,
  ) {
    this.#map = createMap(element("map"), homes.start, homes.language);
    this.#ring = ring();
    this.#map.setView([51.2, 10.4], 6);
    this.#drawSearch();
    this.#map.on("moveend", () => this.#draw());
  }

  /** The homes have changed: cluster and draw them again. */
  refresh(): void {
    const points = Array.from(this.homes.all(), ({ id, free, latitude, longitude }) => ({
      type: "Feature" as const,
      geometry: { type: "Point" as const, coordinates: [longitude, latitude] },
      properties: { id, free },
    }));
    this.#clusters.load(points);
    if (!this.#placed) this.#place();
    this.#draw();
  }

  resize(): void {
    this.#map.invalidateSize();
  }

  /** Ring the point of a home, be it on its own or in a cluster. */
  point(id: string | undefined): void {
    const home = id === undefined ? undefined : this.homes.get(id);
    if (home === undefined) this.#ring.remove();
    else this.#ring.setLatLng(latLng(home)).addTo(this.#map);
  }

  focus(id: string): void {
    this.#marks.get(id)?.getElement()?.focus();
  }

  choose(id: string, under: DOMRect): void {
    this.#chosen = id;
    this.#uncover(id, under);
    for (const [key, marker] of this.#marks) {
      marker.getElement()?.classList.toggle("is-chosen", key === id && id !== "");
    }
  }

  /** Move the map as far as is needed for a mark not to lie under the sheet. */
  #uncover(id: string, sheet: DOMRect): void {
    const home = this.homes.get(id);
    if (home === undefined) return;
    const box = this.#map.getContainer().getBoundingClientRect();
    const at = this.#map.latLngToContainerPoint(latLng(home));
    const [left, top] = [sheet.left - box.left, sheet.top - box.top];
    const covered =
      at.x > left - TARGET && at.x < left + sheet.width + TARGET && at.y > top - TARGET;
    if (covered) this.#map.panBy([0, at.y - Math.max(TARGET, top / 2)]);
  }

  /** Show where the search was, or all that there is. */
  #place(): void {
    const { centres, radiusKm } = this.homes.start;
    const bounds = L.latLngBounds([]);
    for (const centre of centres) {
      bounds.extend(L.latLng(centre).toBounds(radiusKm * 2000));
    }
    if (centres.length === 0) {
      for (const home of this.homes.all()) bounds.extend(latLng(home));
    }
    this.#map.fitBounds(bounds.isValid() ? bounds : L.latLngBounds(GERMANY), {
      animate: false,
      padding: [16, 16],
      maxZoom: 13,
    });
    this.#placed = bounds.isValid();
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

  #draw(): void {
    const seen = new Set<string>();
    const bounds = this.#map.getBounds().pad(0.15);
    const box: [number, number, number, number] = [
      bounds.getWest(),
      bounds.getSouth(),
      bounds.getEast(),
      bounds.getNorth(),
    ];
    for (const found of this.#clusters.getClusters(box, Math.round(this.#map.getZoom()))) {
      const [longitude, latitude] = found.geometry.coordinates as [number, number];
      const properties = found.properties;
      const at = L.latLng(latitude, longitude);
      if ("cluster_id" in properties) {
        const { cluster_id: cluster, point_count: count, free } = properties;
        // Named by where and what it is: the same cluster keeps its node, and so its focus.
        const key = `${latitude.toFixed(5)},${longitude.toFixed(5)},${count},${free}`;
        seen.add(key);
        this.#putCluster(key, at, cluster, free);
      } else {
        seen.add(properties.id);
        this.#putHome(properties.id, at);
      }
    }
    for (const [key, marker] of this.#marks) {
      if (seen.has(key)) continue;
      marker.remove();
      this.#marks.delete(key);
    }
  }

  #putHome(id: string, at: L.LatLng): void {
    const home = this.homes.get(id);
    if (home === undefined) return;
    const { language } = this.homes;
    const mark = homeMark(home);
    const label = language.text("markLabel", {
      name: home.name,
      free: this.#inWords(mark, home.free),
      freshness: language.freshness(home.freshness, home.saidAt),
    });
    this.#put(id, at, mark, label, () => this.listener.chosen([id]));
    const node = this.#marks.get(id)?.getElement();
    node?.classList.toggle("is-chosen", id === this.#chosen);
  }

  #inWords(mark: Mark, free: number): string {
    const { language } = this.homes;
    // The sign on the mark is part of its name, for those who speak what they see.
    return mark.look === "unknown" ? language.text("markUnknown") : language.plural("free", free);
  }

  #putCluster(key: string, at: L.LatLng, cluster: number, free: number): void {
    const { language } = this.homes;
    const label = `${language.plural("cluster", free)}, ${language.text("clusterZoom")}`;
    this.#put(key, at, clusterMark(free), label, () => {
      const zoom = this.#clusters.getClusterExpansionZoom(cluster);
      if (zoom < MAX_ZOOM) this.#map.setView(at, zoom);
      else this.listener.chosen(this.#clusters.getLeaves(cluster, 30).map((l) => l.properties.id));
    });
  }

  /** Draw a mark, or draw it again if it looks different by now. */
  #put(key: string, at: L.LatLng, mark: Mark, label: string, chosen: () => void): void {
    const known = this.#marks.get(key);
    const look = `${mark.look}${mark.sign}`;
    if (known !== undefined) {
      known.setLatLng(at).off("click").on("click", chosen);
      if (known.options.alt === look) return;
      known.options.alt = look;
      known.setIcon(icon(mark));
      dress(known, label);
      return;
    }
    const marker = L.marker(at, { icon: icon(mark), alt: look, keyboard: true });
    marker.on("click", chosen);
    marker.addTo(this.#map);
    dress(marker, label);
    const id = this.homes.get(key) === undefined ? undefined : key;
    const node = marker.getElement();
    for (const event of ["mouseenter", "focus"]) {
      node?.addEventListener(event, () => this.listener.pointed(id));
    }
    for (const event of ["mouseleave", "blur"]) {
      node?.addEventListener(event, () => this.listener.pointed(undefined));
    }
    node?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      marker.fire("click");
    });
    this.#marks.set(key, marker);
  }
}

function latLng({ latitude, longitude }: Spot): L.LatLng {
  return L.latLng(latitude, longitude);
}

function icon(mark: Mark): L.DivIcon {
  const { node, target } = drawMark(mark);
  return L.divIcon({ html: node, className: "mark-anchor", iconSize: [target, target] });
}

/** What assistive technology is told of a mark. */
function dress(marker: L.Marker, label: string): void {
  const node = marker.getElement();
  node?.setAttribute("role", "button");
  node?.setAttribute("aria-label", label);
}

function ring(): L.Marker {
  const node = L.divIcon({ className: "ring", iconSize: [56, 56] });
  return L.marker([0, 0], { icon: node, interactive: false, keyboard: false });
}
