// Knows one conversation on the page, a channel or a thread: its messages, status, prompts and composer; knows nothing of the rest.

import { get, post } from "./api.js";
import { Composer } from "./composer.js";
import { directory } from "./directory.js";
import { el } from "./dom.js";
import { MessageList } from "./list.js";
import { announce } from "./toast.js";
import { flatten } from "./mrkdwn.js";
import { authorOf } from "./messages.js";

const STATUS_MS = 120000;

export class Conversation {
  /** `root` is the pane; options: {inThread, testid, name, openThread(ts), sent(message)}. */
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.channel = "";
    this.thread = null;
    this.dismissed = new Set();
    this.head = el("header", { class: "pane-head" });
    this.prompts = el("div", { class: "prompts", role: "group", "aria-label": "Suggestions", hidden: true });
    this.statusLine = el("div", { class: "status-line", role: "status", "aria-live": "polite" });
    this.composer = new Composer({ testid: options.testid, inThread: options.inThread, target: () => this.target(), sent: (message) => this.afterSend(message) });
    this.body = el("div", { class: "pane-body" });
    this.foot = el("div", { class: "pane-foot" }, this.prompts, this.statusLine, this.composer.root);
    root.replaceChildren(this.head, this.body, this.foot);
    this.takeDrops();
  }

  target() {
    return this.thread ? { channel: this.channel, thread_ts: this.thread } : { channel: this.channel };
  }

  /** Show a channel, or a thread of it. */
  async open(channel, thread = null, newFrom = 0) {
    if (this.channel === channel && this.thread === thread && this.list) return this.reload();
    Object.assign(this, { channel, thread, unread: newFrom });
    const view = { channel, inThread: this.options.inThread, openThread: this.options.openThread, dismiss: (ts) => this.dismiss(ts) };
    this.list = new MessageList(this.options.name(channel), view);
    this.body.replaceChildren(this.list.scroller);
    this.composer.open(this.options.placeholder(channel), `${channel}/${thread || ""}`);
    this.lines = {};
    this.sessions = {};
    this.showStatuses();
    this.showPrompts([]);
    await this.reload(true);
    return null;
  }

  /** Fetch everything again, for example after a lost connection. */
  async reload(first = false) {
    const list = this.list;
    const answer = await get("messages", { channel: this.channel, ...(this.thread ? { thread_ts: this.thread } : {}) });
    if (!answer || list !== this.list) return;
    const mine = answer.messages.filter((message) => this.belongs(message));
    if (first && this.unread) list.newFrom = mine.filter((message) => message.user !== directory.me).slice(-this.unread)[0]?.ts;
    list.draw(mine);
    if (first) requestAnimationFrame(() => list.toEnd());
    this.empty(mine.length === 0);
    this.lines = answer.status || {};
    this.sessions = {};
    this.showStatuses();
    this.showPrompts(answer.suggested_prompts || []);
    this.loaded = true;
  }

  belongs(message) {
    if (this.dismissed.has(message.ts)) return false;
    if (this.thread) return message.ts === this.thread || message.thread_ts === this.thread;
    return !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
  }

  /** Take over one event of the live connection that is about this channel. */
  take(event) {
    if (event.channel !== this.channel || !this.list) return;
    const { type, message } = event;
    if (["message", "ephemeral", "message_changed"].includes(type)) {
      if (!message) this.reload();
      else if (this.belongs(message)) this.put(message, type);
    } else if (type === "message_deleted") {
      this.list.drop(event.ts);
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
    this.empty(false);
    if (type !== "message_changed" || this.list.known.has(message.ts) || message.ts > (this.list.messages.at(-1)?.ts || "")) this.list.put(message);
    if (type === "message" && mine) this.list.toEnd();
    if (type !== "message_changed" && !mine) announce(`${authorOf(message).name}: ${flatten(message.text || "").slice(0, 200)}`);
    this.showStatuses();
  }

  reacted(event) {
    const message = this.list.messages.find((one) => one.ts === event.ts);
    if (!message) return;
    const { reactions: _, ...rest } = message;
    const reactions = event.reactions || event.message?.reactions || [];
    this.list.put(reactions.length ? { ...rest, reactions } : rest);
  }

  // The app's own line stands before its session's; an ended session takes both away, and a line alone lasts two minutes.
  takeStatus({ thread_ts: ts, status = "", session }) {
    if (session) this.sessions[ts] = status;
    if (!session || !status) this.lines[ts] = status;
    this.showStatuses();
    if (status && !session) setTimeout(() => this.lines[ts] === status && this.takeStatus({ thread_ts: ts }), STATUS_MS);
  }

  showStatuses() {
    if (this.thread) {
      const text = this.lines[this.thread] || this.sessions[this.thread];
      const stoppable = this.sessions[this.thread] || /^is working/.test(text || "");
      this.statusLine.replaceChildren(...working(text), ...(text && stoppable ? [this.stopButton()] : []));
      return;
    }
    this.statusLine.replaceChildren();
    for (const ts of new Set([...Object.keys(this.lines), ...Object.keys(this.sessions)])) this.list?.status(ts, statusText(this.lines[ts] || this.sessions[ts]));
  }

  stopButton() {
    return el("button", { type: "button", class: "link-button stop", "data-action-id": "session-stop", on: { click: () => post("stop", this.target()) } }, "Stop");
  }

  showPrompts(prompts) {
    // Prompts start something new, so they stand in the channel and not in its threads.
    this.prompts.hidden = this.options.inThread || prompts.length === 0;
    this.prompts.classList.toggle("used", this.list.messages.some((message) => message.user === directory.me));
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
    this.list.toEnd();
    this.options.sent?.(message, this.channel, this.thread);
  }

  empty(is) {
    this.body.querySelector(".nothing")?.remove();
    if (is && !this.thread) this.list.scroller.prepend(el("div", { class: "nothing" }, this.options.welcome(this.channel, this)));
  }

  dismiss(ts) {
    this.dismissed.add(ts);
    this.list.drop(ts);
  }

  takeDrops() {
    const over = (on) => this.root.classList.toggle("dropping", on);
    this.root.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      over(true);
    });
    this.root.addEventListener("dragleave", (event) => this.root.contains(event.relatedTarget) || over(false));
    this.root.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      over(false);
      this.composer.attach([...event.dataTransfer.files]);
    });
  }
}

function working(text) {
  const shown = statusText(text);
  return shown ? [el("span", { class: "working" }, el("i", { class: "pulse", "aria-hidden": "true" }), shown)] : [];
}

// Slack puts the app's name before the status: "Luthier is weighing it up…".
function statusText(text) {
  if (!text) return "";
  const name = directory.app.name || "The app";
  const full = text.startsWith(name) ? text : /^(is|has|will|was)\b/.test(text) ? `${name} ${text}` : `${name} is ${text[0].toLowerCase()}${text.slice(1)}`;
  return full.replace(/\.\.\.$/, "…");
}
