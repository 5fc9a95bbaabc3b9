// The fields of the form, compared with what the server has put into them.

export type Control = HTMLInputElement | HTMLSelectElement;

function isSelect(control: Control): control is HTMLSelectElement {
  return control instanceof HTMLSelectElement;
}

function shownFirst(select: HTMLSelectElement): string {
  const options = [...select.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}

export function isChanged(control: Control): boolean {
  if (isSelect(control)) return control.value !== shownFirst(control);
  if (control.type === "checkbox") return control.checked !== control.defaultChecked;
  return control.value !== control.defaultValue;
}

/** What is in the field now is what is stored. */
export function settle(control: Control): void {
  if (isSelect(control)) {
    for (const option of control.options) option.defaultSelected = option.selected;
  } else if (control.type === "checkbox") {
    control.defaultChecked = control.checked;
  } else {
    control.defaultValue = control.value;
  }
}

/** The field of that name; undefined where the page has none. */
export function control(form: HTMLFormElement, name: string): Control | undefined {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement
    ? found
    : undefined;
}
