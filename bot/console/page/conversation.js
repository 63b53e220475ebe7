// Knows one conversation on the page, a channel or a thread: its messages, status, prompts and composer; knows nothing of the rest.

import { get, post } from "./api.js";
import { Composer } from "./composer.js";
import { directory } from "./directory.js";
import { el } from "./dom.js";
import { MessageList } from "./list.js";
import { authorOf, brief } from "./messages.js";
import { statusText, working } from "./status.js";
import { announce } from "./toast.js";
import { ToolBar } from "./toolbar.js";

const STATUS_MS = 120000;
const AT_ONCE = 100;
const MOST_AGAIN = 1000;
const A_FRAME = 25;

export class Conversation {
  /** `root` is the pane; options: {inThread, testid, name(id), placeholder(id), welcome(id, pane), openThread(ts), sent(message), seen()}. */
  constructor(root, options) {
    Object.assign(this, { root, options, channel: "", thread: null, list: null, held: null, loads: 0, dismissed: new Set(), lines: {}, sessions: {} });
    this.head = el("header", { class: "pane-head" });
    this.prompts = el("div", { class: "prompts", role: "group", "aria-label": "Suggestions", hidden: true });
    this.statusLine = el("div", { class: "status-line", role: "status", "aria-live": "polite" });
    this.composer = new Composer({ testid: options.testid, inThread: options.inThread, target: () => this.target(), sent: (message) => this.afterSend(message), editLast: () => this.editLast() });
    this.jump = el("button", { type: "button", class: "jump", hidden: true, "data-action-id": "jump-to-newest", on: { click: () => this.toNewest() } });
    this.body = el("div", { class: "pane-body" });
    this.foot = el("div", { class: "pane-foot" }, this.prompts, this.statusLine, this.composer.root);
    root.replaceChildren(this.head, this.body, this.foot);
    this.takeDrops();
  }

  target() {
    return this.thread ? { channel: this.channel, thread_ts: this.thread } : { channel: this.channel };
  }

  /** Show a channel, or a thread of it; `focus` is a message to point out. */
  async open(channel, thread = null, focus = null) {
    if (this.channel === channel && this.thread === thread && this.list) return focus && !this.list.pointOut(focus) ? this.load({ focus }) : null;
    this.close();
    Object.assign(this, { channel, thread, lines: {}, sessions: {}, waiting: 0 });
    const view = {
      channel, inThread: this.options.inThread, openThread: this.options.openThread, dismiss: (ts) => this.dismiss(ts),
      scrolled: () => this.showJump(), redraw: (ts) => this.redraw(ts), markUnread: (message) => this.markUnread(message),
    };
    this.list = new MessageList(this.options.name(channel), view, (direction) => this.more(direction));
    this.bar = new ToolBar(this.list.list, (ts) => this.list.known.get(ts)?.message, view);
    this.body.replaceChildren(this.list.scroller, this.jump);
    this.composer.open(this.options.placeholder(channel), channel, thread);
    this.showStatuses();
    this.showPrompts([]);
    return this.load({ first: true, focus });
  }

  /** Show nothing; another view takes the pane. */
  close() {
    this.list?.close();
    this.list = null;
    this.channel = "";
    this.loads += 1;
    this.held = null;
  }

  /** Fetch what is shown again, for example after a lost connection. */
  reload() {
    return this.list ? this.load({}) : null;
  }

  // Events that come while the answer is on its way are kept, and those that are newer than it are applied after it.
  async load({ first = false, focus = null }) {
    const { list, loads } = Object.assign(this, { loads: this.loads + 1 });
    this.held ||= [];
    const middle = focus || (list.hasNewer ? list.entries[list.size >> 1]?.message.ts : "");
    const answer = await this.ask({ ...(middle && !this.thread ? { around: middle } : {}), limit: Math.max(AT_ONCE, Math.min(list.size, MOST_AGAIN)) });
    if (loads !== this.loads) return;
    const held = this.held;
    this.held = null;
    if (!answer) return void held.forEach((event) => this.apply(event));
    if (first) this.lastRead = answer.last_read;
    list.draw(answer.messages.filter((message) => this.belongs(message)), { hasOlder: answer.has_older, hasNewer: answer.has_newer });
    if (first) this.showNewLine();
    if (focus) this.pointOut(focus);
    else if (first && !list.hasNewer) list.toEnd();
    this.drawTop();
    this.lines = answer.status || {};
    this.sessions = {};
    this.showStatuses();
    this.showPrompts(answer.suggested_prompts || []);
    this.seq = answer.seq ?? null;
    performance.mark("messages-drawn");
    held.filter((event) => !(event.seq <= this.seq)).forEach((event) => this.apply(event));
    this.showJump();
    this.options.seen?.();
  }

  ask(parameters) {
    return get("messages", { channel: this.channel, ...(this.thread ? { thread_ts: this.thread } : {}), ...parameters });
  }

