// Homes that lie too close together to be told apart at a zoom, as one mark.
//
// Only the zoom that is looked at is worked out, for all homes at once: so panning changes
// nothing, and a change among 15,000 homes costs some milliseconds.
import { isUncertain } from "./marks";
import type { Spot } from "./homes";

const TILE = 256;

export interface Cluster {
  /** Of its first home: the same one keeps its name, and so its node and focus. */
  readonly key: string;
  readonly spots: readonly Spot[];
  /** Where it is drawn: from 0 to 1, in the projection of Mercator. */
  readonly x: number;
  readonly y: number;
  readonly free: number;
  readonly isSure: boolean;
}

export class Clusters {
  #spots: readonly Spot[] = [];
  #zoom: number | undefined;
  #found: readonly Cluster[] = [];
  #of: Map<string, Cluster> | undefined;

  /** `radius` in pixels: what lies nearer to a home than that joins it. */
  constructor(readonly radius: number) {}

  load(spots: Iterable<Spot>): void {
    this.#spots = [...spots];
    this.#zoom = undefined;
  }

  /** All of them at a whole zoom. */
  at(zoom: number): readonly Cluster[] {
    if (zoom === this.#zoom) return this.#found;
    this.#zoom = zoom;
    this.#of = undefined;
    return (this.#found = joined(this.#spots, this.radius / (TILE * 2 ** zoom)));
  }

  /** The one that a home is in, at the zoom that was asked for last. */
  of(id: string): Cluster | undefined {
    if (this.#of === undefined) {
      this.#of = new Map();
      for (const cluster of this.#found) {
        for (const spot of cluster.spots) this.#of.set(spot.id, cluster);
      }
    }
    return this.#of.get(id);
  }
}

/** Each home that is in no cluster yet takes its neighbours within `reach`. */
function joined(spots: readonly Spot[], reach: number): Cluster[] {
  const width = Math.ceil(1 / reach) + 2;
  const cellOf = ({ x, y }: Spot): number =>
    (Math.floor(y / reach) + 1) * width + Math.floor(x / reach) + 1;
  const cells = new Map<number, number[]>();
  spots.forEach((spot, i) => {
    const cell = cellOf(spot);
    const others = cells.get(cell);
    if (others === undefined) cells.set(cell, [i]);
    else others.push(i);
  });
  const isTaken = new Uint8Array(spots.length);
  const clusters: Cluster[] = [];
  spots.forEach((first, i) => {
    if (isTaken[i] === 1) return;
    const members: Spot[] = [];
    const middle = cellOf(first);
    for (const row of [-width, 0, width]) {
      for (const column of [-1, 0, 1]) {
        for (const other of cells.get(middle + row + column) ?? []) {
          if (isTaken[other] === 1) continue;
          const spot = spots[other]!;
          const [dx, dy] = [spot.x - first.x, spot.y - first.y];
          if (dx * dx + dy * dy > reach * reach) continue;
          isTaken[other] = 1;
          members.push(spot);
        }
      }
    }
    clusters.push(clusterOf(first, members));
  });
  return clusters;
}

function clusterOf(first: Spot, spots: readonly Spot[]): Cluster {
  let [x, y, free, isSure] = [0, 0, 0, true];
  for (const spot of spots) {
    x += spot.x;
    y += spot.y;
    free += spot.free;
    if (isUncertain(spot.freshness)) isSure = false;
  }
  return {
    key: first.id,
    spots,
    x: x / spots.length,
    y: y / spots.length,
    free,
    isSure,
  };
}
