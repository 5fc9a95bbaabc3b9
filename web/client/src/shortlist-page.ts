// The page of a list: one's own, or somebody else's that was passed on. It stays as it is told by
// the server, every half minute and when another tab changes the list.
import "./style.scss";
import "./feedback";
import { showRemembered } from "./shortlist";
import {
  canRemember,
  forget,
  forgetOldNotes,
  listAddress,
  noteOf,
  onOtherTab,
  remember,
  rememberedHomes,
  writeNote,
  type Note,
} from "./shortlist/store";
import { element, type Spoken } from "./types";
import { Language } from "./words";

const REFRESH_MS = 30_000;

const start = JSON.parse(element("start").textContent ?? "") as { words: Spoken };
const language = new Language<Spoken>(start.words);
const entries = element("entries");
const asked = new URL(location.href);

const listed = (): HTMLElement[] => [...entries.querySelectorAll<HTMLElement>(":scope > .listed")];
const idOf = (entry: HTMLElement): string => entry.dataset["home"] ?? "";
const nameOf = (entry: HTMLElement): string => entry.dataset["name"] ?? "";
const shownIds = (): string[] =>
  listed()
    .filter((entry) => !entry.classList.contains("is-removed"))
    .map(idOf);

function say(text: string): void {
  element("said").textContent = text;
}

/** This page with other homes, seen from the same place. */
function here(ids: readonly string[]): string {
  const address = new URL(listAddress(ids, location.href), location.href);
  for (const key of ["place", "label", "near"]) {
    const value = asked.searchParams.get(key);
    if (value !== null) address.searchParams.set(key, value);
  }
  return address.pathname + address.search;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id));
}

/** YYYY-MM-DD in the region. */
function dayOf(at: Date): string {
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: "Europe/Berlin" }).format(
    at,
  );
}

let isOwn = false;

// ---- whose list it is ----

function showWhose(): void {
  const known = rememberedHomes();
  const shown = shownIds();
  const fresh = shown.filter((id) => !known.includes(id));
  const foreign = element("foreign");
  foreign.hidden = isOwn || shown.length === 0;
  const whose = foreign.querySelector<HTMLElement>("[data-part=whose]")!;
  whose.textContent = language.text("foreign");
  if (fresh.length === 0) whose.textContent += ` ${language.text("allMine")}`;
  const take = element("take");
  take.hidden = fresh.length === 0;
  take.firstElementChild!.textContent = language.plural("take", fresh.length);
  const mine = element<HTMLAnchorElement>("mine");
  mine.hidden = known.length === 0;
  mine.textContent = language.plural("mine", known.length);
  mine.href = listAddress(known, location.href);
}

function takeOver(): void {
  const didFit = remember(shownIds());
  say(language.text(didFit ? "added" : "addedSome"));
  showRemembered();
  isOwn = isSame(shownIds(), rememberedHomes());
  showWhose();
  showOwn();
  if (!isOwn) element("mine").focus();
}

// ---- notes ----

function fields(entry: Element): NodeListOf<HTMLInputElement> {
  return entry.querySelectorAll<HTMLInputElement>("[data-note]");
}

function showNote(entry: HTMLElement): void {
  const note = noteOf(idOf(entry));
  for (const field of fields(entry)) {
    if (field !== document.activeElement)
      field.value = note[field.dataset["note"] as keyof Note] ?? "";
  }
  const printed = entry.querySelector<HTMLElement>("[data-part=note-text]");
  if (printed === null) return;
  const status = entry.querySelector<HTMLSelectElement>("select[data-note]");
  const day = note.day ? language.day(note.day) : "";
  const text = [note.status ? (status?.selectedOptions[0]?.text ?? "") : "", day, note.text ?? ""];
  const said = text.filter(Boolean).join(" · ");
  printed.textContent = said === "" ? "" : language.text("notePrinted", { note: said });
}

/** Notes belong to one's own list. */
function showOwn(): void {
  for (const entry of listed()) {
    const own = entry.querySelector<HTMLElement>("[data-part=own]");
    if (own !== null) own.hidden = !isOwn;
    if (isOwn) showNote(entry);
  }
}

entries.addEventListener("change", (event) => {
  const entry = (event.target as Element).closest<HTMLElement>(".listed");
  if (entry === null || (event.target as HTMLElement).dataset["note"] === undefined) return;
  const note: Note = {};
  for (const field of fields(entry)) {
    if (field.value !== "") note[field.dataset["note"] as keyof Note] = field.value;
  }
  writeNote(idOf(entry), note);
  showNote(entry);
});

// ---- removing, and back ----

