// Knows how a file is shown: a picture, the first rows of a data file, or its name; knows nothing of uploads.

import { el, fileSize, icon } from "./dom.js";
import { frame } from "./tables.js";

const ROWS = 4;
const LINES = 10;
const CELL = 160;

/** One file as a card with its preview. */
export function fileCard(file) {
  if (file.mode === "tombstone") return el("div", { class: "file-card" }, icon("trash"), el("div", { class: "file-facts" }, "This file was deleted."));
  const address = localPath(file.url_private || file.url_private_download);
  if (/^image\//.test(file.mimetype || "") && address) return imageCard(file, address);
  const facts = [file.pretty_type || (file.filetype || "").toUpperCase(), fileSize(file.size)].filter(Boolean).join(" · ");
  const download = localPath(file.url_private_download || file.url_private);
  const head = el("div", { class: "file-card" }, el("span", { class: "file-badge" }, icon("file")),
    el("div", { class: "file-facts" }, el("strong", {}, file.title || file.name), el("small", {}, facts)),
    download ? el("a", { class: "icon-button", href: download, download: file.name, "aria-label": `Download ${file.name}`, title: "Download", "data-action-id": "file-download" }, icon("down")) : null);
  return el("div", { class: "file", "data-file-id": file.id }, head, preview(file));
}

function imageCard(file, address) {
  const name = file.alt_txt || file.title || file.name;
  return el("figure", { class: "file image-file", "data-file-id": file.id }, el("figcaption", {}, file.title || file.name),
    el("a", { href: address, target: "_blank", rel: "noopener" }, el("img", { class: "picture", src: address, alt: name, loading: "lazy" })));
}

// The server writes addresses with 127.0.0.1; the page may be open as localhost, so only the path counts.
function localPath(address) {
  if (!address) return "";
  try {
    const url = new URL(address, location.origin);
    return ["127.0.0.1", "localhost", location.hostname].includes(url.hostname) ? url.pathname + url.search : "";
  } catch {
    return "";
  }
}

function preview(file) {
  const text = file.preview;
  if (!text) return null;
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  if (file.preview_is_truncated) lines.pop();
  const rows = rowsOf(file, lines.filter((line) => line.trim()));
  if (rows?.length) return rowTable(rows, file);
  return el("pre", { class: "file-preview", tabindex: "0" }, el("code", {}, (lines.length ? lines : [text]).slice(0, LINES).join("\n")));
}

function rowsOf(file, lines) {
  if (/jsonl|ndjson/.test(file.filetype || "") || /\.(jsonl|ndjson)$/.test(file.name || "")) return lines.slice(0, ROWS).map(parseRow);
  if (file.filetype === "csv") return csvRows(lines);
  return null;
}

function parseRow(line) {
  try {
    const value = JSON.parse(line);
    if (Array.isArray(value?.messages)) return Object.fromEntries(value.messages.map((message, index) => [roleName(message, index, value.messages), message?.content]));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : { value };
  } catch {
    return { "not JSON": line };
  }
}

function roleName(message, index, all) {
  const role = String(message?.role ?? "message");
  const before = all.slice(0, index).filter((other) => other?.role === message?.role).length;
  return before ? `${role} ${before + 1}` : role;
}

function csvRows(lines) {
  const [head, ...rest] = lines.slice(0, ROWS + 1).map((line) => line.match(/("([^"]|"")*"|[^,]*)(,|$)/g).slice(0, -1).map((part) => part.replace(/,$/, "").replace(/^"|"$/g, "").replace(/""/g, '"')));
  return rest.map((row) => Object.fromEntries((head || []).map((name, index) => [name, row[index] ?? ""])));
}

function rowTable(rows, file) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const show = (value) => {
    const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return text.length > CELL ? `${text.slice(0, CELL)}…` : text;
  };
  const body = rows.map((row, index) => el("tr", {}, el("td", { class: "line-number" }, String(index + 1)), names.map((name) => el("td", {}, show(row[name])))));
  const node = el("table", { class: "file-rows" }, el("thead", {}, el("tr", {}, el("td", {}), names.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, body));
  return frame(node, `First rows of ${file.name}`);
}
