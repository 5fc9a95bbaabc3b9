// The icon of the app that the report page can be installed as, drawn here: the same house as in
// the head of every page, as PNG, which phones want for their home screens.
import { crc32, deflateSync } from "node:zlib";
import type { Plugin } from "vite";

type Point = [x: number, y: number];

// On a field of 32 by 32.
const FIELD = 32;
const HOUSE: Point[] = [
  [7, 24],
  [7, 13],
  [16, 7],
  [25, 13],
  [25, 24],
  [19, 24],
  [19, 17],
  [13, 17],
  [13, 24],
];
const ROUND = 7;
const BLUE = [0x20, 0x44, 0xaa];
const WHITE = [0xff, 0xff, 0xff];
// Samples a pixel in each direction: smooth edges.
const SAMPLES = 4;

interface Icon {
  size: number;
  /** Cut to any shape by the phone: no corners of its own, and the house a little smaller. */
  isMaskable: boolean;
}

const ICONS: Record<string, Icon> = {
  "icon-180.png": { size: 180, isMaskable: true },
  "icon-192.png": { size: 192, isMaskable: false },
  "icon-512.png": { size: 512, isMaskable: false },
  "icon-maskable-512.png": { size: 512, isMaskable: true },
};

/** Even-odd rule: how many edges lie to the right. */
function isInHouse(x: number, y: number): boolean {
  let inside = false;
  for (const [at, [x1, y1]] of HOUSE.entries()) {
    const [x2, y2] = HOUSE[(at + 1) % HOUSE.length] as Point;
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

function isInField(x: number, y: number): boolean {
  const [dx, dy] = [x, y].map((at) => Math.max(ROUND - at, at - (FIELD - ROUND), 0));
  return Math.hypot(dx as number, dy as number) <= ROUND;
}

/** Red, green, blue, and how much of the pixel is covered. */
function pixel({ size, isMaskable }: Icon, column: number, row: number): number[] {
  const sum = [0, 0, 0, 0];
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const x = ((column + ((sample % SAMPLES) + 0.5) / SAMPLES) * FIELD) / size;
    const y = ((row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) * FIELD) / size;
    if (!isMaskable && !isInField(x, y)) continue;
    const zoom = isMaskable ? 1.3 : 1;
    const middle = FIELD / 2;
    const isWhite = isInHouse(middle + (x - middle) * zoom, middle + (y - middle) * zoom);
    (isWhite ? WHITE : BLUE).forEach((part, at) => (sum[at] = (sum[at] ?? 0) + part));
    sum[3] = (sum[3] ?? 0) + 1;
  }
  const covered = sum[3] ?? 0;
  const colour = sum.slice(0, 3).map((part) => (covered === 0 ? 0 : Math.round(part / covered)));
  return [...colour, Math.round((covered / SAMPLES ** 2) * 255)];
}

function chunk(kind: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** PNG with 8 bits a channel and transparency (W3C PNG, sections 5 and 11). */
function png(icon: Icon): Buffer {
  const rows = Array.from({ length: icon.size }, (_row, row) => [
    0, // no filter
    ...Array.from({ length: icon.size }, (_column, column) => pixel(icon, column, row)).flat(),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(icon.size, 0);
  header.writeUInt32BE(icon.size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from(rows.flat()), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The icons as files of the build; the list of its files calls them by these names. */
export function icons(): Plugin {
  return {
    name: "icons",
    buildStart() {
      for (const [name, icon] of Object.entries(ICONS)) {
        this.emitFile({ type: "asset", name, originalFileName: name, source: png(icon) });
      }
    },
  };
}
