// The page without a network: its service worker, and what that keeps.
import type { Keep } from "./keep";
import { SYNC_TAG } from "./sending";

interface Syncing extends ServiceWorkerRegistration {
  sync?: { register(tag: string): Promise<void> };
}

// Never waited for before a report is sent: there may be no service worker at all.
let ready: Promise<Syncing | undefined> | undefined;

/** Start the service worker, where there can be one (HTTPS, and no private window). */
export function startShell(): void {
  if (!("serviceWorker" in navigator)) return;
  ready = navigator.serviceWorker
    .register("/report/worker.js", { scope: "/report/" })
    .then(() => navigator.serviceWorker.ready)
    .catch(() => undefined);
}

/** Keep this page, with all it needs, and `others` as they are now. */
export async function keepPages(others: string[]): Promise<void> {
  const here = new URL(location.href);
  // What was done is news once.
  here.searchParams.delete("done");
  const offline = new URL("/report/offline", here);
  offline.searchParams.set("lang", document.documentElement.lang);
  const message: Keep = {
    // This one last: it is where the app opens.
    pages: [offline.pathname + offline.search, ...others, here.pathname + here.search],
    files: performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${location.origin}/assets/`)),
  };
  (await ready)?.active?.postMessage(message);
}

/** Let the browser send what waits when there is a network, also with the page closed. Browsers
 * that cannot do that send it when the page is opened again. */
export async function sendLater(): Promise<void> {
  try {
    await (await ready)?.sync?.register(SYNC_TAG);
  } catch {
    // Not allowed: the page does it.
  }
}
