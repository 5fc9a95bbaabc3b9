// The search form's conveniences: it works without any of them.
import "./menu";
import { readStart } from "./types";
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

const locate = document.querySelector<HTMLButtonElement>("#locate");
const message = document.querySelector<HTMLElement>("#form-message");

/** Search around the reader, who has pressed the button for it. */
function offerPosition(language: Language): void {
  if (locate === null || message === null || !("geolocation" in navigator)) return;
  const say = (text: string): void => {
    message.hidden = false;
    message.textContent = text;
  };
  locate.hidden = false;
  locate.addEventListener("click", () => {
    say(language.text("locating"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => searchAround(coords, language.text("myPosition")),
      () => say(language.text("locationFailed")),
      { timeout: POSITION_TIMEOUT_MS, maximumAge: 60_000 },
    );
  });
}

/** Two digits are a kilometre or less: near enough, and no more than is needed is sent. */
function searchAround({ latitude, longitude }: GeolocationCoordinates, label: string): void {
  if (form === null || place === null) return;
  place.value = label;
  for (const old of form.querySelectorAll('input[name="near"], input[name="label"]')) old.remove();
  form.append(
    hidden("near", `${latitude.toFixed(2)},${longitude.toFixed(2)}`),
    hidden("label", label),
  );
  form.requestSubmit();
}

function hidden(name: string, value: string): HTMLInputElement {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  return input;
}

if (document.getElementById("start") !== null) offerPosition(new Language(readStart().words));
