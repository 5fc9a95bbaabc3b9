// The search form's conveniences: it works without any of them.
import "./menu";
import { PlaceField, type PlaceWords } from "./place-field";
import type { Spoken } from "./types";
import { Language } from "./words";

const POSITION_TIMEOUT_MS = 10_000;

const form = document.querySelector<HTMLFormElement>("#search");
const place = document.querySelector<HTMLInputElement>("#f-place");

/** `/` goes to the search field, unless the reader is typing already. */
addEventListener("keydown", (event) => {
  const target = event.target as Element;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, select, textarea, [contenteditable]")) return;
  if (place === null) return;
  event.preventDefault();
  place.focus();
  place.select();
});

const panels = [...document.querySelectorAll<HTMLDetailsElement>(".drop")];

addEventListener("pointerdown", (event) => {
  for (const panel of panels) {
    if (panel.open && !panel.contains(event.target as Node)) panel.open = false;
  }
});

// Where they lie over the page (style.scss), they would hide what has the focus next.
const overlaid = matchMedia("(min-width: 60rem)");
for (const panel of panels) {
  panel.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (overlaid.matches && next instanceof Node && !panel.contains(next)) panel.open = false;
  });
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = panels.find((panel) => panel.open);
  if (open === undefined) return;
  open.open = false;
  open.querySelector("summary")?.focus();
});

/** Empty fields say nothing: without them the address is short enough to be sent on. */
form?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData.entries()]) {
    if (value === "" && name !== "place") event.formData.delete(name);
  }
});

const message = document.querySelector<HTMLElement>("#form-message");

/** Search around the reader, who has pressed the button for it. */
function offerPosition(button: HTMLButtonElement, field: PlaceField, language: PlaceWords): void {
  if (message === null || !("geolocation" in navigator)) return;
  const say = (text: string): void => {
    message.hidden = false;
    message.textContent = text;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    say(language.text("locating"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        // Three digits are about 100 m: near enough, and no more than is needed is sent.
        const { latitude, longitude } = coords;
        field.take(language.text("myPosition"), latitude.toFixed(3), longitude.toFixed(3));
        form?.requestSubmit();
      },
      ({ code, PERMISSION_DENIED }) =>
        say(language.text(code === PERMISSION_DENIED ? "locationRefused" : "locationFailed")),
      { timeout: POSITION_TIMEOUT_MS, maximumAge: 60_000 },
    );
  });
}

if (form !== null && place !== null) {
  const language: PlaceWords = new Language(JSON.parse(form.dataset["words"] ?? "") as Spoken);
  const first = new PlaceField(place, language);
  const second = document.querySelector<HTMLInputElement>("#f-place2");
  if (second !== null) new PlaceField(second, language);
  const button = document.querySelector<HTMLButtonElement>("#locate");
  if (button !== null) offerPosition(button, first, language);
}
