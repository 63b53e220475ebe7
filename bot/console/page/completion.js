// Knows the list that helps to write: / commands, @ people, # channels, : emoji; knows nothing of sending.

import { directory } from "./directory.js";
import { el } from "./dom.js";
import { emojiLike } from "./emoji.js";

const MOST = 8;
const LOOK_BACK = 80;
let serial = 0;

export class Completion {
  /** Watch `input`; the list appears in `host`. `commands`: whether / means a command; `useShortcut(one)` runs an app's shortcut. */
  constructor(input, host, { commands, useShortcut = null }) {
    Object.assign(this, { input, commands, useShortcut });
    this.items = [];
    this.at = 0;
    this.id = `completion-${(serial += 1)}`;
    this.list = el("div", { id: this.id, class: "completion", role: "listbox", "aria-label": "Suggestions", hidden: true });
    host.append(this.list);
    for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", this.id], ["aria-haspopup", "listbox"]]) input.setAttribute(name, value);
    input.addEventListener("input", () => this.look());
    input.addEventListener("click", () => this.look());
    input.addEventListener("blur", () => this.close());
  }

  /** Handle a key if the list is open; says whether it did. */
  key(event) {
    if (this.list.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark((this.at + step + this.items.length) % this.items.length);
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) {
      if (event.key === "Enter" && this.complete()) {
        this.close();
        return false;
      }
      this.choose(this.at);
    } else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  // The word is already the whole command: Enter sends it.
  complete() {
    const item = this.items[this.at];
    return item?.sigil === "/" && this.input.value.trim() === item.insert.trim();
  }

  look() {
    const at = this.input.selectionStart;
    const before = this.input.value.slice(Math.max(0, at - LOOK_BACK), at);
    const match = /(^|\s)([@#:/])([\p{L}\p{N}_+'-]*(?: [\p{L}\p{N}]*)?)$/u.exec(before);
    const items = match && !inCode(this.input.value.slice(0, at)) ? this.find(match[2], match[3].toLowerCase(), this.input.value.slice(0, at - match[3].length - 1)) : [];
    if (!items.length) return this.close();
    this.start = at - match[3].length - 1;
    this.items = items.slice(0, MOST);
    this.list.replaceChildren(...this.items.map((item, index) => this.row(item, index)));
    this.list.hidden = false;
    return this.mark(0);
  }

  find(sigil, word, before) {
    if (sigil === "/") return this.commands && !before.trim() && !word.includes(" ") ? [...commandsLike(word), ...(this.useShortcut ? shortcutsLike(word) : [])] : [];
    if (sigil === "@") return peopleLike(word);
    if (sigil === "#") return channelsLike(word);
    return word.length >= 2 && !word.includes(" ") ? emojiLike(word, MOST).map(({ name, face }) => ({ sigil: ":", face, title: `:${name}:`, insert: `:${name}: ` })) : [];
  }

  row(item, index) {
    const node = el("div", { id: `${this.id}-${index}`, role: "option", class: "completion-item", "data-value": item.insert.trim() }, item.face ? el("span", { class: "face", "aria-hidden": "true" }, item.face) : null, el("b", {}, item.title), item.detail ? el("span", {}, item.detail) : null);
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.choose(index);
    });
    return node;
  }

  mark(index) {
    this.at = index;
    [...this.list.children].forEach((node, at) => node.setAttribute("aria-selected", String(at === index)));
    this.input.setAttribute("aria-activedescendant", `${this.id}-${index}`);
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  choose(index) {
    const item = this.items[index];
    if (item.shortcut) {
      this.input.value = "";
      this.input.dispatchEvent(new Event("input", { bubbles: true }));
      this.close();
      return void this.useShortcut(item.shortcut);
    }
    const end = this.input.selectionStart;
    this.input.setRangeText(item.insert, this.start, end, "end");
    this.close();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
    this.input.focus();
  }

  close() {
    this.list.hidden = true;
    this.input.removeAttribute("aria-activedescendant");
  }
}

// An odd number of fences before the cursor: it stands in a code block, where names are just text.
function inCode(before) {
  return (before.match(/```/g) || []).length % 2 === 1;
}

function commandsLike(word) {
  return directory.commands.filter((one) => one.command.slice(1).startsWith(word)).map((one) => ({ sigil: "/", title: one.command, detail: [one.usage_hint, one.description].filter(Boolean).join(" · "), insert: `${one.command} ` }));
}

function shortcutsLike(word) {
  return directory.shortcuts.filter((one) => one.type === "global" && one.name.toLowerCase().includes(word)).map((one) => ({ sigil: "/", face: "⚡", title: one.name, detail: one.description || directory.app.name, insert: "", shortcut: one }));
}

function peopleLike(word) {
  const fits = (name) => name && (name.toLowerCase().startsWith(word) || name.toLowerCase().split(" ").some((part) => part.startsWith(word)));
  const people = directory.users.filter((user) => user.id !== "USLACKBOT" && !user.deleted && (fits(user.real_name) || fits(user.name)));
  // The app first: it is whom people write to here.
  people.sort((a, b) => Number(Boolean(b.is_bot)) - Number(Boolean(a.is_bot)));
  const found = people.map((user) => ({ sigil: "@", title: user.real_name || user.name, detail: user.is_bot ? "App" : directory.role(user), insert: `@${user.real_name || user.name} ` }));
  const wide = ["here", "channel", "everyone"].filter((name) => name.startsWith(word) && word).map((name) => ({ sigil: "@", title: `@${name}`, detail: "Everyone in this channel", insert: `@${name} ` }));
  return [...found, ...wide];
}

function channelsLike(word) {
  const named = directory.channels.filter((one) => !directory.isDirect(one) && one.name.includes(word));
  named.sort((a, b) => Number(b.name.startsWith(word)) - Number(a.name.startsWith(word)));
  return named.slice(0, MOST).map((one) => ({ sigil: "#", title: `#${one.name}`, detail: one.topic?.value ?? one.topic ?? "", insert: `#${one.name} ` }));
}
