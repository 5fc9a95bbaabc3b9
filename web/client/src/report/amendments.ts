// What the page changes beside the free places: admission stop, waiting list, contact.
import { control, isChanged, settle, type Control } from "./control";

const STOP = ["stop.reason", "stop.until"];
const BOX = "weekend_admission";
const TEXTS: Record<string, string> = {
  waiting_list: "waiting_list",
  person: "contact.person",
  hours: "contact.hours",
};

export class Amendments {
  readonly #controls = new Map<string, Control>();

  constructor(
    form: HTMLFormElement,
    /** What the page shows is not what is stored. */
    private isTyped: boolean,
  ) {
    for (const name of [...STOP, BOX, ...Object.values(TEXTS)]) {
      const found = control(form, name);
      if (found !== undefined) this.#controls.set(name, found);
    }
  }

  get areChanged(): boolean {
    return this.isTyped || [...this.#controls.values()].some(isChanged);
  }

  /** The members that somebody has changed here; the others stay as they are stored. */
  toBody(): Record<string, unknown> {
    const body: Record<string, unknown> = {};
    if (STOP.some((name) => this.#isChanged(name))) {
      const reason = this.#value("stop.reason");
      body["admission_stop"] = reason && { reason, until: this.#value("stop.until") };
    }
    for (const [member, name] of Object.entries(TEXTS)) {
      if (this.#isChanged(name)) body[member] = this.#value(name);
    }
    if (this.#isChanged(BOX)) body[BOX] = (this.#controls.get(BOX) as HTMLInputElement).checked;
    return body;
  }

  settle(): void {
    this.isTyped = false;
    for (const field of this.#controls.values()) settle(field);
  }

  #isChanged(name: string): boolean {
    const field = this.#controls.get(name);
    return field !== undefined && (this.isTyped || isChanged(field));
  }

  #value(name: string): string | null {
    return this.#controls.get(name)?.value.trim() || null;
  }
}
