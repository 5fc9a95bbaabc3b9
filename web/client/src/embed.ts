// <freiplatz-finder>: the finder in a page of somebody else. It makes a frame and asks that for its
// height; the page around gets two numbers of it and nothing else. See docs/embedding.md.
import type { Told } from "./told";

// Not imported: this file must stand alone. The type keeps it the same.
const HELLO: typeof import("./told").HELLO = "freiplatz-hello";
const SITE = new URL(import.meta.url).origin;
const SINGLE =
  "place near radius-km sex room care-grade available-by available-until nights municipality " +
  "max-cost-eur include-full lang accent";
const SEVERAL = "care-form focus need language ownership";
const HEIGHT_PX = 600;
const MOST_PX = 20_000;
// Scripts and forms are the finder. Without its own origin its messages could not be known from
// those of others; as another origin than the page around it, it cannot lift these limits. Popups
// are the telephone and the full finder, which is no frame and needs none of the limits.
const SANDBOX =
  "allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox";

class FreiplatzFinder extends HTMLElement {
  static readonly observedAttributes = [...`${SINGLE} ${SEVERAL} height label`.split(" ")];

  readonly #root = this.attachShadow({ mode: "open" });
  #frame: HTMLIFrameElement | undefined;
  #isDue = false;

  connectedCallback(): void {
    addEventListener("message", this.#hear);
    this.#draw();
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#hear);
    this.#frame = undefined;
    this.#root.replaceChildren();
  }

  /** Several changes in a row are one. */
  attributeChangedCallback(): void {
    if (this.#isDue || this.#frame === undefined) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (this.#frame !== undefined) this.#draw(this.#frame.style.height);
    });
  }

  /** A new frame, since one that goes elsewhere would be a step of the reader's "back". */
  #draw(height = `${this.#wanted}px`): void {
    const frame = document.createElement("iframe");
    const search = this.#search();
    frame.title = this.getAttribute("label") ?? "Freiplatz: freie Pflegeplätze";
    frame.loading = "lazy";
    frame.referrerPolicy = "no-referrer";
    frame.setAttribute("sandbox", SANDBOX);
    Object.assign(frame.style, { display: "block", width: "100%", border: "0", height });
    frame.addEventListener("load", () => frame.contentWindow?.postMessage(HELLO, SITE));
    frame.src = `${SITE}/embed?${search}`;
    // What stands inside of the element, or this, until the frame has answered.
    const link = document.createElement("a");
    search.delete("accent");
    link.href = `${SITE}/?${search}`;
    link.textContent = "Freiplatz";
    const slot = document.createElement("slot");
    slot.append(link);
    this.style.display ||= "block";
    this.#frame = frame;
    this.#root.replaceChildren(frame, slot);
  }

  get #wanted(): number {
    return pixels(Number(this.getAttribute("height") ?? HEIGHT_PX)) ?? HEIGHT_PX;
  }

  #search(): URLSearchParams {
    const search = new URLSearchParams();
    const add = (name: string, value: string): void => {
      if (value !== "") search.append(name.replaceAll("-", "_"), value);
    };
    for (const name of SINGLE.split(" ")) add(name, (this.getAttribute(name) ?? "").trim());
    for (const name of SEVERAL.split(" ")) {
      for (const value of (this.getAttribute(name) ?? "").split(/[\s,]+/)) add(name, value);
    }
    return search;
  }

  readonly #hear = ({ data, origin, source }: MessageEvent<Partial<Told> | null>): void => {
    const frame = this.#frame;
    if (origin !== SITE || !frame || source !== frame.contentWindow) return;
    const value = pixels(data?.value);
    if (value === undefined) return;
    if (data?.freiplatz === "height") {
      frame.style.height = `${value}px`;
      this.#root.querySelector("slot")!.hidden = true;
    } else if (data?.freiplatz === "homes") {
      this.dispatchEvent(
        new CustomEvent("freiplatz-results", { bubbles: true, detail: { count: value } }),
      );
    }
  };
}

/** A whole number in its limits, or none: whatever else may have been sent. */
function pixels(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0
    ? Math.min(value as number, MOST_PX)
    : undefined;
}

if (!customElements.get("freiplatz-finder")) {
  customElements.define("freiplatz-finder", FreiplatzFinder);
}
