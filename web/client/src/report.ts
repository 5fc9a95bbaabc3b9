// The report page: plus and minus, one button that says what it will do, and a queue that sends
// it, now or when there is a network again. Without this the same form works by itself.
import "./style.scss";
import "./menu";
import { Amendments } from "./report/amendments";
import { startInstall } from "./report/install";
import { Outbox, type Body } from "./report/outbox";
import type { State } from "./report/queue";
import { Rows } from "./report/rows";
import { keepPages, startShell } from "./report/shell";
import { readReportStart } from "./report/start";
import { startSteps } from "./report/steps";
import { startSwipe } from "./report/swipe";
import { countDown } from "./report/undo";
import { element } from "./types";
import { Language } from "./words";

// Homes on each side that open without a network too.
const NEIGHBOURS = 5;

const start = readReportStart();
const language = new Language(start.words);
const form = element<HTMLFormElement>("report");
const rows = new Rows(form, start.lines);
const amendments = new Amendments(form, start.isTyped);
const outbox = new Outbox(start, language, onSent);

// One button: what it does depends on what was changed.
const confirm = document.getElementById("unchanged") as HTMLButtonElement | null;
const main = confirm ?? element<HTMLButtonElement>("send");
if (confirm !== null) document.getElementById("send")?.remove();
let canConfirm = confirm !== null;
let pressed = "";

function isChanged(): boolean {
  return !canConfirm || rows.areChanged || amendments.areChanged;
}

/** "2 + 0", in the order of the page; care forms that the home does not offer count if filled. */
function numbers(): string {
  const shown = rows.all.filter((row) => !row.isMore || row.places > 0);
  return shown.map((row) => language.number(row.places)).join(" + ");
}

function inWords(): string {
  const named = rows.all.filter((row) => row.places > 0);
  const texts = named.map((row) => `${language.number(row.places)} ${row.label}`);
  return texts.join(", ") || language.text("none");
}

function refresh(): void {
  const changed = isChanged();
  main.value = changed ? "report" : "unchanged";
  const label = changed
    ? language.text("report", { summary: numbers() })
    : language.text("unchanged");
  const shown = main.querySelector(".kern-label");
  if (shown !== null && shown.textContent !== label) shown.textContent = label;
  const summary = language.text("summary", { summary: inWords() });
  const line = element("summary");
  if (line.textContent !== summary) line.textContent = summary;
}

function body(isSure: boolean): Body {
  const now = {
    if_match: outbox.revision,
    observed_at: new Date().toISOString(),
    // Sent later, by whatever: nobody can be asked then whether a number is a slip.
    ...((isSure || !navigator.onLine) && { sure: true as const }),
  };
  const amend = amendments.toBody();
  if (canConfirm && !rows.areChanged) return { ...now, unchanged: true, amend };
  return { ...now, vacancies: rows.toLines(), amend };
}

async function report(isSure: boolean): Promise<void> {
  const lines = rows.toLines();
  const asked = JSON.stringify([lines, amendments.toBody()]);
  // A second tap while the first is on its way asks for nothing new; other numbers do.
  if (outbox.isSending && asked === pressed) return;
  pressed = asked;
  main.ariaBusy = "true";
  try {
    await outbox.report(body(isSure), lines);
    // On a small phone it begins below the edge, and nobody would know that it has worked.
    element("outcome").scrollIntoView({ block: "nearest" });
  } catch {
    // Nothing can be kept here (a private window): the form goes as without a script.
    const name = Object.assign(document.createElement("input"), { type: "hidden", name: "do" });
    name.value = isSure ? "sure" : main.value;
    form.append(name);
    form.submit();
  } finally {
    main.ariaBusy = outbox.isSending ? "true" : null;
  }
}

/** What is stored is what the form starts from; what was typed since stays. */
function onSent(stored: State): void {
  const typed = rows.toLines();
  const isEdited = rows.areChanged && JSON.stringify([typed, amendments.toBody()]) !== pressed;
  rows.fill(stored.vacancies);
  rows.settle();
  amendments.settle();
  if (isEdited) rows.fill(typed);
  canConfirm = true;
  document.querySelector(".problem")?.remove();
  element<HTMLInputElement>("if-match").value = String(stored.revision);
  refresh();
  keepThese();
}

/** This page and its neighbours: somebody with a hundred homes does not load all of them. */
function keepThese(): void {
  const here = start.homes.findIndex(({ isThis }) => isThis);
  const near = start.homes.slice(Math.max(0, here - NEIGHBOURS), here + NEIGHBOURS + 1);
  void keepPages(near.filter(({ isThis }) => !isThis).map(({ href }) => href));
}

function showNetwork(): void {
  const note = element("network");
  note.hidden = navigator.onLine;
  note.textContent = navigator.onLine ? "" : language.text("offline");
}

function go(step: -1 | 1): void {
  const next = start.homes[start.homes.findIndex(({ isThis }) => isThis) + step];
  if (next !== undefined) location.assign(next.href);
}

/** The page right after a report that was sent without this script, or was taken back. */
function startDone(): void {
  const done = document.getElementById("done");
  const button = done?.querySelector("button");
  if (done == null || button == null) return;
  done.querySelector(".hint")?.remove();
  const seconds = Number(done.dataset["undoSeconds"]);
  const whole = button.closest("form") ?? button;
  countDown(button, whole, seconds, language.text("undoName"), (left) =>
    language.text("undo", { seconds: left }),
  );
}

async function startOutbox(): Promise<void> {
  const kept = await outbox.ofThisHome();
  // What was reported here last is what the page shows, sent or not.
  const lines = kept && (JSON.parse(kept.body) as Body).vacancies;
  if (lines !== undefined) rows.fill(lines);
  refresh();
  await outbox.adopt(true);
  await outbox.show();
  await outbox.send();
}

for (const row of rows.all) startSteps(row, refresh);
element("summary").setAttribute("aria-live", "polite");
form.addEventListener("input", refresh);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  // The button of a question that the server has asked, before this script was there.
  void report((event.submitter as HTMLButtonElement | null)?.value === "sure");
});
// A field that is wrong must be seen, or nothing seems to happen.
form.addEventListener(
  "invalid",
  ({ target }) => {
    const folded = (target as Element).closest("details");
    if (folded !== null) folded.open = true;
  },
  true,
);
addEventListener("online", showNetwork);
addEventListener("offline", showNetwork);
if (start.homes.length > 1) startSwipe(element("main"), go);

startShell();
startDone();
startInstall();
refresh();
showNetwork();
keepThese();
void startOutbox().catch(() => undefined);
