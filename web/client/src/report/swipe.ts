// From home to home with a swipe, for one person with several; everybody else has the links.

const FAR_PX = 72;
const START_PX = 12;
// Where a sideways move means something else.
const OWN_MOVES = "input, select, summary, button, a, [data-scrolls]";

/** Swiping `surface` towards the end of the line calls `go(-1)`, towards its start `go(1)`: as
 * pages are turned in the direction of the script. */
export function startSwipe(surface: HTMLElement, go: (step: -1 | 1) => void): void {
  const forward = document.documentElement.dir === "rtl" ? 1 : -1;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let from: { id: number; x: number; y: number } | undefined;
  let moved = 0;

  function end(): void {
    from = undefined;
    moved = 0;
    surface.classList.remove("is-swiped");
    surface.style.removeProperty("transform");
  }

  surface.classList.add("can-swipe");
  surface.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    if ((event.target as Element).closest(OWN_MOVES) !== null) return;
    from = { id: event.pointerId, x: event.clientX, y: event.clientY };
  });
  surface.addEventListener("pointermove", (event) => {
    if (from?.id !== event.pointerId) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (moved === 0 && Math.abs(x) < START_PX) return;
    if (moved === 0 && Math.abs(y) > Math.abs(x)) return end();
    moved = x;
    if (still.matches) return;
    surface.classList.add("is-swiped");
    surface.style.transform = `translateX(${x}px)`;
  });
  surface.addEventListener("pointerup", () => {
    const distance = moved;
    end();
    if (Math.abs(distance) >= FAR_PX) go(Math.sign(distance) === forward ? 1 : -1);
  });
  surface.addEventListener("pointercancel", end);
}
