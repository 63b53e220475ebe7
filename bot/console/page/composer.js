// Knows the box people write in: sending, slash commands, files, formatting; knows nothing of how messages are shown.

import { post, upload } from "./api.js";
import { Completion } from "./completion.js";
import { directory } from "./directory.js";
import { el, fileSize, icon, iconButton } from "./dom.js";
import { draftOf, keepDraft } from "./drafts.js";
import { apply, FORMATS, shortcutKeys } from "./format.js";
import { openMenu } from "./menu.js";
import { openPicker } from "./picker.js";
import { toast } from "./toast.js";
import { encode } from "./typed.js";

const MOST_TYPED = 12000;
const WARN_LEFT = 500;

export class Composer {
  /** Options: {testid, inThread, target(), sent(message), editLast()}; target() gives {channel, thread_ts?}. */
  constructor(options) {
    Object.assign(this, { options, files: [], uploads: 0, queue: Promise.resolve(), channel: "", thread: null });
    const id = (name) => `${options.testid}-${name}`;
    this.input = el("textarea", { rows: "1", dir: "auto", "data-testid": options.testid, "data-action-id": id("text"), id: options.inThread ? "thread-composer-text" : "composer-text", autocomplete: "off", spellcheck: "true" });
    this.chips = el("ul", { class: "attached", "aria-label": "Attached files" });
    this.picker = el("input", { type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", "data-testid": id("file"), on: { change: () => this.picked() } });
    this.left = el("span", { class: "left", role: "status" });
    this.sendButton = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)", "data-action-id": id("send") }, icon("send"));
    this.formats = el("div", { class: "formats", role: "toolbar", "aria-label": "Formatting" }, FORMATS.map((one) => iconButton(one.icon, one.name, () => apply(one, this.input), { title: `${one.name} (${one.keys})`, tabindex: "-1", "data-action-id": id(one.icon) })));
    this.also = el("input", { type: "checkbox", "data-action-id": id("broadcast") });
    this.alsoText = el("span", {});
    this.root = el("form", { class: "composer", "aria-label": options.inThread ? "Reply" : "Message", on: { submit: (event) => this.submitted(event) } },
      this.formats, this.chips, this.input, options.inThread ? el("label", { class: "also" }, this.also, this.alsoText) : null, this.tools(id));
    this.completion = new Completion(this.input, this.root, { commands: !options.inThread, useShortcut: (one) => this.useShortcut(one) });
    this.input.addEventListener("keydown", (event) => this.keys(event));
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("paste", (event) => event.clipboardData.files.length && this.attach([...event.clipboardData.files]));
    this.root.addEventListener("pointerdown", (event) => event.target === this.root && setTimeout(() => this.input.focus()));
    this.formats.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  tools(id) {
    const plus = iconButton("plus", "Attach a file or use a shortcut", () => openMenu(plus, this.plusItems(), "Add"), { "data-action-id": id("plus"), "aria-haspopup": "menu" });
    const face = iconButton("smile", "Emoji", () => openPicker(face, (name) => this.insert(`:${name}: `)), { "data-action-id": id("emoji"), "aria-haspopup": "dialog" });
    const at = iconButton("at", "Mention someone", () => this.insert("@"), { "data-action-id": id("at") });
    const aa = iconButton("text", "Formatting", () => this.toggleFormats(), { "data-action-id": id("formats") });
    return el("div", { class: "composer-tools" }, plus, this.picker, aa, face, at, el("span", { class: "fine composer-help" }, el("kbd", {}, "Shift Enter"), " new line"), this.left, this.sendButton);
  }

  // Shown on a desk and hidden on a phone, until somebody wants it the other way.
  toggleFormats() {
    const shown = getComputedStyle(this.formats).display !== "none";
    this.root.classList.toggle("with-formats", !shown);
    this.root.classList.toggle("without-formats", shown);
    this.focus();
  }

  plusItems() {
    const shortcuts = directory.shortcuts.filter((one) => one.type === "global");
    return [
      { label: "Upload from your computer", icon: "clip", id: "attach-file", choose: () => this.picker.click() },
      ...(shortcuts.length ? [{ title: "Shortcuts" }, ...shortcuts.map((one) => ({ label: one.name, detail: one.description, icon: "flash", id: `shortcut-${one.callback_id}`, choose: () => this.useShortcut(one) }))] : []),
      ...(directory.commands.length && !this.options.inThread ? [{ title: "Commands" }, ...directory.commands.map((one) => ({ label: one.command, detail: one.description, choose: () => this.replace(`${one.command} `) }))] : []),
    ];
  }

  useShortcut(one) {
    return post("shortcut", { callback_id: one.callback_id });
  }

  /** Move to another conversation; what was being written stays there as a draft. */
  open(placeholder, channel, thread) {
    this.keep();
    Object.assign(this, { channel, thread });
    const draft = draftOf(channel, thread);
    this.input.value = draft.text;
    this.files = draft.files;
    this.input.placeholder = placeholder;
    this.input.setAttribute("aria-label", placeholder);
    this.also.checked = false;
    this.alsoText.textContent = directory.isDirect(directory.channel(channel)) ? "Also send as direct message" : `Also send to ${directory.channelLabel(channel)}`;
    this.completion.close();
    this.changed(false);
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  /** Put text where the cursor is. */
  insert(text) {
    const { selectionStart: start, value } = this.input;
    const gap = text === "@" && start && !/\s$/.test(value.slice(0, start)) ? " " : "";
    this.input.setRangeText(gap + text, start, this.input.selectionEnd, "end");
    this.focus();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  replace(text) {
    this.input.value = text;
    this.insert("");
  }

  changed(keep = true) {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, innerHeight * 0.4)}px`;
    this.chips.replaceChildren(...this.files.map((file) => this.chip(file)));
    this.chips.hidden = !this.files.length && !this.uploads;
    if (this.uploads) this.chips.append(el("li", { class: "loading" }, "Uploading…"));
    const left = MOST_TYPED - this.input.value.length;
    this.left.textContent = left < WARN_LEFT ? left.toLocaleString() : "";
    this.left.classList.toggle("over", left < 0);
    this.sendButton.classList.toggle("ready", Boolean(this.input.value.trim() || this.files.length));
    if (keep) this.keep();
  }

  keep() {
    if (this.channel) keepDraft(this.channel, this.thread, { text: this.input.value, files: this.files });
  }

  chip(file) {
    const drop = () => {
      this.files = this.files.filter((other) => other !== file);
      this.changed();
      this.focus();
    };
    return el("li", {}, icon("file"), el("span", {}, file.name, " ", el("small", {}, fileSize(file.size))), iconButton("close", `Remove ${file.name}`, drop, { "data-action-id": "attached-remove" }));
  }

  keys(event) {
    if (event.isComposing || this.completion.key(event) || shortcutKeys(event, this.input)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && !this.input.value && !event.shiftKey && this.options.editLast?.()) {
      event.preventDefault();
    }
  }

  submitted(event) {
    event.preventDefault();
    this.send();
  }

  picked() {
    const files = [...this.picker.files];
    this.picker.value = "";
    this.attach(files);
  }

  /** Upload files now; they go out with the next message. */
  async attach(files) {
    const { channel, thread } = this;
    this.uploads += files.length;
    this.changed();
    for (const file of files) {
      const stored = await upload(file);
      this.uploads -= 1;
      if (stored && channel === this.channel && thread === this.thread) this.files = [...this.files, stored];
      else if (stored) keepDraft(channel, thread, { ...draftOf(channel, thread), files: [...draftOf(channel, thread).files, stored] });
      this.changed();
    }
    this.focus();
  }

  send() {
    const text = this.input.value.trimEnd();
    if (!text.trim() && !this.files.length) return;
    if (this.uploads) return void toast("The file is still being uploaded. Send again in a moment.");
    const command = /^\/(\S+)(?:\s+([\s\S]*))?$/.exec(text);
    if (command && this.options.inThread) return void toast("Slack does not run commands in threads. Write it in the channel's box.", "error");
    const draft = { text: this.input.value, files: this.files, broadcast: this.also.checked, target: this.options.target() };
    this.clear();
    // One after the other, so that quick messages keep their order.
    this.queue = this.queue.then(() => this.deliver(draft, text, command));
    return this.queue;
  }

  async deliver(draft, text, command) {
    const message = () => ({ ...draft.target, text: encode(text), file_ids: draft.files.map((file) => file.id), ...(draft.broadcast ? { reply_broadcast: true } : {}) });
    const answer = command ? await this.run(command, draft.target) : await post("send", message());
    if (answer) this.options.sent(answer.message || answer);
    else this.restore(draft);
  }

  run([, name, rest], { channel }) {
    return post("command", { channel, command: `/${name}`, text: rest || "" });
  }

  clear() {
    this.input.value = "";
    this.files = [];
    this.also.checked = false;
    this.completion.close();
    this.changed();
  }

  // Nothing a person wrote is lost when sending fails.
  restore(draft) {
    const { channel, thread_ts: thread = null } = draft.target;
    const here = channel === this.channel && thread === this.thread;
    const now = here ? { text: this.input.value, files: this.files } : draftOf(channel, thread);
    const text = now.text.trim() ? `${draft.text}\n${now.text}` : draft.text;
    if (!here) return keepDraft(channel, thread, { text, files: [...draft.files, ...now.files] });
    this.input.value = text;
    this.files = [...draft.files, ...now.files];
    this.changed();
    return null;
  }
}
