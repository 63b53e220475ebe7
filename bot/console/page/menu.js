// Knows a small pop-up menu with arrow keys and Esc; knows nothing of what its items do.

import { el } from "./dom.js";

let current = null;

/** Open a menu under `anchor`. Items: {label, detail?, value?, choose}. Focus comes back to the anchor. */
export function openMenu(anchor, items, name = "More actions") {
  const reopen = current?.anchor !== anchor;
  closeMenu();
  if (!reopen) return;
  const nodes = items.map((item) => el("button", { type: "button", role: "menuitem", tabindex: "-1", "data-value": item.value, on: { click: () => choose(item) } }, item.label, item.detail ? el("small", {}, item.detail) : null));
  const menu = el("div", { class: "menu", role: "menu", "aria-label": name }, nodes);
  menu.addEventListener("keydown", (event) => move(event, nodes));
  // Inside a modal dialog everything outside it is inert, so the menu has to live in the same dialog.
  (anchor.closest("dialog") || document.body).append(menu);
  place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  current = { menu, anchor };
  nodes[0]?.focus();
}

/** Close the open menu, if any; says whether there was one. */
export function closeMenu(refocus = false) {
  if (!current) return false;
  const { menu, anchor } = current;
  current = null;
  menu.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus) anchor.focus();
  return true;
}

function choose(item) {
  closeMenu(true);
  item.choose();
}

function move(event, nodes) {
  const at = nodes.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    nodes[(to + nodes.length) % nodes.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    closeMenu(true);
  }
}

function place(menu, anchor) {
  const box = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = box.bottom + 4 + size.height < innerHeight;
  menu.style.top = `${Math.max(8, below ? box.bottom + 4 : box.top - size.height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
}

document.addEventListener("pointerdown", (event) => {
  if (current && !current.menu.contains(event.target) && !current.anchor.contains(event.target)) closeMenu();
});
