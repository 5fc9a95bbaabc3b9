// The rows of the page: how many places are free, for whom, and when. A row is a line of the
// report; what the page does not show of it (care grades, focuses) goes back as it came.
import { control, isChanged, settle, type Control } from "./control";
import type { Line } from "./queue";

const DETAILS = ["sex", "room", "available_from", "available_until"];

export class Row {
  readonly form: string;
  readonly label: string;
  readonly isMore: boolean;
  readonly count: HTMLInputElement;
  readonly #details = new Map<string, Control>();

  constructor(
    readonly element: HTMLElement,
    form: HTMLFormElement,
    /** As the server has it. */
    private line: Line,
  ) {
    const key = element.dataset["key"] ?? "";
    this.form = element.dataset["form"] ?? "";
    this.label = element.querySelector("label")?.textContent ?? "";
    this.isMore = element.closest(".more-forms") !== null;
    this.count = control(form, `count.${key}`) as HTMLInputElement;
    for (const name of DETAILS) {
      const found = control(form, `${name}.${key}`);
      if (found !== undefined) this.#details.set(name, found);
    }
  }

  /** Places that are free; an empty field means none. */
  get places(): number {
    return Number(this.count.value || 0);
  }

  get isChanged(): boolean {
    return [this.count, ...this.#details.values()].some(isChanged);
  }

  toLine(): Line {
    const line: Line = { ...this.line, care_form: this.form, count: this.places };
    for (const [name, { value }] of this.#details) {
      line[name] = value || (name === "sex" || name === "room" ? "any" : null);
    }
    return line;
  }

  fill(line: Line | undefined): void {
    this.count.value = String(line?.count ?? 0);
    if (line === undefined) return;
    this.line = line;
    for (const [name, field] of this.#details) field.value = String(line[name] ?? "");
  }

  settle(): void {
    this.line = this.toLine();
    [this.count, ...this.#details.values()].forEach(settle);
  }
}

export class Rows {
  readonly all: Row[];

  constructor(form: HTMLFormElement, lines: Record<string, Line>) {
    this.all = [...form.querySelectorAll<HTMLElement>(".count")].map((element) => {
      const key = element.dataset["key"] ?? "";
      const empty = { care_form: element.dataset["form"] ?? "", count: 0 };
      return new Row(element, form, lines[key] ?? empty);
    });
  }

  get areChanged(): boolean {
    return this.all.some((row) => row.isChanged);
  }

  /** The report: a form without free places needs no line. */
  toLines(): Line[] {
    return this.all.map((row) => row.toLine()).filter(({ count }) => count > 0);
  }

  /** Show these lines; false if the page has not a row for each of them. */
  fill(lines: Line[]): boolean {
    const left = [...lines];
    for (const row of this.all) {
      const at = left.findIndex(({ care_form }) => care_form === row.form);
      row.fill(at < 0 ? undefined : left.splice(at, 1)[0]);
    }
    return left.length === 0;
  }

  settle(): void {
    for (const row of this.all) row.settle();
  }
}
