// The homes that somebody remembers, and their notes: on this device only, in localStorage.
// Every change reads what is stored first: another tab may have written in between.

const HOMES = "freiplatz.shortlist";
const NOTES = "freiplatz.notes";
export const MOST_HOMES = 50;

export interface Note {
  status?: string;
  /** YYYY-MM-DD */
  day?: string;
  text?: string;
}

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Whether this browser may let us remember anything; nothing is stored before somebody asks. */
export function canRemember(): boolean {
  try {
    localStorage.getItem(HOMES);
    return true;
  } catch {
    return false;
  }
}

/** The ids, in the order in which they were remembered. */
export function rememberedHomes(): string[] {
  const stored = read(HOMES);
  const ids = Array.isArray(stored) ? stored : [];
  return [...new Set(ids.filter((id): id is string => typeof id === "string" && id !== ""))];
}

/** Put these homes on the list, at `place` or at its end; false if not all found room. */
export function remember(ids: readonly string[], place?: number): boolean {
  const known = rememberedHomes();
  const fresh = ids.filter((id) => !known.includes(id)).slice(0, MOST_HOMES - known.length);
  known.splice(place ?? known.length, 0, ...fresh);
  return write(HOMES, known) && ids.every((id) => known.includes(id));
}

/** Take the home from the list; the notes stay until they are forgotten too. */
export function forget(id: string): void {
  write(
    HOMES,
    rememberedHomes().filter((other) => other !== id),
  );
}

function notes(): Record<string, Note> {
  const stored = read(NOTES);
  return stored !== null && typeof stored === "object" ? (stored as Record<string, Note>) : {};
}

export function noteOf(id: string): Note {
  return notes()[id] ?? {};
}

export function writeNote(id: string, note: Note): void {
  write(NOTES, { ...notes(), [id]: note });
}

/** Notes of homes that are on the list no more go with the next visit. */
export function forgetOldNotes(): void {
  const known = rememberedHomes();
  write(NOTES, Object.fromEntries(Object.entries(notes()).filter(([id]) => known.includes(id))));
}

/** Another tab has changed something. */
export function onOtherTab(told: () => void): void {
  addEventListener("storage", ({ key }) => {
    if (key === HOMES || key === NOTES || key === null) told();
  });
}

/** The page of a list, in the language and the look of `page`, which is one too. */
export function listAddress(ids: readonly string[], page: string): string {
  const address = new URL(page, location.href);
  const language = address.searchParams.get("lang");
  address.search = "";
  for (const id of ids) address.searchParams.append("home", id);
  if (language !== null) address.searchParams.set("lang", language);
  return address.pathname + address.search;
}
