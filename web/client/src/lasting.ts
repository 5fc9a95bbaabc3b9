// How likely a place is still free: the server's words, for as long as they hold.

/** Hide what was said of a younger report; nothing at all is left of it if that was all. */
export function hideOutdated(root: ParentNode): void {
  for (const line of root.querySelectorAll<HTMLElement>("[data-until]")) {
    if (Date.parse(line.dataset["until"] ?? "") <= Date.now()) line.hidden = true;
  }
  const all = root.querySelector<HTMLElement>(".lasting");
  if (all?.querySelector("[data-until]:not([hidden])") === null) all.hidden = true;
}
