// Knows how to keep a list of message nodes in step with message objects; knows nothing of where messages come from.
// A new or changed message touches its own node and at most its neighbour's head; the rest of the list stays as it is.

import { el } from "./dom.js";
import { authorOf, dayOf, dayName, messageNode } from "./messages.js";

const TOGETHER_S = 300;
const NEAR_END_PX = 120;
const NEAR_EDGE_PX = 900;
// Nodes kept at once; those farthest from what is read go first, and come back when someone scrolls there.
const MOST_NODES = 700;

export class MessageList {
  /** `view` is handed to every message; `more(direction)` is called when someone scrolls to where messages are missing. */
  constructor(name, view, more = () => null) {
    Object.assign(this, { view, more, known: new Map(), entries: [], newFrom: null, pinned: true, hasOlder: false, hasNewer: false, stop: null, newLine: null });
    this.list = el("ol", { class: "messages", role: "list", "aria-label": name });
    this.top = el("div", { class: "list-top" });
    this.scroller = el("div", { class: "scroller", tabindex: "-1" }, this.top, this.list);
    this.list.addEventListener("keydown", (event) => this.walk(event));
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // Pictures that load, folds that open and panes that change width move the end; who was there stays there.
    this.observer = new ResizeObserver(() => this.pinned && this.toEnd());
    this.observer.observe(this.list);
    this.observer.observe(this.scroller);
  }

  get last() {
    return this.entries.at(-1)?.message || null;
  }

  get first() {
    return this.entries[0]?.message || null;
  }

  get size() {
    return this.entries.length;
  }

  /** Stop watching sizes; for a list that is not shown any more. */
  close() {
    this.observer.disconnect();
  }

  /** Show exactly these messages, oldest first; nodes of messages that did not change stay. */
  draw(messages, { hasOlder = false, hasNewer = false } = {}) {
    const stick = this.pinned;
    Object.assign(this, { hasOlder, hasNewer });
    const wanted = new Set(messages.map((message) => message.ts));
    for (const entry of this.entries.filter((one) => !wanted.has(one.message.ts))) this.forget(entry);
    let cursor = null;
    const entries = messages.map((message) => this.entry(message));
    for (const entry of [...entries].reverse()) {
      if (entry.node.parentNode !== this.list || entry.node.nextSibling !== cursor) this.list.insertBefore(entry.node, cursor);
      cursor = this.headOf(entry);
    }
    this.entries = entries;
    entries.forEach((_, at) => this.settle(at));
    this.stopAtEnd();
    if (stick) this.toEnd();
  }

  /** Add older messages above, without moving what is on the screen. */
  prepend(messages, hasOlder) {
    this.hasOlder = hasOlder;
    const fresh = messages.filter((message) => !this.known.has(message.ts)).map((message) => this.entry(message));
    if (!fresh.length) return;
    const held = this.hold();
    const parts = document.createDocumentFragment();
    parts.append(...fresh.map((entry) => entry.node));
    this.list.prepend(parts);
    this.entries = [...fresh, ...this.entries];
    for (let at = 0; at <= fresh.length && at < this.entries.length; at += 1) this.settle(at);
    const extra = this.entries.splice(MOST_NODES);
    for (const entry of extra) this.forget(entry);
    if (extra.length) this.hasNewer = true;
    if (!this.stop?.isConnected) this.stopAtEnd();
    held();
  }

  /** Add newer messages below. */
  append(messages, hasNewer) {
    this.hasNewer = hasNewer;
    const held = this.hold();
    for (const message of messages) this.put(message, true);
    const extra = this.entries.splice(0, Math.max(0, this.size - MOST_NODES));
    for (const entry of extra) this.forget(entry);
    if (extra.length) this.hasOlder = true;
    this.settle(0);
    held();
  }

  // What is at the top of the screen stays there while the list changes around it; call the result after the change.
  hold() {
    const edge = this.scroller.getBoundingClientRect().top;
    const from = Math.max(0, this.nearest(edge));
    const anchor = this.entries.slice(from).find((entry) => entry.node.getBoundingClientRect().bottom > edge)?.node;
    const before = anchor?.getBoundingClientRect().top;
    return () => {
      if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    };
  }

