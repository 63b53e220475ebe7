// Knows the table and data_table blocks; knows nothing of Markdown tables or of files.

import { el } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText, richTextPlain } from "./richtext.js";

/** The table block: first row is the header. */
export function table(block) {
  const rows = block.rows || [];
  const settings = block.column_settings || [];
  const draw = (row, tag) => el("tr", {}, (row || []).map((one, index) => el(tag, { class: cellClass(one, settings[index]), scope: tag === "th" ? "col" : null }, cell(one))));
  const node = el("table", {}, el("thead", {}, draw(rows[0], "th")), el("tbody", {}, rows.slice(1).map((row) => draw(row, "td"))));
  return frame(node, "Table");
}

/** The data_table block: caption, sorting by any column, pages. */
export function dataTable(block) {
  const rows = block.rows || [];
  const head = rows[0] || [];
  const size = Math.min(Math.max(block.page_size || 5, 1), 100);
  const state = { rows: rows.slice(1), page: 0, column: -1, down: false };
  const body = el("tbody");
  const status = el("span", { class: "fine", "aria-live": "polite" });
  const turn = (step) => {
    state.page += step;
    draw();
  };
  const back = el("button", { type: "button", class: "button slim", "aria-label": "Previous page", "data-action-id": "table-previous", on: { click: () => turn(-1) } }, "‹");
  const next = el("button", { type: "button", class: "button slim", "aria-label": "Next page", "data-action-id": "table-next", on: { click: () => turn(1) } }, "›");
  const titles = head.map((one, index) => el("th", { scope: "col", class: cellClass(state.rows[0]?.[index]) }, el("button", { type: "button", class: "sorter", "data-action-id": "table-sort", on: { click: () => sort(index) } }, cell(one))));
  const sort = (index) => {
    state.down = state.column === index && !state.down;
    state.column = index;
    state.page = 0;
    state.rows.sort((a, b) => compare(a[index], b[index]) * (state.down ? -1 : 1));
    titles.forEach((title, at) => (at === index ? title.setAttribute("aria-sort", state.down ? "descending" : "ascending") : title.removeAttribute("aria-sort")));
    draw();
  };
  const draw = () => {
    const pages = Math.max(1, Math.ceil(state.rows.length / size));
    const shown = state.rows.slice(state.page * size, (state.page + 1) * size);
    body.replaceChildren(...shown.map((row) => el("tr", {}, row.map((one, index) => (index === (block.row_header_column_index ?? -1) ? el("th", { scope: "row" }, cell(one)) : el("td", { class: cellClass(one) }, cell(one)))))));
    status.textContent = `${state.rows.length} rows · page ${state.page + 1} of ${pages}`;
    back.disabled = state.page === 0;
    next.disabled = state.page >= pages - 1;
  };
  draw();
  const node = el("table", {}, el("caption", {}, textObject(block.caption)), el("thead", {}, el("tr", {}, titles)), body);
  return [frame(node, plain(block.caption?.text ?? block.caption).join("") || "Table"), state.rows.length > size ? el("div", { class: "pager" }, back, next, status) : null];
}

/** Put a table in a frame that scrolls sideways by itself, also by keyboard. */
export function frame(node, name) {
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": name }, node);
}

function cell(one) {
  if (one === null || one === undefined) return [];
  if (one.type === "rich_text") return richText(one.elements);
  if (one.type === "raw_number") return [numberText(one)];
  if (one.type === "raw_text") return [String(one.text ?? "")];
  return one.text !== undefined ? textObject(one) : [typeof one === "object" ? JSON.stringify(one) : String(one)];
}

function numberText(one) {
  const value = one.value ?? one.number ?? one.text;
  return one.text !== undefined ? String(one.text) : typeof value === "number" ? value.toLocaleString() : String(value ?? "");
}

function cellClass(one, setting = {}) {
  const align = setting?.align || (one?.type === "raw_number" ? "right" : "");
  return [align, setting?.is_wrapped === false ? "nowrap" : ""].join(" ").trim() || null;
}

function compare(a, b) {
  const [left, right] = [sortKey(a), sortKey(b)];
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

function sortKey(one) {
  if (one?.type === "raw_number") return Number(one.value ?? one.number ?? one.text);
  return one?.type === "rich_text" ? richTextPlain(one) : String(one?.text ?? "");
}
