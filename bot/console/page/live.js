// Knows the live connection (server-sent events) and when it was lost; knows nothing of what events mean.

import { asking } from "./api.js";

const AGAIN_MS = 1000;
const SILENCE_MS = 40000;
const state = { source: null, lost: false, heard: 0, timer: 0 };

/** Start; `take(event)` hears every event, `missed(seq)` is called when some may have been lost (null: nobody knows how many). */
export function startLive(take, missed) {
  connect(take, missed);
  addEventListener("pagehide", () => state.source?.close());
  // A page that comes back from the browser's cache, or a machine that slept, has a dead connection.
  addEventListener("pageshow", (event) => event.persisted && connect(take, missed));
  addEventListener("online", () => connect(take, missed));
  addEventListener("offline", () => down());
  setInterval(() => {
    if (!state.source || Date.now() - state.heard <= SILENCE_MS) return;
    // The browser holds a silent connection for a living one and would wait for ever; we begin a new one.
    down();
    connect(take, missed);
  }, AGAIN_MS * 5);
}

function connect(take, missed) {
  state.source?.close();
  clearTimeout(state.timer);
  const source = new EventSource(`/_local/events?${new URLSearchParams(asking())}`);
  Object.assign(state, { source, heard: Date.now() });
  source.addEventListener("error", () => {
    if (source !== state.source) return;
    down();
    // An answer that is no stream (a server that just started) ends the browser's own attempts.
    if (source.readyState === EventSource.CLOSED) state.timer = setTimeout(() => connect(take, missed), AGAIN_MS);
  });
  source.addEventListener("message", (message) => {
    if (source !== state.source) return;
    state.heard = Date.now();
    const event = parsed(message.data);
    if (event?.type === "hello") up(event, missed);
    else if (!event || event.type === "reload") missed(null);
    else if (event.type !== "ping") take(event);
  });
}

// The server has this page on its list once it says hello; before that, events may pass by.
function up(event, missed) {
  document.body.classList.add("live");
  document.getElementById("link-state").textContent = "";
  missed(state.lost ? null : event.seq ?? null);
  state.lost = false;
}

function down() {
  state.lost = true;
  document.body.classList.remove("live");
  document.getElementById("link-state").textContent = "Connection lost. Trying again…";
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
