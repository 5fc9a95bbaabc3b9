// Being told of news on this device: asks the browser, and tells the server where it is reached.
// Where the browser cannot do that, the page offers the mail alone.
import "./style.scss";

interface Start {
  /** Our public key, base64url: the browser binds the subscription to it. */
  key: string;
  path: string;
}

const WORKER = "/alerts/worker.js";
const SCOPE = "/alerts/";

const offer = document.getElementById("push");
const button = document.querySelector<HTMLButtonElement>("#push-button");
const message = document.getElementById("push-message");

if (offer && button && message && "serviceWorker" in navigator && "PushManager" in window) {
  offer.hidden = false;
  button.addEventListener("click", () => void run(button, message));
}

async function run(pressed: HTMLButtonElement, said: HTMLElement): Promise<void> {
  pressed.disabled = true;
  said.textContent = "";
  const outcome = await ask().catch(() => "failed" as const);
  said.textContent = said.dataset[outcome] ?? "";
  pressed.disabled = outcome === "sent";
}

async function ask(): Promise<"sent" | "refused"> {
  if ((await Notification.requestPermission()) !== "granted") return "refused";
  const start = JSON.parse(document.getElementById("start")?.textContent ?? "") as Start;
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  const { pushManager } = await navigator.serviceWorker.ready;
  const made = await subscribe(pushManager, start.key);
  const { endpoint, keys } = made.toJSON();
  const search = document.querySelector<HTMLInputElement>("input[name=search]")?.value ?? "";
  const subscription = { endpoint, p256dh: keys?.["p256dh"], auth: keys?.["auth"] };
  const answer = await fetch(start.path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ search, subscription }),
    redirect: "error",
  });
  if (!answer.ok) throw new Error(`${start.path}: ${answer.status}`);
  return "sent";
}

/** One that is bound to a key we no longer have is of no use. */
async function subscribe(manager: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    const old = await manager.getSubscription();
    if (old === null) throw error;
    await old.unsubscribe();
    return manager.subscribe(options);
  }
}
