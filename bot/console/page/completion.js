// Knows the list that helps to write: / commands, @ people, # channels, : emoji; knows nothing of sending.

import { directory } from "./directory.js";
import { el } from "./dom.js";
import { EMOJI } from "./emoji.js";

const MOST = 8;
let serial = 0;

export class Completion {
  /** Watch `input`; the list appears in `host`. */
  constructor(input, host, { commands }) {
    this.input = input;
    this.commands = commands;
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
    const before = this.input.value.slice(0, this.input.selectionStart);
    const match = /(^|\s)([@#:/])([\p{L}\p{N}_+'-]*(?: [\p{L}\p{N}]*)?)$/u.exec(before);
    const items = match ? this.find(match[2], match[3].toLowerCase(), before) : [];
    if (!items.length) return this.close();
    this.start = before.length - match[3].length - 1;
    this.items = items.slice(0, MOST);
    this.list.replaceChildren(...this.items.map((item, index) => this.row(item, index)));
    this.list.hidden = false;
    return this.mark(0);
  }

  find(sigil, word, before) {
    if (sigil === "/") return this.commands && !before.slice(0, -word.length - 1).trim() && !word.includes(" ") ? commandsLike(word) : [];
    if (sigil === "@") return peopleLike(word);
    if (sigil === "#") return channelsLike(word);
    return word.length >= 2 && !word.includes(" ") ? emojiLike(word) : [];
  }

  row(item, index) {
    const node = el("div", { id: `${this.id}-${index}`, role: "option", class: "completion-item", "data-value": item.insert.trim() }, el("b", {}, item.title), item.detail ? el("span", {}, item.detail) : null);
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

function commandsLike(word) {
  return directory.commands.filter((one) => one.command.slice(1).startsWith(word)).map((one) => ({ sigil: "/", title: one.command, detail: [one.usage_hint, one.description].filter(Boolean).join(" · "), insert: `${one.command} ` }));
}

function peopleLike(word) {
  const fits = (name) => name && (name.toLowerCase().startsWith(word) || name.toLowerCase().split(" ").some((part) => part.startsWith(word)));
  const people = directory.users.filter((user) => user.id !== "USLACKBOT" && (fits(user.real_name) || fits(user.name)));
  // The app first: it is whom people write to here.
  people.sort((a, b) => Number(Boolean(b.is_bot)) - Number(Boolean(a.is_bot)));
  const found = people.map((user) => ({ sigil: "@", title: user.real_name || user.name, detail: user.is_bot ? "App" : "", insert: `@${user.real_name || user.name} ` }));
  const wide = ["here", "channel"].filter((name) => name.startsWith(word) && word).map((name) => ({ sigil: "@", title: `@${name}`, detail: "Everyone in this channel", insert: `@${name} ` }));
  return [...found, ...wide];
}

function channelsLike(word) {
  return directory.channels.filter((one) => !one.is_im && one.name.startsWith(word)).map((one) => ({ sigil: "#", title: `#${one.name}`, detail: one.topic?.value ?? one.topic ?? "", insert: `#${one.name} ` }));
}

function emojiLike(word) {
  return Object.entries(EMOJI).filter(([name]) => name.startsWith(word)).map(([name, face]) => ({ sigil: ":", title: `${face}  :${name}:`, insert: `:${name}: ` }));
}