  // The place of the last message that ends above `edge`, by halving.
  nearest(edge) {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].node.getBoundingClientRect().bottom <= edge) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Add or replace one message. */
  put(message, quietly = false) {
    const stick = this.pinned && !quietly;
    const at = this.placeOf(message.ts);
    if (this.known.has(message.ts)) {
      this.entry(message);
      this.settle(at);
    } else {
      const entry = this.entry(message);
      this.list.insertBefore(entry.node, this.entries[at] ? this.headOf(this.entries[at]) : null);
      this.entries.splice(at, 0, entry);
      this.settle(at);
      if (at === this.entries.length - 1) this.stopAtEnd();
    }
    this.settle(at + 1);
    if (stick) this.toEnd();
  }

  /** Remove one message. */
  drop(ts) {
    const entry = this.known.get(ts);
    if (!entry) return;
    const at = this.placeOf(ts);
    const held = entry.node.contains(document.activeElement);
    this.forget(entry);
    this.entries.splice(at, 1);
    this.settle(at);
    if (this.stop === entry.node) this.stopAtEnd();
    if (held) (this.entries[at] || this.entries[at - 1])?.node.focus();
  }

  /** Show what the app is doing beside a message; an empty text removes it. */
  status(ts, text) {
    const slot = this.known.get(ts)?.node.querySelector(".status-slot");
    slot?.replaceChildren(...(text ? [el("span", { class: "working" }, el("i", { class: "pulse", "aria-hidden": "true" }), text)] : []));
  }

  /** Put the line "New" before a message; "" takes it away. */
  markNew(ts) {
    const old = this.known.get(this.newFrom);
    this.newFrom = ts;
    this.newLine?.remove();
    this.newLine = null;
    if (old) old.newLine = null;
    const at = ts ? this.entries.findIndex((entry) => entry.message.ts === ts) : -1;
    if (at >= 0) this.settle(at);
  }

  /** Bring a message into view and point it out. */
  pointOut(ts) {
    const node = this.known.get(ts)?.node;
    if (!node) return false;
    this.pinned = false;
    node.scrollIntoView({ block: "center" });
    node.classList.remove("pointed-out");
    requestAnimationFrame(() => node.classList.add("pointed-out"));
    setTimeout(() => node.classList.remove("pointed-out"), 4000);
    this.tabTo(node);
    return true;
  }

  atEnd() {
    const box = this.scroller;
    return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
  }

  // A message taller than the pane is shown from its beginning.
  toEnd() {
    const box = this.scroller;
    box.scrollTop = box.scrollHeight;
    const last = this.entries.at(-1)?.node;
    if (last && last.offsetHeight > box.clientHeight) box.scrollTop = last.offsetTop - box.offsetTop - 8;
    this.pinned = true;
    this.restAt = box.scrollTop;
  }

  scrolled() {
    const box = this.scroller;
    // Only a person's own scrolling lets go of the end.
    if (Math.abs(box.scrollTop - (this.restAt ?? -1)) > 2) this.pinned = this.atEnd() && !this.hasNewer;
    this.view.scrolled?.();
    if (this.hasOlder && box.scrollTop < NEAR_EDGE_PX) this.more("older");
    else if (this.hasNewer && box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_EDGE_PX) this.more("newer");
  }

  // Where in time order a ts stands; almost always at the end.
  placeOf(ts) {
    let low = 0;
    let high = this.entries.length;
    if (!high || Number(this.entries[high - 1].message.ts) < Number(ts)) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(this.entries[middle].message.ts) < Number(ts)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  entry(message) {
    const known = this.known.get(message.ts);
    if (!known) {
      const fresh = { message, node: messageNode(message, this.view), day: dayOf(message.ts), dayLine: null, newLine: null };
      this.known.set(message.ts, fresh);
      return fresh;
    }
    if (known.message === message || JSON.stringify(known.message) === JSON.stringify(message)) {
      known.message = message;
      return known;
    }
    known.message = message;
    // What a person is just editing is drawn again when they are done.
    if (!known.node.classList.contains("editing")) this.redraw(known);
    return known;
  }

  /** Draw one message anew from its object. */
  redraw(entry) {
    const fresh = messageNode(entry.message, this.view);
    for (const name of ["joined", "pointed-out"]) fresh.classList.toggle(name, entry.node.classList.contains(name));
    if (this.stop === entry.node) this.stop = fresh;
    fresh.setAttribute("tabindex", entry.node.getAttribute("tabindex"));
    swap(entry.node, fresh);
    entry.node = fresh;
  }

  forget(entry) {
    this.known.delete(entry.message.ts);
    for (const node of [entry.node, entry.dayLine, entry.newLine]) node?.remove();
  }

  headOf(entry) {
    return entry.dayLine || entry.newLine || entry.node;
  }

  // The day's and the "New" line above a message, and whether it goes on under the head of the one before.
  settle(at) {
    const entry = this.entries[at];
    if (!entry) return;
    const before = this.entries[at - 1];
    const newDay = !this.view.inThread && before?.day !== entry.day && !(at === 0 && this.hasOlder);
    if (newDay && !entry.dayLine) entry.dayLine = el("li", { class: "divider", role: "presentation" }, el("span", {}, dayName(entry.message.ts)));
    else if (!newDay && entry.dayLine) entry.dayLine = void entry.dayLine.remove();
    const isNew = this.newFrom === entry.message.ts;
    if (isNew && !entry.newLine) entry.newLine = this.newLine = el("li", { class: "divider new", role: "presentation" }, el("span", {}, "New"));
    if (entry.newLine && entry.newLine.nextSibling !== entry.node) entry.node.before(entry.newLine);
    const below = entry.newLine || entry.node;
    if (entry.dayLine && entry.dayLine.nextSibling !== below) below.before(entry.dayLine);
    entry.node.classList.toggle("joined", Boolean(before && !newDay && !isNew && goesOn(before.message, entry.message)));
  }

  // One message can be reached with Tab; the arrow keys go on from there.
  stopAtEnd() {
    const last = this.entries.at(-1)?.node || null;
    if (this.stop?.isConnected && this.list.contains(document.activeElement)) return;
    this.tabTo(last);
  }

  tabTo(node) {
    this.stop?.setAttribute("tabindex", "-1");
    this.stop = node;
    node?.setAttribute("tabindex", "0");
  }

  walk(event) {
    const at = event.target.closest?.(".message");
    if (!at || event.target !== at || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = this.entries.findIndex((entry) => entry.node === at);
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: this.entries.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const next = this.entries[to]?.node;
      if (next) this.tabTo(next);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    } else this.view.keyOn?.(event, this.entries[index].message, at);
  }
}

