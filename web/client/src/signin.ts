// Passkeys: making one, and signing in with it. Where the browser has none, the page offers the
// link by mail alone.
import "./style.scss";
import "./menu";
import { element } from "./types";

type Purpose = "register" | "authenticate";

interface Start {
  next: string;
  language: string;
}

/** What the server sends: the options of WebAuthn with bytes as base64url text. */
interface Options {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: { id: string; type: "public-key" }[];
  allowCredentials?: { id: string; type: "public-key" }[];
}

const PATHS: Record<Purpose, string> = {
  register: "/account/passkeys",
  authenticate: "/signin/passkey",
};

const start = JSON.parse(element("start").textContent ?? "") as Start;
const offer = document.getElementById("passkey");
const button = document.querySelector<HTMLButtonElement>("[data-passkey]");

if (offer !== null && button !== null && "PublicKeyCredential" in window) {
  offer.hidden = false;
  button.addEventListener("click", () => void run(button));
}

async function run(pressed: HTMLButtonElement): Promise<void> {
  const message = element("passkey-message");
  const purpose = pressed.dataset["passkey"] as Purpose;
  message.textContent = "";
  pressed.disabled = true;
  try {
    const options = (await post(`${PATHS[purpose]}/options`, pressed)) as Options;
    const credential = await (purpose === "register" ? create(options) : get(options));
    const query = new URLSearchParams({ next: start.next, lang: start.language });
    const answer = await post(`${PATHS[purpose]}?${query.toString()}`, pressed, credential);
    location.assign((answer as { next: string }).next);
  } catch {
    // Also when the person has closed the device's own dialogue.
    message.textContent = message.dataset["failed"] ?? "";
    pressed.disabled = false;
  }
}

async function post(path: string, pressed: HTMLElement, body?: unknown): Promise<unknown> {
  const answer = await fetch(path, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRF-Token": pressed.dataset["token"] ?? "",
    },
    body: JSON.stringify(body ?? {}),
    redirect: "error",
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function create(options: Options): Promise<unknown> {
  const user = options.user;
  if (user === undefined) throw new Error("The options name nobody.");
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: known(options.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null;
  if (made === null) throw new Error("No passkey was made.");
  const response = made.response as AuthenticatorAttestationResponse;
  return packed(made, { attestationObject: text(response.attestationObject) });
}

async function get(options: Options): Promise<unknown> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: known(options.allowCredentials),
  } as unknown as PublicKeyCredentialRequestOptions;
  const found = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null;
  if (found === null) throw new Error("No passkey was chosen.");
  const response = found.response as AuthenticatorAssertionResponse;
  return packed(found, {
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? null : text(response.userHandle),
  });
}

/** `PublicKeyCredential.toJSON`, which older phones lack. */
function packed(credential: PublicKeyCredential, response: Record<string, string | null>): unknown {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
  };
}

function known(credentials: Options["allowCredentials"]): unknown {
  return (credentials ?? []).map(({ id, type }) => ({ id: bytes(id), type }));
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
