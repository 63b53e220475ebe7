// Knows the list of threads in which the person takes part and how many of them have news; knows nothing of the thread pane.

import { get } from "./api.js";
import { directory } from "./directory.js";
import { el } from "./dom.js";
import { messageNode } from "./messages.js";
import { goThread } from "./nav.js";

const WAIT_MS = 300;
const state = { threads: [], node: null, timer: 0, changed: () => null };

/** Start to keep count; `changed()` is called when the count of unread threads may be another. */
export function startThreads(changed) {
  state.changed = changed;
  return refresh();
}

/** How many threads have replies that the person has not seen. */
export function unreadThreads() {
  return state.threads.filter((one) => one.unread > 0).length;
}

/** Show the list in `root`. */
export async function openThreads(root) {
  state.node = el("div", { class: "scroller threads-list", "data-testid": "threads", tabindex: "-1" }, el("p", { class: "nothing" }, "Loading…"));
  root.replaceChildren(state.node);
  await refresh();
}

/** A thread has been opened: nothing in it is new any more. */
export function threadSeen(channel, ts) {
  const one = state.threads.find((thread) => thread.channel === channel && thread.ts === ts);
  if (!one?.unread) return;
  one.unread = 0;
  state.changed();
  draw();
}

/** A reply came or went somewhere: ask again, though not for each one of many. */
export function threadsChanged() {
  clearTimeout(state.timer);
  state.timer = setTimeout(refresh, WAIT_MS);
}

async function refresh() {
  const answer = await get("threads", {}, true);
  if (!answer) return;
  state.threads = answer.threads;
  state.changed();
  draw();
}

function draw() {
  if (!state.node?.isConnected) return;
  const held = document.activeElement?.closest?.(".thread-card")?.dataset.thread;
  state.node.replaceChildren(...(state.threads.length ? state.threads.map(card) : [el("div", { class: "nothing" }, el("h3", {}, "No threads yet"), el("p", {}, "Threads in which you write are kept here, the latest reply first."))]));
  if (held) state.node.querySelector(`[data-thread="${CSS.escape(held)}"] .button`)?.focus({ preventScroll: true });
}

function card(one) {
  const [parent, ...replies] = one.messages;
  const hidden = (parent.reply_count || replies.length) - replies.length;
  const view = { channel: one.channel, inThread: true, openThread: () => null };
  const open = () => goThread(one.channel, one.ts);
  const name = directory.channelLabel(one.channel);
  return el("section", { class: one.unread ? "thread-card unread" : "thread-card", "data-thread": `${one.channel}/${one.ts}`, "aria-label": `Thread in ${name}${one.unread ? `, ${one.unread} new` : ""}` },
    el("header", {}, el("h3", {}, name), one.unread ? el("span", { class: "badge" }, `${one.unread} new`) : null),
    el("ol", { class: "messages", role: "list" }, messageNode(parent, view), hidden > 0 ? el("li", { class: "more-replies" }, `${hidden} more ${hidden === 1 ? "reply" : "replies"}`) : null, replies.map((reply) => messageNode(reply, view))),
    el("button", { type: "button", class: "button slim", "data-action-id": "threads-open", on: { click: open } }, "Open thread"));
}
