// Knows how to show a short notice for a few seconds; knows nothing of what went wrong.

import { el, iconButton } from "./dom.js";

const SHOWN_MS = 7000;
const MOST = 4;

/** Show a notice; the same text twice only lengthens the first. */
export function toast(text, kind = "info") {
  const holder = document.getElementById("toasts");
  const old = [...holder.children].find((node) => node.dataset.text === text);
  if (old) old.remove();
  while (holder.children.length >= MOST) holder.firstChild.remove();
  const node = el("div", { class: `toast ${kind}`, "data-testid": "toast", "data-text": text }, el("span", {}, text));
  node.append(iconButton("close", "Dismiss", () => node.remove(), { "data-action-id": "toast-dismiss" }));
  holder.append(node);
  // A toast in use (pointer or focus on it) stays.
  const leave = () => (node.matches(":hover, :focus-within") ? setTimeout(leave, 1500) : node.remove());
  setTimeout(leave, SHOWN_MS);
}

/** Tell a screen reader, without showing anything. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