  // People scroll to where messages are not loaded yet.
  async more(direction) {
    const list = this.list;
    if (this.fetching || !list.size) return;
    this.fetching = true;
    const edge = direction === "older" ? { before: (this.thread ? list.entries[1] : list.entries[0])?.message.ts || "~" } : { after: list.last.ts };
    const answer = await this.ask({ ...edge, limit: AT_ONCE });
    const mine = list === this.list && answer ? answer.messages.filter((message) => this.belongs(message)) : [];
    // A few in each frame, so that scrolling goes on meanwhile.
    for (let from = 0; from < mine.length && list === this.list && !this.held; from += A_FRAME) {
      const to = mine.length - from;
      if (direction === "newer") list.append(mine.slice(from, from + A_FRAME), from + A_FRAME < mine.length || answer.has_newer);
      else list.prepend(mine.slice(Math.max(0, to - A_FRAME), to), to > A_FRAME || answer.has_older);
      await new Promise(requestAnimationFrame);
    }
    this.fetching = false;
    if (!answer || list !== this.list) return;
    if (!mine.length && direction === "older") list.hasOlder = answer.has_older;
    this.drawTop();
    this.showStatuses();
    this.showJump();
    // A quick scroll may have reached the new edge already.
    if ((direction === "older" ? list.hasOlder : list.hasNewer) && mine.length) requestAnimationFrame(() => list === this.list && list.scrolled());
  }

  belongs(message) {
    if (this.dismissed.has(message.ts)) return false;
    if (this.thread) return message.ts === this.thread || message.thread_ts === this.thread;
    return !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
  }

  /** Take over one event of the live connection that is about this channel. */
  take(event) {
    if (event.channel !== this.channel || !this.list) return;
    if (this.held) this.held.push(event);
    else this.apply(event);
  }

  apply(event) {
    const { type, message } = event;
    if (["message", "ephemeral", "message_changed"].includes(type)) {
      if (!message) this.reload();
      else if (this.belongs(message)) this.put(message, type);
      else if (this.list.known.has(message.ts)) this.list.drop(message.ts);
    } else if (type === "message_deleted") {
      this.list.drop(event.ts);
      if (event.ts === this.thread) this.options.gone?.();
      this.drawTop();
    } else if (type === "reaction") {
      this.reacted(event);
    } else if (type === "status") {
      this.takeStatus(event);
    } else if (type === "prompts") {
      this.showPrompts(event.suggested_prompts || []);
    }
  }

  put(message, type) {
    const mine = message.user === directory.me;
    const fresh = type !== "message_changed";
    if (!fresh && !this.list.known.has(message.ts)) return;
    if (fresh && !mine && this.list.hasNewer) this.waiting += 1;
    else if (fresh && mine && this.list.hasNewer) void this.toNewest();
    else this.list.put(message);
    if (fresh && !mine && !this.list.pinned && !this.list.hasNewer) this.waiting += 1;
    if (type === "message" && mine && !this.list.hasNewer) this.list.toEnd();
    if (fresh && !mine) announce(`${authorOf(message).name}: ${brief(message.text || "").slice(0, 200)}`);
    if (fresh && this.list.size === 1) this.drawTop();
    this.statusOf(message.ts);
    this.showJump();
  }

  reacted(event) {
    const message = this.list.known.get(event.ts)?.message;
    if (!message) return;
    const { reactions: _, ...rest } = message;
    const reactions = event.reactions || event.message?.reactions || [];
    this.list.put(reactions.length ? { ...rest, reactions } : rest);
    this.statusOf(event.ts);
  }

  redraw(ts) {
    const entry = this.list.known.get(ts);
    if (entry) this.list.redraw(entry);
    this.statusOf(ts);
  }

  pointOut(ts) {
    if (this.list.pointOut(ts)) return;
    announce("That message is not here any more.");
    this.list.toEnd();
  }

  // The line stands above the first message of others since the person was last here.
  showNewLine() {
    const { entries } = this.list;
    const first = this.lastRead === undefined ? null : entries.find(({ message }) => message.ts > this.lastRead && message.user !== directory.me && message.ts !== this.thread);
    const older = this.list.hasOlder && first === entries[0];
    this.list.markNew(first && this.lastRead && !older ? first.message.ts : "");
    this.unreadAbove = older && this.lastRead ? this.lastRead : "";
  }

  async markUnread(message) {
    const at = this.list.entries.findIndex((entry) => entry.message.ts === message.ts);
    const ts = this.list.entries[at - 1]?.message.ts || "0000000000.000000";
    if (!(await post("read", { channel: this.channel, ts, ...(this.thread ? { thread_ts: this.thread } : {}) }))) return;
    this.list.markNew(message.ts);
    this.options.keptUnread?.(this.channel, this.list.entries.slice(at).filter((entry) => entry.message.user !== directory.me).length);
  }

