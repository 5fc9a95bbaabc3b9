// Taking a report back, for a minute. It is the form that the page without a script has, too.

const SECOND_MS = 1_000;

function focusMain(): void {
  document.querySelector<HTMLElement>(".send-main")?.focus();
}

/** Count down on `button` for `seconds` and hide `whole` then; `label` gives its text,
 * `name` what it is called. */
export function countDown(
  button: HTMLButtonElement,
  whole: HTMLElement,
  seconds: number,
  name: string,
  label: (left: string) => string,
): void {
  const until = Date.now() + seconds * SECOND_MS;
  // Named once: what ticks each second is not read out.
  button.setAttribute("aria-label", name);
  const ticking = document.createElement("span");
  ticking.className = "kern-label";
  button.replaceChildren(ticking);

  function tick(): void {
    const left = Math.ceil((until - Date.now()) / SECOND_MS);
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    ticking.textContent = label(clock);
    if (left > 0) return;
    clearInterval(timer);
    // Who stands on the button is not thrown back to the beginning of the page.
    if (document.activeElement === button) focusMain();
    whole.hidden = true;
  }
  const timer = setInterval(tick, SECOND_MS);
  tick();
}

/** Take the report with that revision back. Returns the address of the page that says so, or
 * undefined if it was too late; throws without a network. */
export async function undo(
  address: string,
  revision: number,
  csrf: string,
): Promise<string | undefined> {
  const response = await fetch(address, {
    method: "POST",
    headers: csrf === "" ? {} : { "X-CSRF-Token": csrf },
    body: new URLSearchParams({ do: "undo", if_match: String(revision) }),
  });
  return response.ok && response.redirected ? response.url : undefined;
}
