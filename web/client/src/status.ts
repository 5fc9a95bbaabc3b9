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
  #came = 0;
  #went = 0;
  #said = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly language: Language,
    private asOf: Date,
  ) {}

  /** While live, what is shown is true now; after that, as of the last word from the server. */
  show(state: Connection): void {
    this.#state = state;
    if (state === "live") this.asOf = new Date();
    this.#line.dataset["state"] = state;
    const text = this.language.text(state, { time: this.language.clock(this.asOf) });
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  tick(): void {
    if (this.#state === "live") this.show("live");
  }

  /** So many places have come (or, below zero, gone). */
  count(places: number): void {
    if (places > 0) this.#came += places;
    else this.#went -= places;
  }

  /** Tell assistive technology what came and went, and the new answer. */
  sayLater(sentence: string): void {
    if (this.#came === 0 && this.#went === 0) return;
    clearTimeout(this.#timer);
    const wait = Math.max(1_000, this.#said + SAY_EVERY_MS - Date.now());
    this.#timer = setTimeout(() => {
      const came = this.#came > 0 ? this.language.plural("newSaid", this.#came) : "";
      const went = this.#went > 0 ? this.language.plural("goneSaid", this.#went) : "";
      element("said").textContent = [came, went, sentence].filter(Boolean).join(" ");
      this.#came = this.#went = 0;
      this.#said = Date.now();
    }, wait);
  }
}