  // "5 new messages", or a way back from the past; Slack shows both as a pill over the messages.
  showJump() {
    const { list } = this;
    if (!list) return;
    if (list.pinned) this.waiting = 0;
    const past = list.hasNewer || (!list.pinned && this.waiting > 0);
    const text = this.waiting ? `${this.waiting} new ${this.waiting === 1 ? "message" : "messages"} ↓` : "Jump to the newest ↓";
    this.jump.hidden = !past && !this.unreadAbove;
    if (!this.jump.hidden) this.jump.textContent = past ? text : "Unread messages above ↑";
    this.jump.classList.toggle("at-top", !past);
  }

  async toNewest() {
    if (this.unreadAbove && !this.list.hasNewer && !this.waiting) {
      const mark = this.unreadAbove;
      this.unreadAbove = "";
      await this.load({ focus: mark });
      this.showNewLine();
      return;
    }
    this.waiting = 0;
    if (!this.list.hasNewer) return void this.list.toEnd();
    const keep = this.list;
    keep.hasNewer = false;
    keep.pinned = true;
    keep.entries.slice().forEach((entry) => keep.forget(entry));
    keep.entries = [];
    await this.load({});
    keep.toEnd();
  }

  // The app's own line stands before its session's; an ended session takes both away, and a line alone lasts two minutes.
  takeStatus({ thread_ts: ts, status = "", session }) {
    if (session) this.sessions[ts] = status;
    if (!session || !status) this.lines[ts] = status;
    if (this.thread) this.showStatuses();
    else this.statusOf(ts);
    if (status && !session) setTimeout(() => this.lines[ts] === status && this.takeStatus({ thread_ts: ts }), STATUS_MS);
  }

  statusOf(ts) {
    if (!this.thread && ts in { ...this.lines, ...this.sessions }) this.list?.status(ts, statusText(this.lines[ts] || this.sessions[ts]));
  }

  showStatuses() {
    if (!this.thread) {
      this.statusLine.replaceChildren();
      return void Object.keys({ ...this.lines, ...this.sessions }).forEach((ts) => this.statusOf(ts));
    }
    const text = this.lines[this.thread] || this.sessions[this.thread];
    const stoppable = this.sessions[this.thread] || /^is working/.test(text || "");
    return void this.statusLine.replaceChildren(...working(text), ...(text && stoppable ? [this.stopButton()] : []));
  }

  stopButton() {
    return el("button", { type: "button", class: "link-button stop", "data-action-id": "session-stop", on: { click: () => post("stop", this.target()) } }, "Stop");
  }

  showPrompts(prompts) {
    // Prompts start something new, so they stand in the channel and not in its threads.
    this.prompts.hidden = this.options.inThread || prompts.length === 0;
    this.prompts.classList.toggle("used", this.list.entries.some(({ message }) => message.user === directory.me));
    this.prompts.replaceChildren(...prompts.map((one) => this.promptChip(one.title, one.message)));
  }

  /** A chip that sends a first message. */
  promptChip(title, text) {
    const chip = el("button", { type: "button", class: "prompt", "data-action-id": "suggested-prompt" }, title);
    chip.addEventListener("click", async () => {
      if (chip.getAttribute("aria-busy")) return;
      chip.setAttribute("aria-busy", "true");
      const answer = await post("send", { ...this.target(), text });
      chip.removeAttribute("aria-busy");
      if (answer) this.afterSend(answer.message || answer);
    });
    return chip;
  }

  afterSend(message) {
    if (this.list && !this.list.hasNewer) this.list.toEnd();
    this.list?.markNew("");
    this.options.sent?.(message, this.channel, this.thread);
  }

  /** ↑ in an empty box edits what the person wrote last. */
  editLast() {
    const last = [...(this.list?.entries || [])].reverse().find(({ message }) => message.user === directory.me && !message.is_ephemeral && message.subtype !== "tombstone");
    if (last) this.bar.edit(last.message);
    return Boolean(last);
  }

  // Above the first message stands the channel's beginning, and nothing while there are older ones.
  drawTop() {
    const beginning = !this.thread && !this.list.hasOlder;
    this.list.top.replaceChildren(...(beginning ? [el("div", { class: "nothing" }, this.options.welcome(this.channel, this, this.list.size === 0))] : this.list.hasOlder ? [el("p", { class: "older", role: "status" }, "Loading older messages…")] : []));
    this.list.scroller.classList.toggle("empty", this.list.size === 0);
  }

  dismiss(ts) {
    this.dismissed.add(ts);
    this.list.drop(ts);
  }

  takeDrops() {
    const over = (on) => this.root.classList.toggle("dropping", on && !this.foot.hidden);
    this.root.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      over(true);
    });
    this.root.addEventListener("dragleave", (event) => this.root.contains(event.relatedTarget) || over(false));
    this.root.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length || this.foot.hidden) return;
      event.preventDefault();
      over(false);
      this.composer.attach([...event.dataTransfer.files]);
    });
  }
}
