// Sends what waits, from the page or from its service worker, one at a time. A report leaves the
// queue only after a definite answer; whoever looks on learns of each by a BroadcastChannel.
import { forget, update, waiting, type State, type Trouble, type Waiting } from "./queue";

/** What the server says to a report that it has taken. */
export interface Answer {
  revision: number;
  /** The revision by which it can be taken back. */
  told: number;
  reported_at: string;
  watching: number;
  state: State;
}

/** What became of one report: sent, refused, or (neither) it waits on. */
export interface Outcome {
  key: string;
  homeId: string;
  answer: Answer | null;
  trouble: Trouble | null;
}

interface Problem {
  code?: string;
  detail?: string;
  current?: State;
}

export const CHANNEL = "freiplatz-reports";
export const SYNC_TAG = "freiplatz-reports";
const TIMEOUT_MS = 20_000;
// The same request may succeed later: too many, or the first one of this key is still at work.
const LATER_STATUS = 429;
// Nobody is signed in any more, or in another session than the one that made the page.
const SIGNED_OUT = ["not_signed_in", "form_refused"];
const IN_FLIGHT = "idempotency_key_in_flight";

const channel = new BroadcastChannel(CHANNEL);

/** Send all that waits; the number of those that could not be sent now. One sender at a time in
 * the whole browser, or two would send the same report at once. */
export async function sendWaiting(): Promise<number> {
  return await navigator.locks.request(CHANNEL, async () => {
    for (;;) {
      const reports = (await waiting()).filter(({ trouble }) => trouble === null);
      const [first] = reports;
      if (first === undefined) return 0;
      // What is not tried may still be replaced or discarded.
      if (!navigator.onLine) return reports.length;
      const outcome = await send(first);
      if (outcome === undefined) continue;
      channel.postMessage(outcome);
      // No network, or no service: the others need not try.
      if (outcome.answer === null && outcome.trouble === null) return reports.length;
    }
  });
}

/** Undefined if it was discarded just now. */
async function send({ key, homeId }: Waiting): Promise<Outcome | undefined> {
  const sent = await update(key, { wasTried: true });
  if (sent === undefined) return undefined;
  const [answer, trouble] = await post(sent);
  if (answer !== null) {
    await rebase(homeId, key, answer.revision);
    await forget(key);
  } else if (trouble !== null) {
    const now = (await waiting()).find((kept) => kept.key === key);
    // A page has taken it over meanwhile: its address was not tried yet.
    if (now?.address !== sent.address || now.csrf !== sent.csrf) {
      return { key, homeId, answer, trouble: null };
    }
    await update(key, { trouble });
  }
  return { key, homeId, answer, trouble };
}

/** What was reported here for the same home meanwhile followed on this report, and on no other. */
async function rebase(homeId: string, sent: string, revision: number): Promise<void> {
  for (const report of await waiting()) {
    if (report.homeId !== homeId || report.key === sent || report.wasTried) continue;
    const body = { ...(JSON.parse(report.body) as object), if_match: revision };
    await update(report.key, { body: JSON.stringify(body) });
  }
}

async function post(report: Waiting): Promise<[Answer | null, Trouble | null]> {
  let response: Response;
  try {
    response = await fetch(report.address, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": report.key,
        // Clocks of phones are wrong: the server sees by how much, and corrects the time in there.
        "Client-Time": new Date().toISOString(),
        ...(report.csrf && { "X-CSRF-Token": report.csrf }),
      },
      body: report.body,
      // To the sign-in: that is no success.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.type === "opaqueredirect") return [null, { kind: "dead" }];
    // What stands between (the sign-in of a hotel's network) answers with pages of its own.
    if (!response.headers.get("Content-Type")?.includes("json")) return [null, null];
    if (response.ok) return [(await response.json()) as Answer, null];
    return [null, troubleOf(response.status, (await response.json()) as Problem)];
  } catch {
    return [null, null];
  }
}

function troubleOf(status: number, { code, detail, current }: Problem): Trouble | null {
  if (status >= 500 || status === LATER_STATUS || code === IN_FLIGHT) return null;
  if (current !== undefined) return { kind: "changed", current };
  if (code !== undefined && SIGNED_OUT.includes(code)) return { kind: "signedOut" };
  // 404: a link that was revoked, or a home that is closed.
  if ([401, 403, 404, 410].includes(status)) return { kind: "dead" };
  return { kind: code === "doubtful" ? "doubtful" : "refused", detail: detail ?? "" };
}
