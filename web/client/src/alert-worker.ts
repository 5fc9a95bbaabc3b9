// The service worker of alerts: shows what is pushed, and does what its buttons say. It keeps
// nothing and answers no requests. It imports nothing either: see vite.worker.config.ts.

/** As web/alerts/letters.py writes it. */
interface Message {
  title: string;
  body: string;
  tag: string;
  language: string;
  direction: NotificationDirection;
  path: string;
  confirm: string | null;
  actions: { action: string; title: string; path: string }[];
}

const worker = self as unknown as ServiceWorkerGlobalScope;

worker.addEventListener("install", (event) => {
  event.waitUntil(worker.skipWaiting());
});

worker.addEventListener("push", (event) => {
  const message = event.data?.json() as Message;
  const options = {
    body: message.body,
    // The same message, sent twice, is shown once.
    tag: message.tag,
    lang: message.language,
    dir: message.direction,
    data: message,
    actions: message.actions.map(({ action, title }) => ({ action, title })),
  };
  event.waitUntil(worker.registration.showNotification(message.title, options));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(follow(event.notification.data as Message, event.action));
});

async function follow(message: Message, action: string): Promise<void> {
  const pressed = message.actions.find((one) => one.action === action);
  if (pressed !== undefined) {
    await send(pressed.path);
    return;
  }
  if (message.confirm !== null) await send(message.confirm);
  await worker.clients.openWindow(message.path);
}

async function send(path: string): Promise<void> {
  await fetch(path, { method: "POST", redirect: "manual" });
}

export {};
