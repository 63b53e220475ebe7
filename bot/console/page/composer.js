// Knows the box people write in: sending, slash commands, files; knows nothing of how messages are shown.

import { post, upload } from "./api.js";
import { Completion } from "./completion.js";
import { directory } from "./directory.js";
import { el, fileSize, icon, iconButton } from "./dom.js";
import { toast } from "./toast.js";

const drafts = new Map();

export class Composer {
  /** Options: {testid, inThread, target(), sent(message)}; target() gives {channel, thread_ts?}. */
  constructor(options) {
    this.options = options;
    this.files = [];
    this.uploads = 0;
    this.input = el("textarea", { rows: "1", "data-testid": options.testid, "data-action-id": `${options.testid}-text`, id: options.inThread ? "thread-composer-text" : "composer-text", autocomplete: "off", spellcheck: "true" });
    this.chips = el("ul", { class: "attached", "aria-label": "Attached files" });
    this.picker = el("input", { type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", "data-testid": `${options.testid}-file`, on: { change: () => this.picked() } });
    const clip = iconButton("clip", "Attach a file", () => this.picker.click(), { "data-action-id": `${options.testid}-attach` });
    this.sendButton = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)", "data-action-id": `${options.testid}-send` }, icon("send"));
    const fine = el("span", { class: "fine composer-help" }, options.inThread ? "@ for people" : "/ for commands, @ for people");
    this.root = el("form", { class: "composer", "aria-label": options.inThread ? "Reply" : "Message", on: { submit: (event) => this.submitted(event) } },
      this.chips, this.input, el("div", { class: "composer-tools" }, clip, this.picker, fine, this.sendButton));
    this.completion = new Completion(this.input, this.root, { commands: !options.inThread });
    this.input.addEventListener("keydown", (event) => this.keys(event));
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("paste", (event) => event.clipboardData.files.length && this.attach([...event.clipboardData.files]));
    this.root.addEventListener("pointerdown", (event) => event.target === this.root && setTimeout(() => this.input.focus()));
  }

  /** Move to another conversation; what was being written stays there as a draft. */
  open(placeholder, key) {
    if (this.key) drafts.set(this.key, { text: this.input.value, files: this.files });
    this.key = key;
    const draft = drafts.get(key) || { text: "", files: [] };
    this.input.value = draft.text;
    this.files = draft.files;
    this.input.placeholder = placeholder;
    this.input.setAttribute("aria-label", placeholder);
    this.completion.close();
    this.changed();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  changed() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, innerHeight * 0.4)}px`;
    this.chips.replaceChildren(...this.files.map((file) => this.chip(file)));
    this.chips.hidden = !this.files.length && !this.uploads;
    if (this.uploads) this.chips.append(el("li", { class: "loading" }, "Uploading…"));
    this.sendButton.classList.toggle("ready", Boolean(this.input.value.trim() || this.files.length));
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
    if (event.isComposing || this.completion.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.send();
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
    const key = this.key;
    this.uploads += files.length;
    this.changed();
    for (const file of files) {
      const stored = await upload(file);
      this.uploads -= 1;
      if (stored && key === this.key) this.files = [...this.files, stored];
      else if (stored) drafts.get(key)?.files.push(stored);
      this.changed();
    }
    this.focus();
  }

  async send() {
    const text = this.input.value.trimEnd();
    if (this.sending || (!text.trim() && !this.files.length)) return;
    if (this.uploads) return void toast("The file is still being uploaded. Send again in a moment.");
    const command = /^\/(\S+)(?:\s+([\s\S]*))?$/.exec(text);
    if (command && this.options.inThread) return void toast("Slack does not run commands in threads. Write it in the channel's box.", "error");
    const draft = { text: this.input.value, files: this.files };
    this.clear();
    this.sending = true;
    const answer = command ? await this.run(command) : await post("send", { ...this.options.target(), text: encode(text), file_ids: draft.files.map((file) => file.id) });
    this.sending = false;
    if (answer) this.options.sent(answer.message || answer);
    else this.restore(draft);
  }

  run([, name, rest]) {
    const { channel } = this.options.target();
    return post("command", { channel, command: `/${name}`, text: rest || "" });
  }

  clear() {
    this.input.value = "";
    this.files = [];
    this.completion.close();
    this.changed();
  }

  // Nothing a person wrote is lost when sending fails.
  restore(draft) {
    if (this.input.value || this.files.length) return;
    this.input.value = draft.text;
    this.files = draft.files;
    this.changed();
  }
}

/** What was typed, with names turned into ids as Slack's client does; the server escapes the rest. */
export function encode(text) {
  let out = text.replace(/(^|\s)@(here|channel|everyone)\b/g, "$1<!$2>");
  const names = [
    ...directory.users.flatMap((user) => [[`@${user.real_name}`, `<@${user.id}>`], [`@${user.name}`, `<@${user.id}>`]]),
    ...directory.channels.filter((one) => !one.is_im).map((one) => [`#${one.name}`, `<#${one.id}|${one.name}>`]),
  ].filter(([name]) => name.length > 1 && !/undefined$/.test(name)).sort((a, b) => b[0].length - a[0].length);
  for (const [name, code] of names) out = out.replace(new RegExp(`(^|[\\s(,])${escapePattern(name)}(?![\\w-])`, "giu"), (whole, before) => before + code);
  return out;
}

function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
