// The service worker of the report pages: opens them without a network, and sends what waits when
// there is one. It touches nothing outside of /report/ but the files that these pages need.
import type { Keep } from "./report/keep";
import { sendWaiting, SYNC_TAG } from "./report/sending";

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const worker = self as unknown as ServiceWorkerGlobalScope;

const PAGES = { cache: "report-pages", most: 30 };
const FILES = { cache: "report-files", most: 60 };
const OFFLINE = "/report/offline";
// Where the installed app opens.
const START = "/report/start";
// A link that was revoked, a home that is closed, or somebody else is signed in. One that is over
// (410) stays: its page offers a new link.
const DEAD = [401, 403, 404];
// A page that is kept is better than none after so long.
const PATIENCE_MS = 4_000;

worker.addEventListener("install", (event) => {
  event.waitUntil(worker.skipWaiting());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener("message", (event) => {
  const { pages, files } = event.data as Keep;
  event.waitUntil(Promise.all([keepPages(pages), keepFiles(files)]));
});

worker.addEventListener("sync", (event) => {
  const { tag, waitUntil } = event as SyncEvent;
  if (tag === SYNC_TAG) waitUntil.call(event, sync());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(file(request));
  else if (request.mode !== "navigate") return;
  else event.respondWith(url.pathname === START ? start(request) : page(request));
});

/** The browser tries again later if this fails. */
async function sync(): Promise<void> {
  if ((await sendWaiting()) > 0) throw new Error("There is still no network.");
  const kept = await (await caches.open(PAGES.cache)).keys();
  await keepPages(kept.map(({ url }) => url));
}

/** To the page that was kept last. */
async function start(request: Request): Promise<Response> {
  const kept = await (await caches.open(PAGES.cache)).keys();
  const last = kept.filter(({ url }) => new URL(url).pathname !== OFFLINE).at(-1);
  return last === undefined ? page(request) : Response.redirect(last.url);
}

/** From the network, or as it was kept. A link that no longer works is forgotten. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(PAGES.cache);
  const kept = (await cache.match(request, { ignoreVary: true })) ?? (await newest(cache, request));
  const asked = fetch(request).then(async (response) => {
    // A redirect leads to the sign-in: on a device of many nobody sees what others had open.
    const isOver = DEAD.includes(response.status) || response.type === "opaqueredirect";
    if (isOver) await cache.delete(request);
    return response;
  });
  if (kept === undefined) return asked.catch(offline);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([asked.catch(() => kept), late]);
}

/** The same page with other parameters. */
async function newest(cache: Cache, request: Request): Promise<Response | undefined> {
  const found = await cache.matchAll(request, { ignoreSearch: true, ignoreVary: true });
  return found.at(-1);
}

async function offline(): Promise<Response> {
  return (await caches.match(OFFLINE, { ignoreSearch: true })) ?? Response.error();
}

/** Their names hold a hash of what is in them: what is kept is right. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  return kept ?? fetch(request);
}

async function keepPages(addresses: string[]): Promise<void> {
  const cache = await caches.open(PAGES.cache);
  for (const address of addresses) {
    try {
      const response = await fetch(address, { cache: "no-store" });
      // To the sign-in: that is another page.
      if (response.redirected) await cache.delete(address);
      else if (response.ok) await cache.put(address, response);
    } catch {
      return; // No network: what is kept stays.
    }
  }
  await forgetOldest(cache, PAGES.most);
}

async function keepFiles(addresses: string[]): Promise<void> {
  const cache = await caches.open(FILES.cache);
  for (const address of addresses) {
    if ((await cache.match(address, { ignoreVary: true })) !== undefined) continue;
    const response = await fetch(address);
    if (response.ok) await cache.put(address, response);
  }
  await forgetOldest(cache, FILES.most);
}

async function forgetOldest(cache: Cache, most: number): Promise<void> {
  const kept = await cache.keys();
  for (const request of kept.slice(0, Math.max(0, kept.length - most))) await cache.delete(request);
}
