// Knows the quick switcher (Ctrl+K): type a few letters, jump there; knows nothing of the panes it jumps to.

import { directory } from "./directory.js";
import { el } from "./dom.js";
import { goChannel, goHome } from "./nav.js";

let dialog = null;

/** Open the switcher. */
export function openSwitcher() {
  if (dialog) return;
  const opener = document.activeElement;
  const input = el("input", { type: "text", class: "field", placeholder: "Jump to a channel, a person or Home", "aria-label": "Jump to", role: "combobox", "aria-expanded": "true", "aria-controls": "switcher-list", autocomplete: "off", "data-action-id": "switcher-text" });
  const list = el("div", { id: "switcher-list", role: "listbox", class: "switcher-list", "aria-label": "Places" });
  const state = { items: [], at: 0 };
  const finish = (item) => {
    dialog.close();
    dialog.remove();
    dialog = null;
    if (item) item.go();
    else opener?.focus?.();
  };
  const mark = (at) => {
    state.at = at;
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === at)));
    if (state.items.length) input.setAttribute("aria-activedescendant", `switch-${at}`);
  };
  const draw = () => {
    state.items = places().filter((one) => one.label.toLowerCase().includes(input.value.trim().toLowerCase().replace(/^[#@]/, "")));
    list.replaceChildren(...state.items.map((one, index) => el("div", { id: `switch-${index}`, role: "option", class: "completion-item", on: { click: () => finish(one) } }, el("b", {}, one.label), el("span", {}, one.detail))));
    mark(0);
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && state.items.length) mark((state.at + step + state.items.length) % state.items.length);
    else if (event.key === "Enter" && state.items[state.at]) finish(state.items[state.at]);
    else return;
    event.preventDefault();
  });
  dialog = el("dialog", { class: "dialog switcher", "data-testid": "switcher", "aria-label": "Quick switcher" }, input, list);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    finish(null);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && finish(null));
  document.body.append(dialog);
  draw();
  dialog.showModal();
  input.focus();
}

function places() {
  const home = { label: `${directory.app.name || "App"} Home`, detail: "Home tab", go: goHome };
  const rest = directory.channels.map((one) => ({ label: directory.channelName(one), detail: one.is_im ? (directory.isAgent(one) ? "Agent" : "Direct message") : "Channel", go: () => goChannel(one.id) }));
  return [...rest, home];
}
