// The marks on the map: a home on its own or several together, only those in view in the page.
//
// Buttons in a pane of their own, and not Leaflet's markers: to make hundreds of those was most of
// the work of a zoom, and the browser moved each as a picture of its own.
import L from "leaflet";
import { Clusters, type Cluster } from "./clusters";
import type { Homes, Spot } from "./homes";
import { clusterMark, drawMark, homeMark, type Mark } from "./marks";

const RADIUS = 54;
// Drawn around what is in view too, so that a mark at the edge is whole.
const MARGIN = 0.15;
const EDGE = 40; // so far from the edge, in pixels, a mark is that has the focus
const WORLD_PX = 256; // at zoom 0
const PANE = "marks";

export interface MarkListener {
  /** A mark was pressed, by a pointer or by a key. */
  pressed(spots: readonly Spot[]): void;
  /** The pointer or the focus is on a mark of these homes, or has left it. */
  pointed(spots: readonly Spot[]): void;
}

interface Drawn {
  readonly node: HTMLButtonElement;
  cluster: Cluster;
  look: string;
  label: string;
  at: string;
}

export class MarkLayer {
  readonly #drawn = new Map<string, Drawn>();
  readonly #clusters = new Clusters(RADIUS);
  readonly #pane: HTMLElement;
  readonly #ring = ring();
  #pointed: string | undefined;
  #chosen: ReadonlySet<string> = new Set();
  #wasDragged = false;

  constructor(
    readonly map: L.Map,
    readonly homes: Homes,
    readonly listener: MarkListener,
  ) {
    this.#pane = map.createPane(PANE);
    map.on("zoom viewreset", () => this.#place());
    this.#listen();
  }

  /** The homes have changed: put them together and draw them again. */
  refresh(): void {
    this.#clusters.load(this.homes.all());
    this.draw();
  }

  draw(): void {
    const found = this.#clusters.at(Math.round(this.map.getZoom()));
    const { min, max } = this.map.getPixelBounds();
    const edge = max!.subtract(min!).multiplyBy(MARGIN);
    const [from, to] = [min!.subtract(edge), max!.add(edge)];
    const scale = this.#scale();
    const seen = new Set<string>();
    const fresh = document.createDocumentFragment();
    for (const cluster of found) {
      const [x, y] = [cluster.x * scale, cluster.y * scale];
      if (x < from.x || x > to.x || y < from.y || y > to.y) continue;
      seen.add(cluster.key);
      this.#put(cluster, fresh);
    }
    for (const [key, { node }] of this.#drawn) {
      if (seen.has(key)) continue;
      // Who stood here with the keyboard goes on from the map, not from the top of the page.
      if (node === document.activeElement) this.map.getContainer().focus();
      node.remove();
      this.#drawn.delete(key);
    }
    this.#pane.append(fresh);
    this.#place();
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
    if (key !== undefined) this.#drawn.get(key)?.node.focus();
  }

  #listen(): void {
    const pointed = (spots: readonly Spot[]): void => this.listener.pointed(spots);
    this.#pane.addEventListener("focusin", ({ target }) => {
      pointed(this.#spotsAt(target));
      this.#bringIntoView(target as Element);
    });
    this.#pane.addEventListener("focusout", () => pointed([]));
    this.#pane.addEventListener("mouseover", ({ target, relatedTarget: from }) => {
      const spots = this.#spotsAt(target);
      if (spots !== this.#spotsAt(from)) pointed(spots);
    });
    this.#pane.addEventListener("mouseout", ({ target, relatedTarget: to }) => {
      if (this.#spotsAt(target) !== this.#spotsAt(to)) pointed([]);
    });
    // A mark that is dragged together with the map is not pressed; keys press without a pointer.
    this.map.getContainer().addEventListener("pointerdown", () => (this.#wasDragged = false), true);
    this.map.on("dragstart", () => (this.#wasDragged = true));
    this.#pane.addEventListener("click", ({ target, detail: presses }) => {
      if (!this.#wasDragged || presses === 0) this.listener.pressed(this.#spotsAt(target));
    });
  }

  /** Marks are drawn around what is in view too: who comes to one with the keyboard must see it. */
  #bringIntoView(node: Element): void {
    const cluster = this.#clusterAt(node);
    if (cluster === undefined || !node.matches(":focus-visible")) return;
    this.map.panInside(latLng(cluster), { padding: [EDGE, EDGE], animate: false });
  }

  /** The homes of the mark there; always the same array for the same mark. */
  #spotsAt(target: EventTarget | null): readonly Spot[] {
    return this.#clusterAt(target)?.spots ?? NONE;
  }

  #clusterAt(target: EventTarget | null): Cluster | undefined {
    const node = target instanceof Element ? target.closest<HTMLElement>("[data-mark]") : null;
    return this.#drawn.get(node?.dataset["mark"] ?? "")?.cluster;
  }

  #markChosen({ node, cluster }: Drawn): void {
    const isChosen = cluster.spots.some(({ id }) => this.#chosen.has(id));
    node.classList.toggle("is-chosen", isChosen);
  }

  /** The width of the world in pixels. */
  #scale(): number {
    return WORLD_PX * 2 ** this.map.getZoom();
  }

  /** All marks to where they are at this zoom. */
  #place(): void {
    const scale = this.#scale();
    const origin = this.map.getPixelOrigin();
    for (const drawn of this.#drawn.values()) {
      const x = Math.round(drawn.cluster.x * scale - origin.x);
      const y = Math.round(drawn.cluster.y * scale - origin.y);
      // In the plane: with three dimensions each would be a picture of its own.
      const at = `translate(${x}px, ${y}px)`;
      if (at !== drawn.at) drawn.node.style.transform = drawn.at = at;
    }
  }

  /** Make a mark, or draw it again where it looks different by now. */
  #put(cluster: Cluster, fresh: DocumentFragment): void {
    const [only] = cluster.spots;
    const mark =
      cluster.spots.length === 1 && only
        ? homeMark(only)
        : clusterMark(cluster.free, cluster.isSure);
    const look = `${mark.look}${mark.sign}`;
    const label = this.#label(cluster, mark);
    let drawn = this.#drawn.get(cluster.key);
    if (drawn === undefined) {
      const node = newButton(cluster.key);
      drawn = { node, cluster, look: "", label: "", at: "" };
      this.#drawn.set(cluster.key, drawn);
      fresh.append(node);
    }
    drawn.cluster = cluster;
    if (drawn.look !== look) drawMark(drawn.node, mark);
    drawn.look = look;
    if (drawn.label !== label) drawn.node.setAttribute("aria-label", label);
    drawn.label = label;
    if (this.#chosen.size > 0) this.#markChosen(drawn);
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

const NONE: readonly Spot[] = [];

/** From the projection of Mercator to degrees. */
function latLng({ x, y }: { x: number; y: number }): L.LatLng {
  const latitude = (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return L.latLng(latitude, (x - 0.5) * 360);
}

function newButton(key: string): HTMLButtonElement {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "mark-anchor";
  node.dataset["mark"] = key;
  return node;
}

function ring(): L.Marker {
  const node = L.divIcon({ className: "ring", iconSize: [56, 56] });
  return L.marker([0, 0], { icon: node, interactive: false, keyboard: false, pane: PANE });
}
