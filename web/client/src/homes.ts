// Every home that matches, in short: what the answer, the order and the map need of each.
import { Area, holds, rounded, type Box } from "./area";
import type { CareForm, Feature, FinderStart, Freshness, Home, Points } from "./types";
import type { Language } from "./words";

const POINTS = "/api/v1/vacancies/points";
const HOMES = "/api/v1/homes/";

export interface Spot {
  readonly id: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  /** The same as the map draws it: from 0 to 1, in the projection of Mercator. */
  readonly x: number;
  readonly y: number;
  /** From the nearest centre of the search; 0 without one. */
  readonly km: number;
  /** The free places of the care forms asked for. */
  readonly free: number;
  readonly freshness: Freshness;
  readonly saidAt: string | null;
  /** Nothing up to here is news. */
  readonly revision: number;
}

/** When the home last said something. */
export function saidAt({ observed_at: observed, confirmed_at: confirmed }: Home): string | null {
  if (!observed || !confirmed) return observed || confirmed || null;
  return Date.parse(observed) > Date.parse(confirmed) ? observed : confirmed;
}

export class Homes {
  #known = new Map<string, Spot>();
  #search: string;
  #area: Area;
  #view: Box | undefined;
  #size: number | undefined;
  /** False until all have been told, at first and after a reset. */
  isComplete = false;

  constructor(
    readonly start: FinderStart,
    readonly language: Language,
  ) {
    this.#search = start.search;
    this.#area = new Area(start.search, start);
    this.#view = start.bbox ? rounded(start.bbox) : undefined;
  }

  /** The parameters of the search whose homes are known: those of the list, and maybe more. */
  get search(): string {
    return this.#search;
  }

  /** The part of the map whose homes the list shows; without one it shows all that are known. */
  get view(): Box | undefined {
    return this.#view;
  }

  set view(box: Box | undefined) {
    this.#view = box;
    this.#size = undefined;
  }

  /** How many homes the list shows, page by page. */
  get size(): number {
    if (this.#view === undefined) return this.#known.size;
    return (this.#size ??= [...this.shown()].length);
  }

  isShown(spot: Spot): boolean {
    return this.#view === undefined || holds(this.#view, spot);
  }

  *shown(): Iterable<Spot> {
    for (const spot of this.#known.values()) if (this.isShown(spot)) yield spot;
  }

  covers(box: Box): boolean {
    return this.#area.covers(box);
  }

  get(id: string): Spot | undefined {
    return this.#known.get(id);
  }

  all(): Iterable<Spot> {
    return this.#known.values();
  }

  /** Take the newer state; false if what is known is as new. */
  put(feature: Feature): boolean {
    const known = this.#known.get(feature.id);
    if (known !== undefined && known.revision >= feature.properties.revision) return false;
    this.#known.set(feature.id, this.#spot(feature));
    this.#size = undefined;
    return true;
  }

  delete(id: string): Spot | undefined {
    const known = this.#known.get(id);
    this.#known.delete(id);
    this.#size = undefined;
    return known;
  }

  clear(): void {
    this.#known.clear();
    this.#size = undefined;
    this.isComplete = false;
  }

  /** The order of the list: by distance, then by name, as the server sorts them. */
  readonly before = (a: Spot, b: Spot): number =>
    a.km - b.km || compare(folded(a.name), folded(b.name)) || compare(a.id, b.id);

  /** Returns the cursor to stream from: the older one, of the page's cards or of the points. */
  async load(): Promise<string> {
    const points = await this.#fetchPoints(this.#search);
    return points.revision < this.start.revision ? points.cursor : this.start.cursor;
  }

  /** Know the homes of another search from now on; returns the cursor to stream from. */
  async loadOther(search: string): Promise<string> {
    return (await this.#fetchPoints(search)).cursor;
  }

  async #fetchPoints(search: string): Promise<Points> {
    const points = await fetchJson<Points>(`${POINTS}?${search}`);
    this.#known = new Map();
    this.#size = undefined;
    this.#search = search;
    this.#area = new Area(search, this.start);
    points.id.forEach((id, i) => {
      this.#known.set(id, {
        id,
        name: points.name[i]!,
        ...position(points.latitude[i]!, points.longitude[i]!),
        km: points.distance_km?.[i] ?? 0,
        free: points.free[i]!,
        freshness: points.freshness[i]!,
        saidAt: points.said_at[i]!,
        revision: points.revision,
      });
    });
    this.isComplete = true;
    return points;
  }

  /** All about one home, as far from here as the search has it. */
  async fetch(id: string): Promise<Feature> {
    const feature = await fetchJson<Feature>(HOMES + pathOf(id));
    const km = this.#known.get(id)?.km;
    if (this.start.centres.length > 0 && km !== undefined) feature.properties.distance_km = km;
    return feature;
  }

  #spot({ id, geometry, properties: home }: Feature): Spot {
    const [longitude, latitude] = geometry.coordinates;
    const { name, freshness, revision, distance_km: km } = home;
    const free = this.#free(home);
    const said = saidAt(home);
    const at = position(latitude, longitude);
    return { id, name, ...at, km: km ?? 0, free, freshness, saidAt: said, revision };
  }

  #free({ free = {} }: Home): number {
    const asked = this.start.careForms;
    const forms: CareForm[] = asked.length > 0 ? asked : Object.keys(free);
    return forms.reduce((sum, form) => sum + (free[form] ?? 0), 0);
  }
}

/** An id in an address: that of a neighbour's home has a slash in it, which proxies must see. */
export function pathOf(id: string): string {
  return id.split("/").map(encodeURIComponent).join("/");
}

async function fetchJson<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`);
  return (await answer.json()) as T;
}

function position(
  latitude: number,
  longitude: number,
): Pick<Spot, "latitude" | "longitude" | "x" | "y"> {
  const sine = Math.sin((latitude * Math.PI) / 180);
  const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  return { latitude, longitude, x: longitude / 360 + 0.5, y };
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll("ß", "ss");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
