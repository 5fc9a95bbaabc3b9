// Reports that wait on this device until there is an answer. IndexedDB, so that the page and its
// service worker see the same, and a closed browser forgets nothing.

export interface Line {
  care_form: string;
  count: number;
  [member: string]: unknown;
}

/** What is stored for a home, as the server says it. */
export interface State {
  vacancies: Line[];
  said_at: string | null;
  revision: number;
}

/** A definite answer that was no success: only a person can decide what becomes of the report. */
export type Trouble =
  | { kind: "changed"; current: State }
  | { kind: "refused" | "doubtful"; detail: string }
  | { kind: "dead" }
  | { kind: "signedOut" };

export interface Waiting {
  /** Sent as Idempotency-Key: however often it is sent, it counts once. */
  key: string;
  homeId: string;
  name: string;
  address: string;
  /** Who has made it: it is sent in nobody else's name. */
  person: string;
  /** Of a page of somebody who is signed in; empty for a link. */
  csrf: string;
  /** What the page showed: "unchanged" was said of this. */
  lines: Line[];
  /** JSON, byte for byte what was sent before: the server knows a repetition by that. */
  body: string;
  madeAt: string;
  /** It may have arrived, even if no answer has. */
  wasTried: boolean;
  trouble: Trouble | null;
}

const DATABASE = "freiplatz-reports";
const STORE = "waiting";

let opened: Promise<IDBDatabase> | undefined;

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
    request.onsuccess = () => {
      // A newer version in another tab must not wait for this one.
      request.result.onversionchange = () => {
        request.result.close();
        opened = undefined;
      };
      resolve(request.result);
    };
  });
  return opened;
}

/** Returns once it is on the disk, not before. */
async function change(work: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = (await database()).transaction(STORE, "readwrite");
  work(transaction.objectStore(STORE));
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB aborted"));
  });
}

/** All that waits, in the order in which it was made. */
export async function waiting(): Promise<Waiting[]> {
  const store = (await database()).transaction(STORE).objectStore(STORE);
  const all = (await settled(store.getAll())) as Waiting[];
  return all.sort((a, b) => (a.madeAt < b.madeAt ? -1 : 1));
}

/** Keep a report. It takes the place of those for the same home that were surely not sent: each
 * says all of the home, so the newest is enough. */
export async function keep(report: Waiting): Promise<void> {
  const older = (await waiting()).filter(
    ({ homeId, wasTried, trouble }) => homeId === report.homeId && (!wasTried || trouble !== null),
  );
  await change((store) => {
    for (const { key } of older) store.delete(key);
    store.put(report);
  });
}

/** Change these members of a report, and no others: the page and its service worker are at it at
 * the same time. Returns what is kept now; undefined if it was discarded meanwhile: it stays away. */
export async function update(
  key: string,
  members: Partial<Omit<Waiting, "key">>,
): Promise<Waiting | undefined> {
  let kept: Waiting | undefined;
  await change((store) => {
    const found = store.get(key) as IDBRequest<Waiting | undefined>;
    found.onsuccess = () => {
      if (found.result === undefined) return;
      kept = { ...found.result, ...members };
      store.put(kept);
    };
  });
  return kept;
}

export async function forget(key: string): Promise<void> {
  await change((store) => store.delete(key));
}
