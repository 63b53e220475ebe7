// Knows the quick switcher (Ctrl+K): type a few letters, jump there; knows nothing of the panes it jumps to.

import { openDirect } from "./channels.js";
import { directory } from "./directory.js";
import { el, icon } from "./dom.js";
import { authorOf, avatar } from "./messages.js";
import { goChannel, goHome, goPlace } from "./nav.js";

const MOST = 24;
let dialog = null;

/** Open the switcher. */
export function openSwitcher() {
  if (dialog) return;
  const opener = document.activeElement;
  const input = el("input", { type: "text", class: "field", placeholder: "Jump to a channel, a person or Home", "aria-label": "Jump to", role: "combobox", "aria-expanded": "true", "aria-controls": "switcher-list", autocomplete: "off", "data-action-id": "switcher-text" });
  const list = el("div", { id: "switcher-list", role: "listbox", class: "switcher-list", "aria-label": "Places" });
  const none = el("p", { class: "fine", role: "status", hidden: true }, "Nothing here is called that.");
  const all = places();
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
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (state.items.length) input.setAttribute("aria-activedescendant", `switch-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    state.items = found(all, input.value.trim().toLowerCase().replace(/^[#@]/, ""));
    list.replaceChildren(...state.items.map((one, index) => el("div", { id: `switch-${index}`, role: "option", class: "completion-item", on: { click: () => finish(one), pointermove: () => index === state.at || mark(index) } }, el("span", { class: "lead", "aria-hidden": "true" }, one.lead()), el("b", { dir: "auto" }, one.label), el("span", {}, one.detail))));
    none.hidden = state.items.length > 0;
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
  dialog = el("dialog", { class: "dialog switcher", "data-testid": "switcher", "aria-label": "Quick switcher" }, input, list, none);
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

// What begins with the word stands before what only holds it, and what is unread before the rest.
function found(all, word) {
  const rank = (one) => (one.label.toLowerCase().startsWith(word) ? 0 : one.label.toLowerCase().split(/[\s-]+/).some((part) => part.startsWith(word)) ? 1 : 2);
  const fits = all.filter((one) => one.label.toLowerCase().includes(word));
  return fits.map((one) => [rank(one) - (one.unread ? 0.5 : 0), one]).sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, one]) => one);
}

function places() {
  const known = new Set(directory.channels.filter((one) => one.is_im).map((one) => one.im_user));
  const channels = directory.channels.map((one) => ({
    label: directory.channelName(one), unread: one.unread, go: () => goChannel(one.id),
    detail: [directory.isAgent(one) ? "App" : directory.isDirect(one) ? "Direct message" : one.is_private ? "Private channel" : "Channel", one.unread ? `${one.unread} unread` : ""].filter(Boolean).join(" · "),
    lead: () => (one.is_im ? avatar(authorOf({ user: one.im_user })) : icon(one.is_mpim ? "people" : one.is_private ? "lock" : "hash")),
  }));
  const people = directory.people().filter((user) => !known.has(user.id) && user.id !== directory.me).map((user) => ({ label: user.real_name || user.name, detail: ["Person", directory.role(user)].filter(Boolean).join(" · "), lead: () => avatar(authorOf({ user: user.id })), go: () => openDirect([user.id]) }));
  const home = { label: `${directory.app.name || "App"} Home`, detail: "Home tab", lead: () => icon("home"), go: goHome };
  const threads = { label: "Threads", detail: "Where you take part", lead: () => icon("threads"), go: () => goPlace("threads") };
  return [...channels, ...people, home, threads];
}
