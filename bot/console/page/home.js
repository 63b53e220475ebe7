// Knows the app's Home tab; knows nothing of modals or messages.

import { get, post } from "./api.js";
import { blocks } from "./blocks.js";
import { el } from "./dom.js";
import { formFor } from "./forms.js";

let node = null;
let drawn = "";

/** Show Home in `root`, and tell the app that it was opened. */
export async function openHome(root) {
  node = el("div", { class: "home scroller", "data-testid": "home", tabindex: "-1" }, el("p", { class: "nothing" }, "Loading…"));
  drawn = "";
  root.replaceChildren(node);
  // The tab shows what was published before at once; what the app publishes now arrives as an event.
  await refreshHome();
  post("home_opened", { tab: "home" });
}

/** Take over a published view. */
export function takeHomeEvent(event) {
  if (event.view) drawHome(event.view);
  else refreshHome();
}

/** The view that is shown, for the raw panel. */
export function shownHome() {
  return drawn ? JSON.parse(drawn) : null;
}

async function refreshHome() {
  const answer = await get("home");
  if (answer) drawHome(answer.view);
}

function drawHome(view) {
  if (!node?.isConnected) return;
  const text = JSON.stringify(view ?? null);
  if (text === drawn) return;
  drawn = text;
  if (!view) {
    node.replaceChildren(el("p", { class: "nothing" }, "Nothing here yet. The app fills this tab when it has something to show."));
    return;
  }
  const held = node.contains(document.activeElement) ? document.activeElement.dataset : null;
  const form = formFor(`home/${view.id}`, { view_id: view.id });
  const open = [...node.querySelectorAll("details")].map((one) => one.open);
  node.replaceChildren(el("div", { class: "home-column" }, blocks(view.blocks, form)));
  const folds = [...node.querySelectorAll("details")];
  if (open.length === folds.length) folds.forEach((one, index) => void (one.open = open[index]));
  if (held?.actionId) [...node.querySelectorAll("[data-action-id]")].find((one) => one.dataset.actionId === held.actionId && one.dataset.value === held.value)?.focus({ preventScroll: true });
}
