// Where homes are looked for: around places, in a part of the map, or everywhere.
import type { FinderStart } from "./types";

const EARTH_KM = 6371;
// Five digits are a metre: near enough, and the address stays short.
const DIGITS = 5;

/** West, south, east, north in degrees, as the API takes it. */
export type Box = readonly [west: number, south: number, east: number, north: number];

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** The box on each side as much larger as it is large, if `times` is 1. */
export function padded([west, south, east, north]: Box, times: number): Box {
  const [wide, high] = [(east - west) * times, (north - south) * times];
  return [
    Math.max(-180, west - wide),
    Math.max(-90, south - high),
    Math.min(180, east + wide),
    Math.min(90, north + high),
  ];
}

export function written(box: Box): string {
  return box.map((degrees) => degrees.toFixed(DIGITS)).join(",");
}

/** The box as an address names it. */
export function rounded(box: Box): Box {
  return written(box).split(",").map(Number) as unknown as Box;
}

export function holds([west, south, east, north]: Box, { latitude, longitude }: Place): boolean {
  return south <= latitude && latitude <= north && west <= longitude && longitude <= east;
}

/** The area of a search, by its parameters and by what the page began with. */
export class Area {
  readonly #box: Box | undefined;

  constructor(
    search: string,
    readonly start: FinderStart,
  ) {
    const box = new URLSearchParams(search).get("bbox");
    if (box !== null) this.#box = box.split(",").map(Number) as unknown as Box;
  }

  /** Whether all homes of that box lie in this area. */
  covers(box: Box): boolean {
    const [west, south, east, north] = box;
    const corners = [south, north].flatMap((latitude) =>
      [west, east].map((longitude) => ({ latitude, longitude })),
    );
    if (this.#box !== undefined) return corners.every((corner) => holds(this.#box!, corner));
    const { centres, radiusKm } = this.start;
    if (centres.length === 0) return true;
    return centres.some((centre) =>
      corners.every((corner) => kmBetween(centre, corner) < radiusKm),
    );
  }
}

function kmBetween([fromLatitude, fromLongitude]: [number, number], to: Place): number {
  const radians = Math.PI / 180;
  const [a, b] = [fromLatitude * radians, to.latitude * radians];
  const apart = (to.longitude - fromLongitude) * radians;
  const cosine = Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(apart);
  return EARTH_KM * Math.acos(Math.min(1, cosine));
}
