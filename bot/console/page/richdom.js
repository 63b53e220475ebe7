// Knows how a rich_text object becomes editable nodes and how edited nodes become rich_text; knows no buttons.

import { el, safeUrl } from "./dom.js";
import { EMOJI, emoji } from "./emoji.js";

const STYLE = { B: "bold", STRONG: "bold", I: "italic", EM: "italic", S: "strike", STRIKE: "strike", DEL: "strike", CODE: "code" };
const TAGS = { bold: "b", italic: "i", strike: "s", code: "code" };
const BLOCKS = new Set(["UL", "OL", "BLOCKQUOTE", "PRE"]);
const PART = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])|:([a-z0-9_+'-]+):/g;

/** Editable nodes for a rich_text object; nothing for null. */
export function fromRichText(value) {
  return (value?.elements || []).flatMap((part) => nodesOf(part));
}

function nodesOf(part) {
  const runs = () => (part.elements || []).map(runNode);
  if (part.type === "rich_text_list") return listNodes(part);
  if (part.type === "rich_text_quote") return el("blockquote", {}, runs());
  if (part.type === "rich_text_preformatted") return el("pre", {}, (part.elements || []).map((one) => one.text ?? one.url ?? "").join(""));
  return el("div", {}, runs());
}

function listNodes(part) {
  const items = (part.elements || []).map((line) => el("li", {}, (line.elements || []).map(runNode)));
  let node = el(part.style === "ordered" ? "ol" : "ul", {}, items);
  for (let depth = part.indent || 0; depth > 0; depth -= 1) node = el(part.style === "ordered" ? "ol" : "ul", {}, node);
  return node;
}

function runNode(run) {
  let node = run.type === "link" ? el("a", { href: safeUrl(run.url) }, run.text || run.url) : document.createTextNode(run.type === "emoji" ? emoji(run.name) : (run.text ?? run.fallback ?? ""));
  for (const [name, tag] of Object.entries(TAGS)) if (run.style?.[name]) node = el(tag, {}, node);
  return node;
}

/** The rich_text object for what stands in an edited box; null where nothing does. */
export function toRichText(box) {
  const out = [];
  collect(box, {}, new Line(out, "rich_text_section"));
  const elements = out.map(finished).filter((part) => part.elements.length);
  return elements.length ? { type: "rich_text", elements } : null;
}

// Gathers runs of text into one part; a part is only made once there is something to put in.
class Line {
  constructor(out, type, extra = {}) {
    Object.assign(this, { out, type, extra, part: null });
  }

  add(run) {
    if (!this.part) this.out.push((this.part = { type: this.type, elements: [], ...this.extra }));
    this.part.elements.push(run);
  }

  breakLine() {
    if (this.part) this.add({ type: "text", text: "\n" });
  }

  end() {
    this.part = null;
  }
}

function collect(node, style, line) {
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) text(child.data, style, line);
    else if (child.nodeName === "BR") child.nextSibling && line.breakLine();
    else if (BLOCKS.has(child.nodeName)) {
      line.end();
      block(child, line.out);
    } else if (child.nodeName === "A") linkRun(child, style, line);
    else if (["DIV", "P"].includes(child.nodeName)) {
      if (line.part && child.previousSibling && !BLOCKS.has(child.previousSibling.nodeName)) line.breakLine();
      collect(child, style, line);
    } else collect(child, STYLE[child.nodeName] ? { ...style, [STYLE[child.nodeName]]: true } : style, line);
  }
}

function block(node, out) {
  if (node.nodeName === "PRE") new Line(out, "rich_text_preformatted").add({ type: "text", text: node.textContent.replace(/\n$/, "") });
  else if (node.nodeName === "BLOCKQUOTE") collect(node, {}, new Line(out, "rich_text_quote"));
  else list(node, out, 0);
}

function list(node, out, indent) {
  const style = node.nodeName === "OL" ? "ordered" : "bullet";
  let part = null;
  for (const item of node.children) {
    if (item.nodeName !== "LI") {
      part = null;
      list(item, out, indent + 1);
      continue;
    }
    if (!part) out.push((part = { type: "rich_text_list", style, indent, elements: [] }));
    const lines = [];
    const inner = [...item.children].filter((one) => ["UL", "OL"].includes(one.nodeName));
    const own = el("div", {}, [...item.childNodes].filter((one) => !inner.includes(one)).map((one) => one.cloneNode(true)));
    collect(own, {}, new Line(lines, "rich_text_section"));
    part.elements.push(finished(lines[0] || { type: "rich_text_section", elements: [] }));
    for (const one of inner) list(one, out, indent + 1);
    if (inner.length) part = null;
  }
}

function linkRun(node, style, line) {
  const url = safeUrl(node.getAttribute("href"));
  if (!url) return text(node.textContent, style, line);
  return line.add({ type: "link", url, ...(node.textContent && node.textContent !== url ? { text: node.textContent } : {}), ...styled(style) });
}

function text(data, style, line) {
  const clean = data.replace(/\u200b/g, "").replace(/\u00a0/g, " ");
  let from = 0;
  const plainRun = (to) => to > from && line.add({ type: "text", text: clean.slice(from, to), ...styled(style) });
  for (const match of style.code ? [] : clean.matchAll(PART)) {
    if (match[2] && !Object.hasOwn(EMOJI, match[2])) continue;
    plainRun(match.index);
    line.add(match[1] ? { type: "link", url: match[1], ...styled(style) } : { type: "emoji", name: match[2], ...styled(style) });
    from = match.index + match[0].length;
  }
  plainRun(clean.length);
}

function styled(style) {
  return Object.keys(style).length ? { style: { ...style } } : {};
}

// Neighbours of one style become one run, and the last line break of a part is dropped.
function finished(part) {
  if (part.type === "rich_text_list") return part;
  const runs = [];
  for (const run of part.elements) {
    const last = runs.at(-1);
    if (run.type === "text" && last?.type === "text" && JSON.stringify(run.style) === JSON.stringify(last.style)) last.text += run.text;
    else runs.push({ ...run });
  }
  const end = runs.at(-1);
  if (end?.type === "text") end.text = end.text.replace(/\n+$/, "");
  return { ...part, elements: runs.filter((run) => run.type !== "text" || run.text) };
}
