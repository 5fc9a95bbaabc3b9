// The fields of the form, compared with what the server has put into them.

export type Control = HTMLInputElement | HTMLSelectElement;

function isBox(control: Control): control is HTMLInputElement {
  return control instanceof HTMLInputElement && control.type === "checkbox";
}

function shownFirst(select: HTMLSelectElement): string {
  const options = [...select.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}

export function isChanged(control: Control): boolean {
  if (isBox(control)) return control.checked !== control.defaultChecked;
  if (control instanceof HTMLSelectElement) return control.value !== shownFirst(control);
  return control.value !== control.defaultValue;
}

/** What is in the field now is what is stored. */
export function settle(control: Control): void {
  if (isBox(control)) control.defaultChecked = control.checked;
  else if (control instanceof HTMLInputElement) control.defaultValue = control.value;
  else for (const option of control.options) option.defaultSelected = option.selected;
}

/** The field of that name; undefined where the page has none. */
export function control(form: HTMLFormElement, name: string): Control | undefined {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement
    ? found
    : undefined;
}
