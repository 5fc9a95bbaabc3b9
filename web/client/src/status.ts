// Whether what is shown is live, and what has changed, in words.
import type { Connection } from "./stream";
import { element } from "./types";
import type { Language } from "./words";

// Read aloud at most so often: a busy evening must not talk over the reader.
const SAY_EVERY_MS = 15_000;

export class Status {
  readonly #line = element("live");
  readonly #text = element("live-text");
  #state: Connection = "connecting";
  #wasLost = false;
  #came = 0;
  #went = 0;
  /** What else is to be said next time; the newest of each kind. */
  readonly #notices = new Map<"connection" | "section", string>();
  #sentence = "";
  #said = -SAY_EVERY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly language: Language,
    private asOf: Date,
  ) {}

  /** While live, what is shown is true now; after that, as of the last word from the server. */
  show(state: Connection): void {
    const before = this.#state;
    this.#state = state;
    if (state === "live") this.asOf = new Date();
    const time = this.language.clock(this.asOf);
    if (state === "lost" && !this.#wasLost) {
      this.#wasLost = true;
      this.#notice("connection", this.language.text("lostSaid", { time }));
    }
    if (state === "live" && this.#wasLost && before !== "live") {
      this.#notice("connection", this.language.text("restoredSaid"));
    }
    this.#line.dataset["state"] = state;
    const isBack = state === "live" && this.#wasLost;
    const text = this.language.text(isBack ? "restored" : state, { time });
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  /** Time has passed: that it was lost is no news for ever. */
  tick(): void {
    if (this.#state !== "live") return;
    this.#wasLost = false;
    this.show("live");
  }

  /** The list shows another part of the map. */
  moved(): void {
    this.#notice("section", this.language.text("mapSearched"));
  }

  /** So many places have come (or, below zero, gone). */
  count(places: number): void {
    if (places > 0) this.#came += places;
    else this.#went -= places;
  }

  /** Tell assistive technology what came and went, and the new answer. */
  sayLater(sentence: string): void {
    this.#sentence = sentence;
    if (this.#came !== 0 || this.#went !== 0) this.#wait();
  }

  #notice(kind: "connection" | "section", text: string): void {
    this.#notices.set(kind, text);
    this.#wait();
  }

  /** One announcement for all that comes until it is made, however much that is. */
  #wait(): void {
    const wait = Math.max(1_000, this.#said + SAY_EVERY_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#say(), wait);
  }

  #say(): void {
    const came = this.#came > 0 ? this.language.plural("newSaid", this.#came) : "";
    const went = this.#went > 0 ? this.language.plural("goneSaid", this.#went) : "";
    const parts = [...this.#notices.values(), came, went, this.#sentence];
    element("said").textContent = parts.filter(Boolean).join(" ");
    this.#notices.clear();
    this.#came = this.#went = 0;
    this.#said = performance.now();
    this.#timer = undefined;
  }
}
