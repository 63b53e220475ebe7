// Knows how a file is shown: a picture, the first rows of a data file, or its name; knows nothing of uploads.

import { el, fileSize, icon, isLocal } from "./dom.js";
import { glyph, glyphButton } from "./glyphs.js";
import { zoom } from "./pictures.js";
import { frame } from "./tables.js";
import { toast } from "./toast.js";

const ROWS = 4;
const LINES = 10;
const MORE_ROWS = 200;
const MORE_BYTES = 300000;
const CELL = 160;

/** One file as a card with its preview. */
export function fileCard(file) {
  if (file.mode === "tombstone") return el("div", { class: "row-card" }, el("span", { class: "file-badge" }, icon("trash")), el("div", { class: "file-facts" }, "This file was deleted."));
  const address = localPath(file.url_private || file.url_private_download);
  if (/^image\//.test(file.mimetype || "") && address) return imageCard(file, address);
  const shown = el("div", { class: "file-shown" }, preview(file, file.preview, file.preview_is_truncated, ROWS, LINES));
  const more = file.preview && canGrow(file) && address ? grower(file, shown) : null;
  return el("div", { class: "file", "data-file-id": file.id }, head(file), shown, more);
}

function head(file) {
  const facts = [file.pretty_type || (file.filetype || "").toUpperCase() || "File", fileSize(file.size)].filter(Boolean).join(" · ");
  return el("div", { class: "file-card" }, el("span", { class: `file-badge ${kindOf(file)}` }, glyph(kindOf(file) === "code" ? "code" : "file")),
    el("div", { class: "file-facts" }, el("strong", { title: file.name }, file.title || file.name), el("small", {}, facts)), tools(file));
}

function kindOf(file) {
  return /json|csv|^py|python|javascript|^js|^ts|yaml|yml|toml|html|css|sql|shell|^sh|xml|^go$|rust|^rs$|java/.test(file.filetype || "") ? "code" : "plain";
}

function tools(file) {
  const download = localPath(file.url_private_download || file.url_private);
  return el("span", { class: "file-tools" },
    download ? el("a", { class: "icon-button", href: download, download: file.name, "aria-label": `Download ${file.name}`, title: "Download", "data-action-id": "file-download" }, icon("down")) : null,
    download ? glyphButton("link", `Copy link to ${file.name}`, () => copy(file.permalink || file.url_private), { title: "Copy link", "data-action-id": "file-link" }) : null);
}

async function copy(address) {
  try {
    await navigator.clipboard.writeText(new URL(address, location.origin).href);
    toast("Link copied.");
  } catch {
    toast("The browser does not allow copying here.", "error");
  }
}

function imageCard(file, address) {
  const name = file.alt_txt || file.title || file.name;
  const image = el("img", { class: "picture", src: address, alt: name, loading: "lazy", width: file.original_w || null, height: file.original_h || null });
  return el("figure", { class: "file image-file", "data-file-id": file.id },
    el("figcaption", {}, el("span", {}, file.title || file.name), el("small", {}, fileSize(file.size)), tools(file)), zoom(image, name, address));
}

// The server writes addresses with 127.0.0.1; the page may be open as localhost, so only the path counts.
function localPath(address) {
  if (!address || !isLocal(address) || /^data:/i.test(address)) return "";
  const url = new URL(address, location.origin);
  return url.pathname + url.search;
}

function canGrow(file) {
  const lines = file.preview.split("\n").length;
  return (file.preview_is_truncated || lines > ROWS + 2) && file.size < MORE_BYTES * 20;
}

function grower(file, shown) {
  const button = el("button", { type: "button", class: "file-more", "data-action-id": "file-more", "aria-expanded": "false" }, "Show more");
  let whole = null;
  button.addEventListener("click", async () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    whole ??= open ? await beginning(file) : null;
    if (open && whole === null) return;
    shown.replaceChildren(...[open ? preview(file, whole.text, whole.cut, MORE_ROWS, Infinity) : preview(file, file.preview, file.preview_is_truncated, ROWS, LINES)].filter(Boolean));
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Show less" : "Show more";
  });
  return button;
}

async function beginning(file) {
  try {
    const response = await fetch(localPath(file.url_private));
    if (!response.ok) throw new Error(String(response.status));
    const text = await (await response.blob()).slice(0, MORE_BYTES).text();
    return { text, cut: file.size > MORE_BYTES };
  } catch {
    toast("The file could not be read. Try to download it.", "error");
    return null;
  }
}

function preview(file, text, cut, mostRows, mostLines) {
  if (!text) return null;
  const lines = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").split("\n");
  if (cut) lines.pop();
  const rows = rowsOf(file, lines.filter((line) => line.trim()), mostRows);
  if (rows?.length) return rowTable(rows, file);
  return el("pre", { class: "file-preview", tabindex: "0" }, el("code", {}, (lines.length ? lines : [text]).slice(0, mostLines).join("\n")));
}

function rowsOf(file, lines, most) {
  if (/jsonl|ndjson/.test(file.filetype || "") || /\.(jsonl|ndjson)$/.test(file.name || "")) return lines.slice(0, most).map(parseRow);
  if (["csv", "tsv"].includes(file.filetype) || /\.(csv|tsv)$/i.test(file.name || "")) return csvRows(lines.slice(0, most + 1));
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
  const between = /\t/.test(lines[0] || "") && !/,/.test(lines[0]) ? "\t" : /;/.test(lines[0] || "") && !/,/.test(lines[0]) ? ";" : ",";
  const [head, ...rest] = lines.map((line) => csvCells(line, between));
  return rest.map((row) => Object.fromEntries((head || []).map((name, index) => [name, row[index] ?? ""])));
}

function csvCells(line, between) {
  const cells = [""];
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const one = line[at];
    if (one === '"' && quoted && line[at + 1] === '"') cells[cells.length - 1] += line[(at += 1)];
    else if (one === '"') quoted = !quoted;
    else if (one === between && !quoted) cells.push("");
    else cells[cells.length - 1] += one;
  }
  return cells;
}

function rowTable(rows, file) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const show = (value) => {
    const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return text.length > CELL ? el("span", { title: text.slice(0, 2000) }, `${text.slice(0, CELL)}…`) : text;
  };
  const body = rows.map((row, index) => el("tr", {}, el("td", { class: "line-number" }, String(index + 1)), names.map((name) => el("td", {}, show(row[name])))));
  const node = el("table", { class: "file-rows" }, el("thead", {}, el("tr", {}, el("td", {}), names.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, body));
  return frame(node, `First rows of ${file.name}`);
}
