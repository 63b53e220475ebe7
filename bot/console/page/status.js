// Knows how "the app is working" is written; knows nothing of where it stands.

import { directory } from "./directory.js";
import { el } from "./dom.js";

/** The line with its pulse, or nothing. */
export function working(text) {
  const shown = statusText(text);
  return shown ? [el("span", { class: "working" }, el("i", { class: "pulse", "aria-hidden": "true" }), shown)] : [];
}

/** Slack puts the app's name before the status: "Luthier is weighing it up…". */
export function statusText(text) {
  if (!text) return "";
  const name = directory.app.name || "The app";
  const full = text.startsWith(name) ? text : /^(is|has|will|was)\b/.test(text) ? `${name} ${text}` : `${name} is ${text[0].toLowerCase()}${text.slice(1)}`;
  return full.replace(/\.\.\.$/, "…");
}
