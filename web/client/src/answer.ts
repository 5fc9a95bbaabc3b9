// The answer in one sentence; `answer.py` writes the same one.
import type { Homes } from "./homes";

export function answer(homes: Homes): string {
  const { start, language } = homes;
  let places = 0;
  let withPlaces = 0;
  let nearest = Infinity;
  for (const { free, km } of homes.shown()) {
    if (free === 0) continue;
    places += free;
    withPlaces += 1;
    nearest = Math.min(nearest, km);
  }
  const count = start.byHome ? withPlaces : places;
  const what = inForms(homes, whatIsFree(homes, count));
  const where = whereItIs(homes);
  if (count === 0 || start.centres.length === 0) return language.text("answer", { what, where });
  const words = count === 1 ? "onlyOne" : start.byHome ? "nearestHome" : "nearestPlace";
  const distance = language.distance(nearest);
  return language.text("answerNearest", {
    what,
    where,
    nearest: language.text(words, { distance }),
  });
}

function whatIsFree({ start, language }: Homes, count: number): string {
  if (count === 0) return language.text(start.byHome ? "noneSuitable" : "none");
  return language.plural(start.byHome ? "suitable" : "places", count);
}

function inForms({ start, language }: Homes, places: string): string {
  const names = start.careForms.map((form) => language.words.careForms[form] ?? form);
  const last = names.pop();
  if (last === undefined) return places;
  const or = ` ${language.text("or")} `;
  const forms = names.length > 0 ? names.join(", ") + or + last : last;
  return language.text("inForms", { places, forms });
}

function whereItIs({ start, language, view }: Homes): string {
  if (view !== undefined) return language.text("section");
  const radius = `${language.number(start.radiusKm)}\u00a0km`;
  return language.text(start.area, { radius, place: start.place });
}
