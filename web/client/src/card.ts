// One home as a card: the server's own markup, filled in. `cards.py` says the same things.
// Text goes in as text only: what a provider has written never becomes markup.
import { pathOf, saidAt, type Homes } from "./homes";
import { howFar } from "./centres";
import { hideOutdated } from "./lasting";
import { element, type Feature, type Home, type Start, type Vacancy } from "./types";
import type { Language } from "./words";

type Part = HTMLElement | SVGElement;

function part<T extends Part = HTMLElement>(card: Element, name: string): T {
  const found = card.querySelector<T>(`[data-part="${name}"]`);
  if (found === null) throw new Error(`The card lacks its ${name}.`);
  return found;
}

function clone(template: string): HTMLElement {
  const content = element<HTMLTemplateElement>(template).content;
  return content.firstElementChild?.cloneNode(true) as HTMLElement;
}

/** Shown if there is something to show. */
function write(card: Element, name: string, text: string): void {
  const target = part(card, name);
  if (target.textContent !== text) target.textContent = text;
  target.hidden = text === "";
}

export function newCard(feature: Feature, homes: Homes): HTMLElement {
  const card = clone("card");
  fillCard(card, feature, homes);
  return card;
}

export function fillCard(
  card: HTMLElement,
  { id, geometry, properties: home }: Feature,
  homes: Homes,
): void {
  const { language, start } = homes;
  card.dataset["home"] = id;
  card.dataset["revision"] = String(home.revision);
  card.classList.remove("is-gone");
  part(card, "gone").hidden = true;
  const name = part<HTMLAnchorElement>(card, "name");
  name.textContent = home.name;
  name.href = `${start.linkPrefix}/homes/${pathOf(id)}${start.linkSuffix}`;
  write(card, "distance", howFar(geometry, home, homes));
  write(card, "town", [home.address?.postcode, home.address?.city].filter(Boolean).join(" "));
  write(card, "origin", originText(home, language));
  fillOffers(part(card, "offers"), home, homes);
  write(card, "none", noOffer(home, language));
  const stop = stopText(home, language);
  part(card, "stop").hidden = stop === "";
  part(card, "stop-text").textContent = stop;
  fillFreshness(card, home, language);
  write(card, "lasting", ""); // said of the report before: the server says it anew
  write(card, "attributes", attributes(home, language).join(" · "));
  write(card, "cost", cost(home, language));
  write(card, "waiting", language.words.waiting[home.waiting_list ?? ""] ?? "");
  fillPhone(card, home);
  fillRemember(card, id, home.name, start);
}

export function fillFreshness(card: HTMLElement, home: Home, language: Language): void {
  const ruled = language.ruled(home.standing, home.freshness);
  const said = ruled === "" ? saidAt(home) : null;
  card.dataset["freshness"] = home.freshness;
  part<SVGElement>(card, "freshness-icon").setAttribute("href", `#i-${home.freshness}`);
  const time = part<HTMLTimeElement>(card, "freshness");
  if (said === null) time.removeAttribute("datetime");
  else time.dateTime = said;
  time.textContent = ruled || language.freshness(home.freshness, said);
}

/** The age again, since time has passed. */
export function refreshAge(card: HTMLElement, language: Language): void {
  hideOutdated(card);
  const time = part<HTMLTimeElement>(card, "freshness");
  if (time.dateTime === "") return;
  const text = language.freshness(card.dataset["freshness"] ?? "", time.dateTime);
  if (time.textContent !== text) time.textContent = text;
}

/** The card stays where it is and says that the place is gone. */
export function markGone(card: HTMLElement, language: Language): void {
  if (card.classList.contains("is-gone")) return;
  card.classList.add("is-gone");
  write(card, "gone", language.text("goneSince", { time: language.clock(new Date()) }));
}

function fillOffers(list: HTMLElement, home: Home, homes: Homes): void {
  const rows = offers(home, homes).map(({ line, count }) => {
    const row = clone("offer");
    part(row, "count").textContent = homes.language.plural("free", count);
    part(row, "form").textContent = homes.language.words.careForms[line.care_form] ?? "";
    part(row, "when").textContent = when(line, homes.language);
    return row;
  });
  list.replaceChildren(...rows);
  list.hidden = rows.length === 0;
}

