// Knows the keys that work everywhere: Ctrl+K, Esc, F6 between panes, Alt+↑↓ between channels; knows nothing of what panes hold.

import { directory } from "./directory.js";
import { el } from "./dom.js";
import { openDialog } from "./dialog.js";
import { place } from "./nav.js";
import { hideRaw } from "./raw.js";
import { openSwitcher } from "./switcher.js";

const ROWS = [
  ["Jump to a conversation", "Ctrl+K"], ["Next pane", "F6"], ["Close thread or panel", "Esc"], ["Previous or next conversation", "Alt+↑ ↓"], ["Next unread conversation", "Alt+Shift+↓"],
  ["Bold, italic, strikethrough", "Ctrl+B, Ctrl+I, Ctrl+Shift+X"], ["New line", "Shift+Enter"], ["Edit your last message", "↑ in an empty box"],
  ["On a message: thread, react, edit, delete", "T, R, E, Del"], ["On a message: pin, mark unread, copy link, menu", "P, U, L, M"], ["These keys", "Ctrl+/"],
];
const BLANK = "#rail, #channel, #thread";

/** Listen; `parts` are the panes and what closes the thread. */
export function startKeys({ channelPane, threadPane, closeThread }) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
    const mod = event.ctrlKey || event.metaKey;
    const act = {
      k: mod && openSwitcher,
      "/": mod && showKeys,
      F6: () => nextPane(event.shiftKey ? -1 : 1, channelPane, threadPane),
      Escape: () => hideRaw() || (place.thread && closeThread()),
      ArrowDown: event.altKey && (() => step(1, event.shiftKey)),
      ArrowUp: event.altKey && (() => step(-1, event.shiftKey)),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    if (event.key !== "Escape") event.preventDefault();
    act();
  });
}

// As in Slack: the list, the messages, the box, then the thread's messages and box, then the bar.
function nextPane(by, channelPane, threadPane) {
  const spots = [
    () => document.querySelector("#rail [aria-current=page]") || document.querySelector("#rail .rail-entry"),
    () => channelPane.list?.stop || channelPane.body.querySelector("button, a, [tabindex]"),
    () => (channelPane.foot.hidden ? null : channelPane.composer.input),
    () => (place.thread ? threadPane.list?.stop : null),
    () => (place.thread ? threadPane.composer.input : null),
    () => document.getElementById("switcher-button"),
  ].map((find) => find()).filter((node) => node?.getClientRects().length);
  const active = document.activeElement;
  const pane = active.closest(BLANK);
  let at = spots.findIndex((node) => node === active);
  if (at < 0) at = spots.findIndex((node) => pane && node.closest(BLANK) === pane);
  spots[(at + by + spots.length) % spots.length]?.focus();
}

function step(by, unreadOnly) {
  const entries = [...document.querySelectorAll("#rail .rail-entry")].filter((node) => directory.channel(node.dataset.channel));
  const at = entries.findIndex((node) => node.getAttribute("aria-current"));
  const order = entries.map((_, index) => entries[(at + by * (index + 1) + entries.length * 2) % entries.length]);
  order.find((node) => !unreadOnly || node.classList.contains("unread"))?.click();
}

/** The keys in a dialog. */
export function showKeys() {
  return openDialog({ title: "Keyboard shortcuts", testid: "keys", className: "narrow", make: () => ({ body: el("dl", { class: "keys" }, ROWS.map(([what, keys]) => [el("dt", {}, what), el("dd", {}, el("kbd", {}, keys))])) }) });
}
