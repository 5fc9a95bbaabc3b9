// The table of homes at a desk: it says how many have changed since, and leaves the rows alone
// until somebody asks for the new ones.
import "./style.scss";
import "./menu";
import { Stream } from "./stream";
import { element, readStart, type Feature, type Spoken } from "./types";
import { Language } from "./words";

interface DeskStart {
  search: string;
  cursor: string;
  words: Spoken;
}

const start = readStart<DeskStart>();
const language = new Language<Spoken>(start.words);
const changed = new Set<string>();

function note(id: string): void {
  if (changed.has(id)) return;
  changed.add(id);
  let show = document.querySelector<HTMLAnchorElement>("#changed a");
  if (show === null) {
    show = document.createElement("a");
    show.className = "kern-link";
    show.href = location.href;
    element("changed").append(show);
  }
  show.textContent = language.plural("changed", changed.size);
}

new Stream(start.search, start.cursor, {
  listing: ({ id }: Feature) => note(id),
  gone: note,
  reset: () => undefined,
  ready: () => undefined,
  connection: () => undefined,
});
