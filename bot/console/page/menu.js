// Knows a small pop-up menu with arrow keys and Esc; knows nothing of what its items do.

import { el, icon } from "./dom.js";

let current = null;

/**
 * Open a menu under `anchor`; focus comes back to the anchor. Items: {label, detail?, value?, icon?, key?, danger?, checked?, choose}
 * or {label, href} for a link, {title} for a heading, {line: true} for a line.
 */
export function openMenu(anchor, items, name = "More actions", { top = null } = {}) {
  const reopen = current?.anchor !== anchor;
  closeMenu();
  if (!reopen) return;
  const rows = items.filter(Boolean).map(row);
  const menu = el("div", { class: "menu", role: "menu", "aria-label": name }, top, rows);
  const nodes = rows.filter((node) => node.matches("[role^=menuitem]"));
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
  if (refocus) (anchor.isConnected ? anchor : anchor.closest?.(".message") || document.body).focus?.();
  return true;
}

function row(item) {
  if (item.title) return el("div", { class: "menu-title", role: "presentation" }, item.title);
  if (item.line) return el("hr", { class: "menu-line" });
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  const parts = [item.icon ? icon(item.icon) : null, el("span", { class: "menu-label" }, item.label, item.detail ? el("small", {}, item.detail) : null), item.key ? el("kbd", { "aria-hidden": "true" }, item.key) : null, item.checked ? icon("check") : null];
  const shared = { role, tabindex: "-1", "data-value": item.value, class: item.danger ? "danger" : null, "data-action-id": item.id, "aria-checked": item.checked === undefined ? null : String(item.checked) };
  if (item.href) return el("a", { ...shared, href: item.href }, parts);
  return el("button", { ...shared, type: "button", on: { click: () => choose(item) } }, parts);
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
    event.stopPropagation();
    nodes[(to + nodes.length) % nodes.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    closeMenu(true);
  } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
    const after = [...nodes.slice(at + 1), ...nodes];
    after.find((node) => node.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    event.stopPropagation();
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
