// Knows how to keep a list of message nodes in step with message objects; knows nothing of where messages come from.

import { el } from "./dom.js";
import { authorOf, messageNode, when } from "./messages.js";

const TOGETHER_S = 300;
const NEAR_END_PX = 120;
const WINDOW = 200;
const NEAR_TOP_PX = 500;

export class MessageList {
  /** `view` is handed to every message: {channel, inThread, openThread, dismiss}. */
  constructor(name, view) {
    this.view = view;
    this.known = new Map();
    this.list = el("ol", { class: "messages", role: "list", "aria-label": name });
    this.scroller = el("div", { class: "scroller", tabindex: "-1" }, this.list);
    this.list.addEventListener("keydown", (event) => this.walk(event));
    this.messages = [];
    this.shown = [];
    this.most = WINDOW;
    this.newFrom = null;
    this.pinned = true;
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // Pictures that load, folds that open and panes that change width move the end; who was there stays there.
    this.observer = new ResizeObserver(() => this.pinned && this.toEnd());
    this.observer.observe(this.list);
    this.observer.observe(this.scroller);
  }

  /** Show these messages in time order, touching only what changed. */
  draw(messages) {
    const stick = this.pinned || this.atEnd();
    this.messages = [...messages].sort((a, b) => Number(a.ts) - Number(b.ts));
    // A long history is drawn from its end; scrolling up draws more of it.
    this.shown = this.view.inThread ? this.messages : this.messages.slice(-this.most);
    const wanted = new Set(this.shown.map((message) => message.ts));
    for (const [ts, entry] of this.known) {
      if (wanted.has(ts)) continue;
      entry.node.remove();
      this.known.delete(ts);
    }
    for (const node of this.list.querySelectorAll(":scope > .divider")) node.remove();
    let before = null;
    let cursor = this.list.firstChild;
    for (const message of this.shown) {
      const old = this.known.get(message.ts)?.node;
      const node = this.node(message);
      if (cursor && cursor === old) cursor = node;
      if (node !== cursor) this.list.insertBefore(node, cursor);
      else cursor = cursor.nextSibling;
      this.join(node, message, before);
      before = message;
    }
    this.divide();
    // One message can be reached with Tab; the arrow keys go on from there.
    [...this.list.querySelectorAll(":scope > .message")].forEach((node, index, all) => node.setAttribute("tabindex", index === all.length - 1 ? "0" : "-1"));
    if (stick) this.toEnd();
  }

  /** Add or replace one message. */
  put(message) {
    this.draw([...this.messages.filter((one) => one.ts !== message.ts), message]);
  }

  /** Remove one message. */
  drop(ts) {
    this.draw(this.messages.filter((one) => one.ts !== ts));
  }

  /** Show what the app is doing beside a message; an empty text removes it. */
  status(ts, text) {
    const slot = this.known.get(ts)?.node.querySelector(".status-slot");
    slot?.replaceChildren(...(text ? [el("span", { class: "working" }, el("i", { class: "pulse", "aria-hidden": "true" }), text)] : []));
  }

  atEnd() {
    const box = this.scroller;
    return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
  }

  // A message taller than the pane is shown from its beginning.
  toEnd() {
    const box = this.scroller;
    box.scrollTop = box.scrollHeight;
    const last = this.known.get(this.messages.at(-1)?.ts)?.node;
    if (last && last.offsetHeight > box.clientHeight) box.scrollTop = last.offsetTop - box.offsetTop - 8;
    this.pinned = true;
    this.restAt = box.scrollTop;
  }

  scrolled() {
    const box = this.scroller;
    // Only a person's own scrolling lets go of the end.
    if (Math.abs(box.scrollTop - (this.restAt ?? -1)) > 2) this.pinned = this.atEnd();
    if (box.scrollTop > NEAR_TOP_PX || this.shown.length === this.messages.length) return;
    const fromEnd = box.scrollHeight - box.scrollTop;
    this.most += WINDOW;
    this.pinned = false;
    this.draw(this.messages);
    box.scrollTop = box.scrollHeight - fromEnd;
  }

  node(message) {
    const known = this.known.get(message.ts);
    if (known?.message === message) return known.node;
    const mark = JSON.stringify(message);
    if (known?.mark === mark) {
      known.message = message;
      return known.node;
    }
    const node = messageNode(message, this.view);
    if (known) this.swap(known.node, node);
    this.known.set(message.ts, { message, mark, node });
    return node;
  }

  // An edit must not take the keyboard away, or close what the person has opened.
  swap(old, fresh) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const status = old.querySelector(".status-slot");
    if (status?.firstChild) fresh.querySelector(".status-slot")?.replaceWith(status);
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    const folds = [...fresh.querySelectorAll("details")];
    if (open.length === folds.length) folds.forEach((one, index) => void (one.open = open[index]));
    old.replaceWith(fresh);
    if (focused === old) fresh.focus();
    else if (focused) refocus(fresh, focused);
  }

  join(node, message, before) {
    const same = before && authorOf(before).name === authorOf(message).name && Number(message.ts) - Number(before.ts) < TOGETHER_S
      && !message.is_ephemeral && !before.is_ephemeral && !before.reply_count && message.subtype !== "thread_broadcast" && dayOf(before) === dayOf(message);
    node.classList.toggle("joined", Boolean(same));
  }

  divide() {
    let day = "";
    for (const message of this.shown) {
      const today = dayOf(message);
      const node = this.known.get(message.ts).node;
      if (today !== day && !this.view.inThread) this.list.insertBefore(el("li", { class: "divider" }, el("span", {}, dayName(message))), node);
      if (this.newFrom && Number(message.ts) === Number(this.newFrom)) this.list.insertBefore(el("li", { class: "divider new" }, el("span", {}, "New")), node);
      day = today;
    }
  }

  walk(event) {
    const at = event.target.closest?.(".message");
    if (!at || event.target !== at) return;
    const all = [...this.list.querySelectorAll(":scope > .message")];
    const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (to) {
      event.preventDefault();
      all[all.indexOf(at) + to]?.focus();
    } else if (["Enter", "ArrowRight", "t"].includes(event.key) && !this.view.inThread && !at.classList.contains("ephemeral")) {
      event.preventDefault();
      this.view.openThread(at.dataset.ts);
    }
  }
}

function refocus(root, old) {
  const same = [...root.querySelectorAll("[data-action-id]")].filter((node) => node.dataset.actionId === old.dataset?.actionId);
  (same.find((node) => node.dataset.value === old.dataset.value) || same[0] || root).focus({ preventScroll: true });
}

function dayOf(message) {
  return when(message.ts).toDateString();
}

function dayName(message) {
  const date = when(message.ts);
  const days = Math.round((new Date(new Date().toDateString()) - new Date(date.toDateString())) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
}
