// Every home that matches, as the server last told it.
import type { CareForm, Collection, Feature, FinderStart, Home } from "./types";
import type { Language } from "./words";

const PAGE = 500;
const API = "/api/v1/vacancies";
const EARTH_KM = 6371.0088;

/** When the home last said something, in milliseconds. */
export function saidAt(home: Home): number | undefined {
  const times = [home.observed_at, home.confirmed_at].filter((at): at is string => !!at);
  return times.length === 0 ? undefined : Math.max(...times.map((at) => Date.parse(at)));
}

export class Homes {
  readonly #known = new Map<string, Feature>();
  #order: Feature[] | undefined;

  constructor(
    readonly start: FinderStart,
    readonly language: Language,
  ) {}

  get size(): number {
    return this.#known.size;
  }

  get(id: string): Feature | undefined {
    return this.#known.get(id);
  }

  all(): Feature[] {
    return [...this.#known.values()];
  }

  /** Take the newer state; false if what is known is as new. */
  put(feature: Feature): boolean {
    const known = this.#known.get(feature.id);
    if (known !== undefined && known.properties.revision >= feature.properties.revision) {
      return false;
    }
    feature.properties.distance_km ??= this.#distance(feature);
    this.#known.set(feature.id, feature);
    this.#order = undefined;
    return true;
  }

  delete(id: string): Feature | undefined {
    const known = this.#known.get(id);
    this.#known.delete(id);
    this.#order = undefined;
    return known;
  }

  clear(): void {
    this.#known.clear();
    this.#order = undefined;
  }

  /** The free places of the care forms asked for. */
  free(home: Home): number {
    const free = home.free ?? {};
    const forms: CareForm[] =
      this.start.careForms.length > 0 ? this.start.careForms : Object.keys(free);
    return forms.reduce((sum, form) => sum + (free[form] ?? 0), 0);
  }

  /** The order of the list: by distance, then by name. */
  sorted(): readonly Feature[] {
    return (this.#order ??= this.all().sort(this.#before));
  }

  /** Whether `a` stands before `b` in the list. */
  isBefore(a: Feature, b: Feature): boolean {
    return this.#before(a, b) < 0;
  }

  readonly #before = (a: Feature, b: Feature): number =>
    (a.properties.distance_km ?? 0) - (b.properties.distance_km ?? 0) ||
    this.language.collator.compare(a.properties.name, b.properties.name);

  /** Load all pages, `onPage` after each. Returns the cursor from which to stream: the
   * first page's, since only that is from before all that was loaded. */
  async load(onPage: () => void): Promise<string> {
    let next: string | null | undefined;
    let cursor: string | undefined;
    do {
      const args = new URLSearchParams(this.start.search);
      args.set("limit", String(PAGE));
      if (next) args.set("cursor", next);
      const answer = await fetch(`${API}?${args}`);
      if (!answer.ok) throw new Error(`The search answered ${answer.status}.`);
      const page = (await answer.json()) as Collection;
      page.features.forEach((feature) => this.put(feature));
      next = page.next;
      cursor ??= page.cursor;
      onPage();
    } while (next);
    return cursor;
  }

  /** Only for an answer that left the distance out: great circle, within 0.5 %. */
  #distance(feature: Feature): number | null {
    if (this.start.centres.length === 0) return null;
    const [lon, lat] = feature.geometry.coordinates;
    return Math.min(...this.start.centres.map(([y, x]) => greatCircleKm(lat, lon, y, x)));
  }
}

function greatCircleKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const rad = Math.PI / 180;
  const half =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.sqrt(half));
}
