// The marks on the map: a home on its own or several together, only those in view in the page.
import L from "leaflet";
import { Clusters, type Cluster } from "./clusters";
import type { Homes, Spot } from "./homes";
import { clusterMark, drawMark, homeMark, type Mark } from "./marks";

const RADIUS = 54;
// Drawn around what is in view too, so that a mark at the edge is whole.
const MARGIN = 0.15;

export interface MarkListener {
  /** A mark was pressed, by a pointer or by a key. */
  pressed(spots: readonly Spot[]): void;
  /** The pointer or the focus is on a mark of these homes, or has left it. */
  pointed(spots: readonly Spot[]): void;
}

interface Drawn {
  readonly marker: L.Marker;
  cluster: Cluster;
  look: string;
  label: string;
}

export class MarkLayer {
  readonly #drawn = new Map<string, Drawn>();
  readonly #clusters = new Clusters(RADIUS);
  readonly #ring = ring();
  #pointed: string | undefined;
  #chosen: ReadonlySet<string> = new Set();

  constructor(
    readonly map: L.Map,
    readonly homes: Homes,
    readonly listener: MarkListener,
  ) {}

  /** The homes have changed: put them together and draw them again. */
  refresh(): void {
    this.#clusters.load(this.homes.all());
    this.draw();
  }

  draw(): void {
    const bounds = this.map.getBounds().pad(MARGIN);
    const found = this.#clusters.at(Math.round(this.map.getZoom()));
    const seen = new Set<string>();
    for (const cluster of found) {
      const at = latLng(cluster);
      if (!bounds.contains(at)) continue;
      seen.add(cluster.key);
      this.#put(cluster, at);
    }
    for (const [key, { marker }] of this.#drawn) {
      if (seen.has(key)) continue;
      // Who stood here with the keyboard goes on from the map, not from the top of the page.
      if (marker.getElement() === document.activeElement) this.map.getContainer().focus();
      marker.remove();
      this.#drawn.delete(key);
    }
    this.point(this.#pointed);
  }

  /** Ring the mark of a home, be it on its own or one of several. */
  point(id: string | undefined): void {
    this.#pointed = id;
    const cluster = id === undefined ? undefined : this.#clusters.of(id);
    if (cluster === undefined) this.#ring.remove();
    else this.#ring.setLatLng(latLng(cluster)).addTo(this.map);
  }

  choose(ids: Iterable<string>): void {
    this.#chosen = new Set(ids);
    for (const drawn of this.#drawn.values()) this.#markChosen(drawn);
  }

  focus(id: string): void {
    const key = this.#clusters.of(id)?.key;
    if (key !== undefined) this.#drawn.get(key)?.marker.getElement()?.focus();
  }

  #markChosen({ marker, cluster }: Drawn): void {
    const isChosen = cluster.spots.some(({ id }) => this.#chosen.has(id));
    marker.getElement()?.classList.toggle("is-chosen", isChosen);
  }

  /** Draw a mark, or draw it again where it looks different by now. */
  #put(cluster: Cluster, at: L.LatLng): void {
    const [only] = cluster.spots;
    const mark =
      cluster.spots.length === 1 && only
        ? homeMark(only)
        : clusterMark(cluster.free, cluster.isSure);
    const look = `${mark.look}${mark.sign}`;
    const label = this.#label(cluster, mark);
    let drawn = this.#drawn.get(cluster.key);
    if (drawn === undefined) {
      drawn = { marker: this.#newMarker(cluster.key, at, mark), cluster, look, label: "" };
      this.#drawn.set(cluster.key, drawn);
    } else {
      drawn.cluster = cluster;
      if (!drawn.marker.getLatLng().equals(at)) drawn.marker.setLatLng(at);
      if (drawn.look !== look) drawn.marker.setIcon(icon(mark));
      drawn.look = look;
    }
    if (drawn.label !== label) drawn.marker.getElement()?.setAttribute("aria-label", label);
    drawn.label = label;
    if (this.#chosen.size > 0) this.#markChosen(drawn);
  }

  #newMarker(key: string, at: L.LatLng, mark: Mark): L.Marker {
    const marker = L.marker(at, { icon: icon(mark), keyboard: true }).addTo(this.map);
    const spots = (): readonly Spot[] => this.#drawn.get(key)?.cluster.spots ?? [];
    marker.on("click", () => this.listener.pressed(spots()));
    const node = marker.getElement()!;
    node.setAttribute("role", "button");
    for (const event of ["mouseenter", "focus"]) {
      node.addEventListener(event, () => this.listener.pointed(spots()));
    }
    for (const event of ["mouseleave", "blur"]) {
      node.addEventListener(event, () => this.listener.pointed([]));
    }
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      marker.fire("click");
    });
    return marker;
  }

  #label({ spots, free }: Cluster, mark: Mark): string {
    const { language } = this.homes;
    const [only] = spots;
    if (only === undefined || spots.length > 1) {
      return `${language.plural("cluster", free)}, ${language.text("clusterZoom")}`;
    }
    // The sign on the mark is part of its name, for those who speak what they see.
    const words =
      mark.look === "unknown" ? language.text("markUnknown") : language.plural("free", free);
    return language.text("markLabel", {
      name: only.name,
      free: words,
      freshness: language.freshness(only.freshness, only.saidAt),
    });
  }
}

/** From the projection of Mercator to degrees. */
function latLng({ x, y }: { x: number; y: number }): L.LatLng {
  const latitude = (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return L.latLng(latitude, (x - 0.5) * 360);
}

function icon(mark: Mark): L.DivIcon {
  const { node, target } = drawMark(mark);
  return L.divIcon({ html: node, className: "mark-anchor", iconSize: [target, target] });
}

function ring(): L.Marker {
  const node = L.divIcon({ className: "ring", iconSize: [56, 56] });
  return L.marker([0, 0], { icon: node, interactive: false, keyboard: false });
}
