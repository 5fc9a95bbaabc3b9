// The live stream: one EventSource, with a watchdog for connections that die silently.
import type { Feature } from "./types";

const STREAM = "/api/v1/vacancies/stream";
// Two heartbeats of 15 s missed, and a little.
const SILENCE_MS = 35_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 20_000];

export type Connection = "connecting" | "live" | "lost";

export interface Listener {
  listing(feature: Feature): void;
  gone(id: string): void;
  /** Forget everything: the full set follows. */
  reset(): void;
  /** All that had changed by now has been told. */
  ready(): void;
  connection(state: Connection): void;
}

const EVENTS = ["listing", "gone", "reset", "ready", "heartbeat"] as const;

export class Stream {
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #ends = 0;

  constructor(
    private search: string,
    private cursor: string,
    readonly listener: Listener,
  ) {
    addEventListener("online", () => this.#reopen());
    addEventListener("pagehide", () => this.#close());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.#reopen();
    });
    this.#open();
  }

  /** Go on with another search. */
  follow(search: string, cursor: string): void {
    this.search = search;
    this.cursor = cursor;
    this.#reopen();
  }

  #open(): void {
    const args = new URLSearchParams(this.search);
    args.set("since", this.cursor);
    const source = new EventSource(`${STREAM}?${args}`);
    this.#source = source;
    if (this.#ends === 0) this.listener.connection("connecting");
    this.#expect(SILENCE_MS);
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => this.#receive(event, message as MessageEvent));
    }
    source.onerror = () => {
      // The server ends every stream after some minutes: one end alone is no alarm.
      this.#ends += 1;
      this.listener.connection(this.#ends > 1 ? "lost" : "connecting");
      // A closed one never comes back by itself, and browsers let an open one wait for 3 to 5 s.
      this.#retry();
    };
  }

  #receive(event: (typeof EVENTS)[number], message: MessageEvent<string>): void {
    if (message.lastEventId !== "") this.cursor = message.lastEventId;
    this.#tries = this.#ends = 0;
    this.#expect(SILENCE_MS);
    if (event === "listing") this.listener.listing(JSON.parse(message.data) as Feature);
    if (event === "gone") this.listener.gone((JSON.parse(message.data) as { id: string }).id);
    if (event === "reset") this.listener.reset();
    if (event === "ready") this.listener.ready();
    this.listener.connection("live");
  }

  /** Reopen unless something arrives in time. */
  #expect(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ends += 1;
      this.listener.connection("lost");
      this.#reopen();
    }, ms);
  }

  #retry(): void {
    this.#close();
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)] ?? 1_000;
    this.#tries += 1;
    // Half of it by chance, so that not all come back at once after an outage.
    this.#timer = setTimeout(() => this.#open(), wait * (0.5 + Math.random() / 2));
  }

  #reopen(): void {
    this.#close();
    this.#open();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }
}
