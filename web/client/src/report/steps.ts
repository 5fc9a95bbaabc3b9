// Plus and minus beside each number.
import type { Row } from "./rows";

/** Make the buttons of a row count; `changed` is called after each step. */
export function startSteps(row: Row, changed: () => void): void {
  const buttons = [...row.element.querySelectorAll<HTMLButtonElement>("[data-step]")];

  function refresh(): void {
    for (const button of buttons) {
      const end = Number(button.dataset["step"]) < 0 ? row.count.min : row.count.max;
      // Not `disabled`: that would take the focus from under the finger.
      button.setAttribute("aria-disabled", String(end !== "" && row.places === Number(end)));
    }
  }

  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (Number(button.dataset["step"]) < 0) row.count.stepDown();
      else row.count.stepUp();
      refresh();
      changed();
    });
  }
  row.count.addEventListener("input", refresh);
  refresh();
}
