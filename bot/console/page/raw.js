// Knows the side panel "What Slack would receive": the raw JSON of a message or view; knows nothing of drawing blocks.

import { get } from "./api.js";
import { el, iconButton } from "./dom.js";

let opener = null;

/** Show the JSON of a message, as the server keeps it. */
export async function showRaw(message, channel) {
  const answer = await get("raw", { channel, ts: message.ts });
  if (!answer) return;
  const { ok: _, ...rest } = answer;
  showJson("What Slack would receive", answer.message || answer.raw || rest, `Message ${message.ts} in ${channel}`);
}

/** Show any JSON in the panel. */
export function showJson(title, value, detail) {
  opener = document.activeElement;
  const text = JSON.stringify(value, null, 2);
  const copy = el("button", { type: "button", class: "button slim", "data-action-id": "raw-copy" }, "Copy JSON");
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(text).catch(() => null);
    copy.textContent = "Copied";
  });
  const close = iconButton("close", "Close panel", hideRaw, { "data-action-id": "raw-close" });
  const panel = document.getElementById("raw");
  panel.replaceChildren(el("header", { class: "pane-head" }, el("h2", {}, title), copy, close), el("p", { class: "fine" }, detail), el("pre", { class: "json", tabindex: "0" }, el("code", {}, highlight(text))));
  panel.hidden = false;
  close.focus();
}

/** Close the panel; says whether it was open. */
export function hideRaw() {
  const panel = document.getElementById("raw");
  if (panel.hidden) return false;
  panel.hidden = true;
  opener?.focus?.();
  return true;
}

// Keys, strings and numbers in their own spans; everything stays text.
function highlight(text) {
  const parts = text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/);
  return parts.map((part, index) => (index % 2 === 0 ? part : el("span", { class: part.endsWith(":") ? "json-key" : part.startsWith('"') ? "json-text" : "json-value" }, part)));
}
