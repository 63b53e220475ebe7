// Knows the live connection (server-sent events) and when it was lost; knows nothing of what events mean.

import { directory } from "./directory.js";

/** Start; `take(event)` hears every event, `missed()` is called when some may have been lost. */
export function startLive(take, missed) {
  const state = document.getElementById("link-state");
  let lost = false;
  const source = new EventSource(`/_local/events?user=${encodeURIComponent(directory.me)}`);
  source.addEventListener("open", () => {
    state.textContent = "";
    document.body.classList.add("live");
    if (lost) missed();
    lost = false;
  });
  source.addEventListener("error", () => {
    lost = true;
    document.body.classList.remove("live");
    state.textContent = "Connection lost. Trying again…";
  });
  source.addEventListener("message", (message) => {
    let event = null;
    try {
      event = JSON.parse(message.data);
    } catch {
      missed();
      return;
    }
    if (event.type === "reload") missed();
    else take(event);
  });
  addEventListener("pagehide", () => source.close());
}
