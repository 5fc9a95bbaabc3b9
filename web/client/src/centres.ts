// How far a home is and, with two centres, from which of them; `centres.py` says the same.
import type { Homes } from "./homes";
import type { Feature, Home } from "./types";

export function howFar(
  { coordinates: [longitude, latitude] }: Feature["geometry"],
  { distance_km: km }: Home,
  { start, language }: Homes,
): string {
  if (typeof km !== "number") return "";
  const distance = language.distance(km);
  const { centres, centreNames: names } = start;
  if (centres.length < 2 || centres.length !== names.length) return distance;
  // Degrees of longitude are shorter: good enough to tell which centre is nearer.
  const width = Math.cos((latitude * Math.PI) / 180);
  const apart = centres.map(([north, east]) =>
    Math.hypot(north - latitude, (east - longitude) * width),
  );
  const place = names[apart.indexOf(Math.min(...apart))];
  return place ? language.text("fromCentre", { distance, place }) : distance;
}