/** Lines summed where form and days agree; the forms searched for first. */
function offers(home: Home, { start, language }: Homes): { line: Vacancy; count: number }[] {
  const order = [...start.careForms, ...Object.keys(language.words.careForms)];
  const rows = new Map<string, { line: Vacancy; count: number }>();
  for (const line of home.vacancies ?? []) {
    if (line.count <= 0) continue;
    const rank = String(order.indexOf(line.care_form)).padStart(2, "0");
    const key = [rank, line.available_from ?? "0", line.available_until ?? "9"].join("|");
    rows.set(key, { line, count: line.count + (rows.get(key)?.count ?? 0) });
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function when(line: Vacancy, language: Language): string {
  const { available_from: from, available_until: until } = line;
  const start = from ? language.text("from", { day: language.day(from) }) : language.text("now");
  return until ? `${start} ${language.text("until", { day: language.day(until) })}` : start;
}

function hasFree(home: Home): boolean {
  return Object.values(home.free ?? {}).some((count) => count > 0);
}

/** In the place of the offers if there is none. */
export function noOffer(home: Home, language: Language): string {
  if (hasFree(home) || home.admission_stop) return "";
  const uncertain = home.freshness === "stale" || home.freshness === "unknown";
  return language.text(uncertain ? "uncertain" : "full");
}

function stopText({ admission_stop: stop }: Home, language: Language): string {
  if (!stop) return "";
  const reason = language.words.stops[stop.reason] ?? "";
  if (!stop.until) return language.text("stop", { reason });
  return language.text("stopUntil", { reason, day: language.day(stop.until) });
}

function originText({ origin }: Home, language: Language): string {
  if (!origin) return "";
  const said = language.text("origin", { name: origin.name });
  if (origin.silent_since === null) return said;
  const moment = language.moment(new Date(origin.silent_since));
  return `${said}. ${language.text("originSilent", { moment })}`;
}

function attributes(home: Home, { words }: Language): string[] {
  const lines = (home.vacancies ?? []).filter((line) => line.count > 0);
  const known = (labels: Record<string, string>, codes: Iterable<string | null | undefined>) => {
    const given = new Set(codes);
    return Object.keys(labels)
      .filter((code) => given.has(code))
      .map((code) => labels[code] ?? "");
  };
  const rooms = known(
    words.rooms,
    lines.map((line) => line.room),
  );
  // Somebody of either sex finds a place: nothing to warn of.
  const forAll = lines.some((line) => (line.sex ?? "any") === "any");
  const named = known(
    words.sexes,
    lines.map((line) => line.sex),
  );
  const sexes = forAll || named.length === Object.keys(words.sexes).length ? [] : named;
  const focuses = [...(home.focuses ?? []), ...lines.flatMap((line) => line.focuses ?? [])];
  return [...rooms, ...sexes, ...known(words.focuses, focuses)];
}

function cost({ costs }: Home, language: Language): string {
  const parts = [costs?.care_eur, costs?.training_eur, costs?.board_eur, costs?.investment_eur];
  if (!parts.every((eur): eur is number => typeof eur === "number")) return "";
  return language.text("cost", { amount: language.euros(parts.reduce((sum, eur) => sum + eur)) });
}

function fillPhone(card: Element, home: Home): void {
  const phone = home.contact?.phone ?? "";
  const digits = phone.replace("(0)", "").replace(/[^0-9+]/g, "");
  const call = part<HTMLAnchorElement>(card, "phone");
  call.hidden = digits.replace(/\+/g, "").length < 3;
  if (call.hidden) return;
  call.href = `tel:${digits}`;
  part(card, "called").textContent = home.name;
  part(card, "number").textContent = phone;
}

/** The rest of it is `shortlist.ts`. */
function fillRemember(card: Element, id: string, name: string, start: Start): void {
  const link = card.querySelector<HTMLAnchorElement>("[data-remember]");
  if (link === null) return; // in a frame nothing is remembered
  link.dataset["remember"] = id;
  const { linkPrefix, linkSuffix } = start;
  const list = `${linkPrefix}/shortlist${linkSuffix}${linkSuffix ? "&" : "?"}`;
  link.href = `${list}home=${encodeURIComponent(id)}`;
  part(card, "remembered").textContent = name;
}
