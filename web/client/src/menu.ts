// The menu of languages in the header: a <details> that works by itself. Here it also closes as
// menus do: on Escape, on a press beside it, and when the focus goes elsewhere.
const menu = document.querySelector<HTMLDetailsElement>("details.languages");

menu?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  event.stopPropagation();
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

menu?.addEventListener("focusout", ({ relatedTarget: next }) => {
  if (next instanceof Node && !menu.contains(next)) menu.open = false;
});

addEventListener("pointerdown", (event) => {
  if (menu?.open && !menu.contains(event.target as Node)) menu.open = false;
});
