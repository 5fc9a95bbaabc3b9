// How a home, or a cluster of homes, looks on the map. Shape and sign say what colour says.
import type { Spot } from "./homes";
import type { Freshness } from "./types";

export type Look = "fresh" | "ageing" | "full" | "unknown" | "cluster";

export interface Mark {
  look: Look;
  sign: string;
  /** The width in pixels; never under the size of a finger's target with its margin. */
  size: number;
}

const ONE = 34;
const TARGET = 44;

export function isUncertain(freshness: Freshness): boolean {
  return freshness === "stale" || freshness === "unknown";
}

export function homeMark({ free, freshness }: Spot): Mark {
  if (free > 0) {
    const look = freshness === "ageing" ? "ageing" : "fresh";
    return { look, sign: String(free), size: ONE };
  }
  return isUncertain(freshness)
    ? { look: "unknown", sign: "?", size: ONE }
    : { look: "full", sign: "0", size: ONE };
}

/** `isSure`: all of its homes say that they are full, if none is free. */
export function clusterMark(free: number, isSure: boolean): Mark {
  if (free === 0 && !isSure) return { look: "unknown", sign: "?", size: 40 };
  if (free === 0) return { look: "full", sign: "0", size: 40 };
  const size = free < 10 ? 40 : free < 100 ? 46 : 54;
  return { look: "cluster", sign: free > 9999 ? "9999+" : String(free), size };
}

/** Draw it into its button, which is as large as a finger needs. */
export function drawMark(button: HTMLElement, { look, sign, size }: Mark): void {
  const node = document.createElement("span");
  node.className = `mark mark-${look}`;
  node.style.inlineSize = node.style.blockSize = `${size}px`;
  node.textContent = sign;
  button.replaceChildren(node);
  button.style.inlineSize = button.style.blockSize = `${Math.max(size, TARGET)}px`;
}
