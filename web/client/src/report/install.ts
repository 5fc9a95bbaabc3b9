// Keeping the page as an app, where the browser offers that.
import { element } from "../types";

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** Show the button `#install` while the browser would install. */
export function startInstall(): void {
  const button = element<HTMLButtonElement>("install");
  let prompt: InstallPrompt | undefined;
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    prompt = event as InstallPrompt;
    button.hidden = false;
  });
  addEventListener("appinstalled", () => (button.hidden = true));
  button.addEventListener("click", () => void prompt?.prompt());
}