function remove(entry: HTMLElement): void {
  const place = rememberedHomes().indexOf(idOf(entry));
  if (isOwn) forget(idOf(entry));
  const text = language.text("removed", { name: nameOf(entry) });
  const gone = document.createElement("p");
  gone.className = "entry-gone on-screen";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "kern-btn kern-btn--secondary";
  const label = document.createElement("span");
  label.className = "kern-label";
  label.textContent = language.text("undo");
  button.append(label);
  const words = document.createElement("span");
  words.textContent = text;
  gone.append(words, button);
  entry.classList.add("is-removed");
  entry.append(gone);
  button.addEventListener("click", () => {
    if (isOwn) remember([idOf(entry)], Math.max(place, 0));
    entry.classList.remove("is-removed");
    gone.remove();
    follow();
    entry.querySelector<HTMLElement>("[data-remove]")?.focus();
  });
  follow();
  say(text);
  button.focus();
}

/** The address and the counts after the list has changed. */
function follow(): void {
  const ids = shownIds();
  history.replaceState(null, "", here(ids));
  const shared = element<HTMLInputElement>("f-address");
  shared.value = location.origin + listAddress(ids, location.href);
  showRemembered();
  showWhose();
}

entries.addEventListener("click", (event) => {
  const link = (event.target as Element).closest("[data-remove]");
  const entry = link?.closest<HTMLElement>(".listed");
  if (!entry) return;
  event.preventDefault();
  remove(entry);
});

// ---- as it is now ----

async function refresh(ids: readonly string[]): Promise<void> {
  let page: Document;
  try {
    const answer = await fetch(here(ids));
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // Without a network the page stays as it is, with the age that stands on it.
  }
  const told = [...page.querySelectorAll<HTMLElement>("#entries > .listed")];
  const known = new Map(listed().map((entry) => [idOf(entry), entry]));
  for (const fresh of told) {
    const entry = known.get(idOf(fresh));
    if (entry === undefined) entries.append(fresh);
    else update(entry, fresh);
  }
  const still = new Set(told.map(idOf));
  for (const [id, entry] of known) {
    if (!still.has(id) && !entry.classList.contains("is-removed")) entry.remove();
  }
  element("some").hidden = listed().length === 0;
  element("nobody").hidden = listed().length > 0;
  element("printed").textContent = page.getElementById("printed")?.textContent ?? "";
  showOwn();
}

/** What the home says now, unless somebody is just reading or pressing something in it. */
function update(entry: HTMLElement, fresh: HTMLElement): void {
  const [old, now] = [entry, fresh].map((one) => one.querySelector("[data-part=facts]"));
  if (!old || !now || old.isEqualNode(now)) return;
  if (old.contains(document.activeElement) || old.querySelector(".feedback-said, [aria-busy]"))
    return;
  const hasReported = entry.dataset["revision"] !== fresh.dataset["revision"];
  old.replaceWith(now);
  for (const key of ["revision", "freshness"]) {
    const value = fresh.dataset[key];
    if (value === undefined) delete entry.dataset[key];
    else entry.dataset[key] = value;
  }
  if (hasReported) say(language.text("changed", { name: nameOf(entry) }));
}

// ---- sharing and printing ----

function startSharing(): void {
  const address = element<HTMLInputElement>("f-address");
  element("share-ways").hidden = false;
  if (typeof navigator.share === "function") {
    const share = element("share");
    share.hidden = false;
    share.addEventListener("click", () => {
      // Whoever thinks better of it has not made a mistake.
      navigator.share({ title: document.title, url: address.value }).catch(() => undefined);
    });
  }
  element("copy").addEventListener("click", async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(address.value);
      say(language.text("copied"));
    } catch {
      address.focus();
      say(language.text("copyYourself"));
    }
  });
  element("print").addEventListener("click", () => print());
  addEventListener("beforeprint", () => {
    const now = new Date();
    const moment = `${language.day(dayOf(now))}, ${language.clock(now)}`;
    element("printed").textContent = language.text("printed", { moment });
  });
}

if (canRemember()) {
  const known = rememberedHomes();
  if (!asked.searchParams.has("home") && known.length > 0) {
    location.replace(here(known));
  } else {
    forgetOldNotes();
    isOwn = isSame(shownIds(), known);
    showWhose();
    showOwn();
    element("take").addEventListener("click", takeOver);
    element<HTMLAnchorElement>("search-on").href = listAddress([], location.href).replace(
      "/shortlist",
      "/",
    );
    onOtherTab(() => {
      showWhose();
      if (!isOwn) return;
      history.replaceState(null, "", here(rememberedHomes()));
      void refresh(rememberedHomes()).then(follow);
    });
  }
}
startSharing();
setInterval(() => {
  if (!document.hidden) void refresh(shownIds());
}, REFRESH_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void refresh(shownIds());
});
