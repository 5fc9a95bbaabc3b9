// A base map from one file of tiles (PMTiles) that the app serves: pictures, or vectors that are
// drawn here. Loaded only where the operator has set one.
import L from "leaflet";
import { leafletRasterLayer, PMTiles, TileType } from "pmtiles";
import { leafletLayer } from "protomaps-leaflet";
import { textOnly } from "./basemap";
import type { Basemap } from "./types";

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** Raises if the file cannot be read. */
export async function addArchive(map: L.Map, { address, attribution }: Basemap): Promise<void> {
  const archive = new PMTiles(new URL(address, location.href).href);
  const { tileType, maxZoom } = await archive.getHeader();
  const said = attribution || (await saidByItself(archive));
  if (said !== "") map.attributionControl.addAttribution(textOnly(said));
  if (tileType !== TileType.Mvt) {
    // Beyond the last tiles these are drawn larger.
    const options = { maxNativeZoom: maxZoom, maxZoom: 19 };
    (leafletRasterLayer(archive, options) as unknown as L.Layer).addTo(map);
    return;
  }
  const layer = leafletLayer({
    url: archive,
    flavor: DARK.matches ? "dark" : "light",
    lang: document.documentElement.lang.slice(0, 2),
    maxDataZoom: maxZoom,
    attribution: "",
  }) as unknown as L.Layer;
  layer.addTo(map);
}

/** Whose map it is, without the HTML that these files have there. */
async function saidByItself(archive: PMTiles): Promise<string> {
  const metadata = (await archive.getMetadata()) as { attribution?: unknown };
  if (typeof metadata.attribution !== "string") return "";
  const text = metadata.attribution.replaceAll(/<[^>]*>/g, "");
  const parsed = new DOMParser().parseFromString(text, "text/html"); // entities
  return parsed.body.textContent?.trim() ?? "";
}
