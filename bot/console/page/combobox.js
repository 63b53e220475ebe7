// Knows a text box with a list of options under it, for one or several choices; knows nothing of Slack's state format.

import { el, icon, iconButton } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { popup } from "./popup.js";

let serial = 0;

/**
 * Build it. `load(query)` resolves to groups of options ([{label?, options}]) or to a note that stands in their place;
 * `changed(chosen, node, undo)` hears every change. With `multiple` the choices stand as chips before the box,
 * otherwise the one choice is the box's text. `waits` shows "Loading…" until the answer is there.
 */
export function combobox(options) {
  return new Combobox(options).box;
}

class Combobox {
  constructor({ attrs, multiple = false, most, placeholder, chosen, load, changed, waits = false, clearable = false }) {
    Object.assign(this, { multiple, most, load, changed, waits, clearable, hintText: placeholder || "Choose an option" });
    this.id = `list-${(serial += 1)}`;
    this.chosen = [...chosen];
    this.rows = [];
    this.active = -1;
    this.asked = 0;
    this.input = el("input", {
      ...attrs, type: "text", class: "combo-input", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": this.id, "aria-autocomplete": "list",
    });
    this.list = el("div", { id: this.id, class: "combo-list", role: "listbox", "aria-label": this.hintText, "aria-multiselectable": multiple ? "true" : null });
    this.note = el("div", { class: "combo-note", role: "status" });
    this.pop = el("div", { class: "combo-pop" }, this.list, this.note);
    this.chips = el("span", { class: "combo-chips" });
    this.box = el("div", { class: multiple ? "combo several" : "combo" }, this.chips, this.input, el("span", { class: "combo-arrow", "aria-hidden": "true" }, icon("chevron")), this.pop);
    this.shown = popup(this.box, this.pop, { wide: true, hidden: () => this.close() });
    this.listen();
    this.draw();
  }

  listen() {
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", (event) => {
      // What is typed to search is not yet a value: forms above hear only of choices.
      event.stopPropagation();
      this.open(this.input.value);
    });
    this.input.addEventListener("blur", () => this.close());
    this.box.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button, .combo-pop")) return;
      // What opens the list selects the words in the box, to be typed over; a click would set the caret among them.
      if (event.target !== this.input || !this.shown.shown) event.preventDefault();
      this.input.focus();
      if (this.shown.shown) this.close();
      else this.open("");
    });
    // A click into the list must not take the keyboard out of the box.
    this.pop.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  draw() {
    const text = this.chosen.map((one) => plain(one.text?.text).join(""));
    if (this.multiple) this.chips.replaceChildren(...this.chosen.map((one, at) => this.chip(one, text[at])));
    else this.input.value = text[0] || "";
    this.input.placeholder = this.multiple && text.length ? "" : this.hintText;
    this.box.classList.toggle("empty", !text.length);
    this.box.querySelector(".combo-clear")?.remove();
    if (this.clearable && !this.multiple && text.length) {
      this.input.after(iconButton("close", `Clear ${text[0]}`, () => this.set([]), { class: "icon-button combo-clear" }));
    }
  }

  chip(one, text) {
    const remove = () => this.set(this.chosen.filter((other) => other.value !== one.value));
    return el("span", { class: "chip-choice" }, el("span", {}, text), iconButton("close", `Remove ${text}`, remove));
  }

  set(chosen) {
    const before = this.chosen;
    const undo = () => {
      this.chosen = before;
      this.draw();
    };
    this.chosen = chosen;
    this.draw();
    this.changed([...chosen], this.input, undo);
    this.input.focus();
  }

  get full() {
    return this.multiple && this.most > 0 && this.chosen.length >= this.most;
  }

  has(one) {
    return this.chosen.some((other) => other.value === one.value);
  }

  choose(one) {
    if (!this.multiple) {
      this.close();
      if (!this.has(one)) this.set([one]);
      return;
    }
    if (!this.has(one) && this.full) return;
    const at = this.active;
    this.input.value = "";
    this.set(this.has(one) ? this.chosen.filter((other) => other.value !== one.value) : [...this.chosen, one]);
    this.open("").then(() => this.rows[at] && this.mark(at));
  }

  close() {
    this.asked += 1;
    this.shown.hide();
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    if (this.multiple) this.input.value = "";
    else this.draw();
  }

  async open(query) {
    const asked = (this.asked += 1);
    if (!this.shown.shown && !this.multiple && !query) this.input.select();
    if (this.waits && !this.shown.shown) this.show([], "Loading…");
    const answer = await this.load(query);
    if (asked !== this.asked || document.activeElement !== this.input) return;
    if (typeof answer === "string") this.show([], answer);
    else this.show(answer, answer.some((group) => group.options.length) ? "" : "No results");
  }

  show(groups, note) {
    this.rows = [];
    this.list.replaceChildren(...groups.filter((group) => group.options.length).map((group) => this.group(group)));
    this.list.hidden = !this.rows.length;
    this.note.textContent = this.full ? `You can choose up to ${this.most}.` : note;
    this.shown.show();
    this.input.setAttribute("aria-expanded", "true");
    const at = this.multiple ? -1 : this.rows.findIndex(({ one }) => this.has(one));
    this.mark(at >= 0 ? at : this.rows.length ? 0 : -1);
  }

  group({ label, options }) {
    const rows = options.map((one) => this.row(one));
    if (!label) return el("div", { role: "presentation" }, rows);
    return el("div", { role: "group", "aria-label": label }, el("div", { class: "combo-group", role: "presentation" }, label), rows);
  }

  row(one) {
    const on = this.has(one);
    const node = el("div", { id: `${this.id}-${this.rows.length}`, role: "option", class: "combo-option", "aria-selected": String(on), "aria-disabled": this.full && !on ? "true" : null, "data-value": one.value },
      el("span", {}, plain(one.text?.text), one.description ? el("small", {}, plain(one.description.text)) : null), on ? icon("check") : null);
    node.addEventListener("click", () => this.choose(one));
    this.rows.push({ one, node });
    return node;
  }

  mark(at) {
    this.active = at;
    this.rows.forEach(({ node }, index) => node.classList.toggle("active", index === at));
    const node = this.rows[at]?.node;
    if (!node) return void this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const open = this.shown.shown;
    if (event.key in steps) this.step(event, steps[event.key], open);
    else if (event.key === "Enter" && (open || !this.input.closest("form"))) this.take(event, open);
    else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Backspace" && this.multiple && !this.input.value && this.chosen.length) {
      this.set(this.chosen.slice(0, -1));
    }
  }

  step(event, by, open) {
    event.preventDefault();
    if (!open) return void this.open("");
    const last = this.rows.length - 1;
    const at = this.active + by;
    const wrapped = Math.abs(by) > 1 ? Math.max(0, Math.min(last, at)) : at > last ? 0 : at < 0 ? last : at;
    if (last >= 0) this.mark(wrapped);
  }

  take(event, open) {
    event.preventDefault();
    const row = this.rows[this.active];
    if (open && row) this.choose(row.one);
    else if (!open) this.open("");
  }
}
