// Knows the table and data_table blocks; knows nothing of Markdown tables or of files.

import { el } from "./dom.js";
import { element } from "./elements.js";
import { glyphButton } from "./glyphs.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText, richTextPlain } from "./richtext.js";
import { unknownInline } from "./unknown.js";

const PAGE = 5;
const FILTER_FROM = 6;
// Characters of a cell that is not worth a second line.
const SHORT = 18;
// Characters from which a column needs some width, even where the table then has to scroll.
const LONG = 40;

/** The table block: first row is the header; a column wraps only where its settings say so. */
export function table(block, form) {
  const rows = block.rows || [];
  const settings = block.column_settings || [];
  // A header stands over its numbers as they do.
  const side = (one, tag, index) => (tag === "th" && rows[1]?.[index] ? { ...one, type: rows[1][index].type, text: one?.text } : one);
  const draw = (row, tag) => el("tr", {}, (row || []).map((one, index) => el(tag, { class: cellClass(side(one, tag, index), settings[index] || {}), scope: tag === "th" ? "col" : null }, el("div", { class: "cell" }, cell(one, block, form)))));
  return frame(el("table", {}, el("thead", {}, draw(rows[0], "th")), el("tbody", {}, rows.slice(1).map((row) => draw(row, "td")))), "Table");
}

/** The data_table block: caption, filter, sorting by any column, pages. */
export function dataTable(block, form) {
  return new DataTable(block, form).nodes;
}

/** Put a table in a frame that scrolls sideways by itself, also by keyboard. */
export function frame(node, name) {
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": name }, node);
}

class DataTable {
  constructor(block, form) {
    Object.assign(this, { block, form, page: 0, column: -1, down: false, wanted: "" });
    this.size = Math.min(Math.max(Number(block.page_size) || PAGE, 1), 100);
    this.all = (block.rows || []).slice(1);
    this.rows = this.all;
    this.header = block.row_header_column_index ?? 0;
    this.name = plain(block.caption?.text ?? block.caption).join("") || "Table";
    this.body = el("tbody");
    this.status = el("span", { class: "fine", role: "status" });
    this.back = glyphButton("caret-left", "Previous page", () => this.turn(-1), { "data-action-id": "table-previous" });
    this.next = glyphButton("caret-right", "Next page", () => this.turn(1), { "data-action-id": "table-next" });
    this.titles = (block.rows?.[0] || []).map((one, index) => this.title(one, index));
    this.draw();
  }

  get nodes() {
    const node = el("table", {}, el("caption", { class: "unseen" }, this.name), el("thead", {}, el("tr", {}, this.titles)), this.body);
    const filter = this.all.length >= FILTER_FROM ? this.filter() : null;
    const pages = this.all.length > this.size ? el("div", { class: "pager" }, this.back, this.next, this.status) : null;
    return el("div", { class: "data-table" }, el("div", { class: "data-head" }, el("strong", { "aria-hidden": "true" }, this.name), filter), frame(node, this.name), pages);
  }

  title(one, index) {
    const sorter = el("button", { type: "button", class: "sorter", "data-action-id": "table-sort", "data-value": String(index), on: { click: () => this.sort(index) } }, cell(one), el("span", { class: "sort-mark", "aria-hidden": "true" }));
    return el("th", { scope: "col", class: cellClass(this.all[0]?.[index], { is_wrapped: true }) }, sorter);
  }

  filter() {
    const input = el("input", { type: "search", class: "field filter", placeholder: "Filter rows", "aria-label": `Filter rows of ${this.name}`, "data-action-id": "table-filter", autocomplete: "off" });
    input.addEventListener("input", () => {
      this.wanted = input.value.trim().toLowerCase();
      this.page = 0;
      this.draw();
    });
    return input;
  }

  turn(step) {
    this.page += step;
    this.draw();
    if (this.back.disabled && document.activeElement === document.body) this.next.focus();
    if (this.next.disabled && document.activeElement === document.body) this.back.focus();
  }

  sort(index) {
    this.down = this.column === index && !this.down;
    this.column = index;
    this.page = 0;
    this.rows = [...this.all].sort((a, b) => compare(a[index], b[index]) * (this.down ? -1 : 1));
    this.titles.forEach((title, at) => (at === index ? title.setAttribute("aria-sort", this.down ? "descending" : "ascending") : title.removeAttribute("aria-sort")));
    this.draw();
  }

  draw() {
    const fits = this.wanted ? this.rows.filter((row) => row.some((one) => cellText(one).toLowerCase().includes(this.wanted))) : this.rows;
    const pages = Math.max(1, Math.ceil(fits.length / this.size));
    const shown = fits.slice(this.page * this.size, (this.page + 1) * this.size);
    const first = this.page * this.size + 1;
    this.body.replaceChildren(...shown.map((row) => this.row(row)));
    if (!shown.length) this.body.append(el("tr", {}, el("td", { class: "nothing-fits", colspan: String(this.titles.length || 1) }, "No rows fit.")));
    this.status.textContent = fits.length ? `${first}–${first + shown.length - 1} of ${fits.length}` : "0 rows";
    this.back.disabled = this.page === 0;
    this.next.disabled = this.page >= pages - 1;
  }

  row(row) {
    return el("tr", {}, row.map((one, index) => {
      const inner = el("div", { class: "cell" }, cell(one, this.block, this.form));
      const classes = cellClass(one, { is_wrapped: true });
      return index === this.header ? el("th", { scope: "row", class: classes }, inner) : el("td", { class: classes }, inner);
    }));
  }
}

function cell(one, block, form) {
  if (one === null || one === undefined) return [];
  if (one.type === "rich_text") return richText(one.elements);
  if (one.type === "raw_number") return [numberText(one)];
  if (one.type === "raw_text") return plain(one.text, one.emoji !== false);
  // A cell with a button, which only data tables have.
  if (one.element && form) return [element(one.element, block, form, 0)];
  if (["mrkdwn", "plain_text"].includes(one.type) || typeof one === "string") return textObject(one);
  return typeof one === "object" ? [unknownInline(one)] : [String(one)];
}

function numberText(one) {
  if (one.text !== undefined) return String(one.text);
  return typeof one.value === "number" ? one.value.toLocaleString() : String(one.value ?? "");
}

function cellClass(one, { align, is_wrapped: wrapped = false }) {
  const side = ["left", "center", "right"].includes(align) ? align : one?.type === "raw_number" ? "right" : "";
  const size = cellText(one).length;
  const fit = size <= SHORT ? "short" : size > LONG ? "long" : "";
  return [side, wrapped ? fit : "nowrap"].join(" ").trim() || null;
}

function cellText(one) {
  if (one?.type === "rich_text") return richTextPlain(one);
  return one?.type === "raw_number" ? numberText(one) : String(one?.element?.text?.text ?? one?.text ?? "");
}

function compare(a, b) {
  const [left, right] = [sortKey(a), sortKey(b)];
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

function sortKey(one) {
  return one?.type === "raw_number" ? Number(one.value) : cellText(one);
}
