// Feedback after a call, without leaving the page: the form is sent as it is, and what the server
// answers stands in its place. Without a network the browser itself sends it, and says why it cannot.

document.addEventListener("submit", (event) => {
  const form = (event.target as Element).closest<HTMLFormElement>("form[data-feedback]");
  if (form === null) return;
  event.preventDefault();
  void send(form, event.submitter);
});

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) fields.append(name, String(value));
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: fields,
      headers: { Accept: "text/html" },
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const message = page.querySelector(".message");
    if (message === null) throw new Error("This is no answer.");
    show(form, message);
  } catch {
    form.removeAttribute("aria-busy");
    if (submitter instanceof HTMLButtonElement && submitter.name !== "") {
      const pressed = document.createElement("input");
      pressed.type = "hidden";
      pressed.name = submitter.name;
      pressed.value = submitter.value;
      form.append(pressed);
    }
    form.submit();
  }
}

/** The answer's words and what can be done, without its heading's rank and its ways elsewhere. */
function show(form: HTMLFormElement, message: Element): void {
  const place = document.createElement("div");
  place.className = "feedback-said";
  place.tabIndex = -1;
  const title = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = message.querySelector("h1")?.textContent ?? "";
  title.append(strong);
  place.append(title, ...message.querySelectorAll(":scope > p:not(.feedback-home), :scope > form"));
  (form.closest(".feedback-said") ?? form).replaceWith(place);
  // The button that was pressed is gone: go on, and read on, here.
  place.focus();
}
