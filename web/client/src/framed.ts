// In a frame of another site: tells it how high this page is and how many homes it shows, once
// it has asked. The browser itself lets only the sites of the operator's list frame this page
// (frame-ancestors); nothing but these two numbers leaves it.
import { HELLO, type Told } from "./told";

let site: string | undefined;
const answer = document.getElementById("answer");

function tell(freiplatz: Told["freiplatz"], value: number): void {
  if (site !== undefined) parent.postMessage({ freiplatz, value } satisfies Told, site);
}

function tellHeight(): void {
  tell("height", Math.ceil(document.body.getBoundingClientRect().height));
}

function tellHomes(): void {
  if (answer !== null) tell("homes", Number(answer.dataset["homes"]));
}

addEventListener("message", ({ data, origin, source }: MessageEvent<unknown>) => {
  // A site without an origin of its own ("null") cannot be answered without answering all.
  if (parent === window || source !== parent || origin === "null" || data !== HELLO) return;
  site = origin;
  tellHeight();
  tellHomes();
});
new ResizeObserver(tellHeight).observe(document.body);
if (answer !== null) {
  new MutationObserver(tellHomes).observe(answer, { attributeFilter: ["data-homes"] });
}
