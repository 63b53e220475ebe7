// Knows the app's Home tab; knows nothing of modals or messages.

import { get, post } from "./api.js";
import { blocks, refresh } from "./blocks.js";
import { el } from "./dom.js";
import { keepingFocus } from "./focus.js";
import { formFor } from "./forms.js";

let node = null;
let shown = null;

/** Show Home in `root`, and tell the app that it was opened. */
export async function openHome(root) {
  node = el("div", { class: "home scroller", "data-testid": "home", tabindex: "-1" }, el("p", { class: "nothing" }, "Loading…"));
  shown = null;
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
  return shown;
}

async function refreshHome() {
  const answer = await get("home");
  if (answer) drawHome(answer.view);
}

function drawHome(view) {
  if (!node?.isConnected) return;
  const before = shown;
  shown = view ?? null;
  if (!view) {
    node.replaceChildren(el("p", { class: "nothing" }, "Nothing here yet. The app fills this tab when it has something to show."));
    return;
  }
  const form = formFor(`home/${view.id}`, { view_id: view.id });
  const column = node.querySelector(".home-column");
  if (column && before?.id === view.id) keepingFocus(node, () => refresh(column, view.blocks, form));
  else node.replaceChildren(el("div", { class: "home-column" }, blocks(view.blocks, form)));
}
