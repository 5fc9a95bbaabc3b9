// Texts, numbers and times in the language of the page. The texts come from the server's
// catalogue; `language.py` writes the same things in the same way.
import type { Spoken, Words } from "./types";

const MINUTE_MS = 60_000;
const REGION = "Europe/Berlin";

export type Values = Record<string, string>;

export class Language<W extends Spoken = Words> {
  readonly #decimal: Intl.NumberFormat;
  readonly #whole: Intl.NumberFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #dayAndYear: Intl.DateTimeFormat;
  readonly #forms: Intl.PluralRules;

  constructor(readonly words: W) {
    const { tag } = words;
    this.#forms = new Intl.PluralRules(tag);
    this.#whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
    this.#decimal = new Intl.NumberFormat(tag, {
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    });
    this.#clock = new Intl.DateTimeFormat(tag, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone: REGION,
    });
    // Days come without a time: they are read and written as UTC, so that none shifts.
    this.#day = new Intl.DateTimeFormat(tag, { day: "numeric", month: "long", timeZone: "UTC" });
    this.#dayAndYear = new Intl.DateTimeFormat(tag, { dateStyle: "long", timeZone: "UTC" });
  }

  text(name: string, values: Values = {}): string {
    return fill(this.words.texts[name] ?? name, values);
  }

  plural(name: string, count: number, values: Values = {}): string {
    const forms = this.words.plurals[name] ?? {};
    const form = forms[this.#forms.select(count)] ?? forms["other"] ?? "%(num)s";
    return fill(form, { num: this.number(count), ...values });
  }

  number(value: number): string {
    return this.#whole.format(value);
  }

  distance(km: number): string {
    const format = Math.round(km * 10) / 10 < 10 ? this.#decimal : this.#whole;
    return `${format.format(km)}\u00a0km`;
  }

  euros(amount: number): string {
    return `${this.#whole.format(amount)}\u00a0€`;
  }

  /** A calendar day (YYYY-MM-DD) in words; the year only if it is not this one. */
  day(day: string): string {
    const at = new Date(`${day}T00:00:00Z`);
    const thisYear = at.getUTCFullYear() === new Date().getFullYear();
    return (thisYear ? this.#day : this.#dayAndYear).format(at);
  }

  clock(at: Date): string {
    return this.#clock.format(at);
  }

  /** The time, and the day if it is not this one. */
  moment(at: Date): string {
    const dayOf = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: REGION });
    const day = dayOf.format(at);
    return day === dayOf.format(new Date())
      ? this.clock(at)
      : `${this.day(day)}, ${this.clock(at)}`;
  }

  age(at: number): string {
    const minutes = Math.floor((Date.now() - at) / MINUTE_MS);
    if (minutes < 1) return this.text("justNow");
    if (minutes < 60) return this.plural("minutes", minutes);
    if (minutes < 24 * 60) return this.plural("hours", Math.floor(minutes / 60));
    return this.plural("days", Math.floor(minutes / (24 * 60)));
  }

  freshness(freshness: string, saidAt: string | null): string {
    const age = saidAt === null ? "" : this.age(Date.parse(saidAt));
    return fill(this.words.freshness?.[freshness] ?? "", { age });
  }

  /** What the municipality says of the reports of a home, where none of them holds. */
  ruled(standing: string | undefined, freshness: string): string {
    const holds = freshness !== "stale" && freshness !== "unknown";
    return holds ? "" : (this.words.standings?.[standing ?? ""] ?? "");
  }
}

/** `%(name)s` replaced by the value of that name. */
function fill(text: string, values: Values): string {
  return text.replace(/%\((\w+)\)s/g, (_whole, name: string) => values[name] ?? "");
}