function goesOn(before, message) {
  const [one, two] = [authorOf(before), authorOf(message)];
  return one.name === two.name && one.id === two.id && Number(message.ts) - Number(before.ts) < TOGETHER_S
    && !message.is_ephemeral && !before.is_ephemeral && !before.reply_count && message.subtype === before.subtype && message.subtype !== "thread_broadcast" && !message.pinned_to?.length;
}

// An edit must not take the keyboard away, or close what the person has opened.
function swap(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const status = old.querySelector(".status-slot");
  if (status?.firstChild) fresh.querySelector(".status-slot")?.replaceWith(status);
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  const folds = [...fresh.querySelectorAll("details")];
  if (open.length === folds.length) folds.forEach((one, index) => void (one.open = open[index]));
  const bar = old.querySelector(":scope > .hover-actions");
  old.replaceWith(fresh);
  if (bar) fresh.append(bar);
  if (focused === old) fresh.focus({ preventScroll: true });
  else if (focused && bar?.contains(focused)) focused.focus({ preventScroll: true });
  else if (focused) refocus(fresh, focused);
}

function refocus(root, old) {
  const same = [...root.querySelectorAll("[data-action-id]")].filter((node) => node.dataset.actionId === old.dataset?.actionId);
  (same.find((node) => node.dataset.value === old.dataset.value) || same[0] || root).focus({ preventScroll: true });
}
