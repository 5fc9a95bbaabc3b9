// "Remember" on every card, and the count in the header. Without a script, or where the browser
// stores nothing, these are links to the list in the address.
import {
  canRemember,
  forget,
  listAddress,
  onOtherTab,
  remember,
  rememberedHomes,
} from "./shortlist/store";

const TOGGLE = "[data-remember]";
const header = document.querySelector<HTMLAnchorElement>("#shortlist-link");

/** Every button and the header as the store has it. */
export function showRemembered(): void {
  const known = rememberedHomes();
  for (const toggle of document.querySelectorAll<HTMLElement>(TOGGLE)) {
    toggle.setAttribute("role", "button");
    toggle.setAttribute("aria-pressed", String(known.includes(toggle.dataset["remember"] ?? "")));
  }
  if (header === null) return;
  header.href = listAddress(known, header.href);
  const count = header.querySelector<HTMLElement>("[data-part=shortlist-count]");
  if (count !== null) count.textContent = known.length === 0 ? "" : ` (${known.length})`;
}

function toggle(button: HTMLElement): void {
  const id = button.dataset["remember"];
  if (id === undefined) return;
  const full = document.getElementById("shortlist-full");
  if (button.getAttribute("aria-pressed") === "true") forget(id);
  else if (full !== null) full.hidden = remember([id]);
  showRemembered();
}

const toggleAt = (event: Event): HTMLElement | null =>
  (event.target as Element).closest<HTMLElement>(TOGGLE);

if (canRemember()) {
  document.addEventListener("click", (event) => {
    const button = toggleAt(event);
    if (button === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(button);
  });
  // A link that is a button listens to the space bar too.
  document.addEventListener("keydown", (event) => {
    const button = event.key === " " ? toggleAt(event) : null;
    if (button === null) return;
    event.preventDefault();
    if (!event.repeat) toggle(button);
  });
  // Cards come later too: with "show more", with news, over the map.
  const observer = new MutationObserver(showRemembered);
  for (const list of document.querySelectorAll(".cards")) {
    observer.observe(list, { childList: true });
  }
  onOtherTab(showRemembered);
  // A page that comes back from the browser's memory has slept meanwhile.
  addEventListener("pageshow", showRemembered);
  showRemembered();
}
