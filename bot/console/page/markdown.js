// Knows a small, safe part of standard Markdown (headings, lists, tables, code, links); knows nothing of Slack's own mrkdwn.

import { el, link } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { channelLink, mention } from "./mrkdwn.js";

const LIST = /^(\s*)(?:([-*+])|(\d+)[.)])\s+(.*)$/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const INLINE = /(`+)([\s\S]*?[^`])\1(?!`)|!?\[([^\]\n]*)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+"[^"]*")?\)|<(https?:\/\/[^>\s]+)>|<([@#])([A-Z0-9]+)(?:\|[^>]*)?>|(https?:\/\/[^\s<>()]+)|\\([\\`*_{}[\]()#+.!~|>-])|:([a-z0-9_+'-]+):|(\*\*\*|\*\*|__|~~|\*|_)/g;

/** Nodes for a Markdown text; raw HTML in it stays text. */
export function markdown(text) {
  return blocks(String(text ?? "").replace(/\r\n?/g, "\n").split("\n"));
}

function blocks(lines) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const reader = !line.trim() ? null : READERS.find(([matches]) => matches(line, lines, at));
    if (!line.trim()) at += 1;
    else if (reader) at = reader[1](nodes, lines, at);
    else at = paragraph(nodes, lines, at);
  }
  return nodes;
}

const READERS = [
  [(line) => /^\s*(```|~~~)/.test(line), fence],
  [(line) => /^ {0,3}#{1,6}\s/.test(line), heading],
  [(line) => RULE.test(line), (nodes, lines, at) => (nodes.push(el("hr")), at + 1)],
  [(line) => /^\s*>/.test(line), quote],
  [(line) => LIST.test(line), list],
  [(line, lines, at) => line.includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && TABLE_RULE.test(lines[at + 1]), table],
];

function startsBlock(lines, at) {
  return READERS.some(([matches]) => matches(lines[at], lines, at));
}

function paragraph(nodes, lines, at) {
  const text = [lines[at]];
  let next = at + 1;
  while (next < lines.length && lines[next].trim() && !startsBlock(lines, next)) text.push(lines[next++]);
  nodes.push(el("p", {}, inline(text.join("\n"))));
  return next;
}

function fence(nodes, lines, at) {
  const [, mark, language] = /^\s*(```|~~~)\s*(\S*)/.exec(lines[at]);
  const body = [];
  let next = at + 1;
  while (next < lines.length && !lines[next].trimStart().startsWith(mark)) body.push(lines[next++]);
  nodes.push(el("pre", { tabindex: "0", "data-language": language || null }, el("code", {}, body.join("\n"))));
  return next + 1;
}

function heading(nodes, lines, at) {
  const [, marks, text] = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(lines[at]) || [null, "#", lines[at].replace(/^\s*#+\s*/, "")];
  // A message never outranks the page's own headings: # starts at h3.
  nodes.push(el(`h${Math.min(marks.length + 2, 6)}`, { class: `md-h${marks.length}` }, inline(text)));
  return at + 1;
}

function quote(nodes, lines, at) {
  const body = [];
  let next = at;
  while (next < lines.length && /^\s*>/.test(lines[next])) body.push(lines[next++].replace(/^\s*>\s?/, ""));
  nodes.push(el("blockquote", {}, blocks(body)));
  return next;
}

function list(nodes, lines, at) {
  const [, indent, , number] = LIST.exec(lines[at]);
  const node = el(number ? "ol" : "ul", number && number !== "1" ? { start: number } : {});
  let next = at;
  while (next < lines.length) {
    const match = LIST.exec(lines[next]);
    if (!match || match[1].length < indent.length || Boolean(match[3]) !== Boolean(number)) break;
    const body = [];
    next += 1;
    while (next < lines.length && lines[next].trim() && (indentOf(lines[next]) > indent.length || (!LIST.test(lines[next]) && !startsBlock(lines, next)))) {
      body.push(lines[next++]);
    }
    node.append(item(match[4], body));
    while (next + 1 < lines.length && !lines[next].trim() && LIST.test(lines[next + 1])) next += 1;
  }
  nodes.push(node);
  return next;
}

function item(first, body) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(first);
  const done = task && task[1] !== " ";
  const lead = task ? [el("span", { class: done ? "tick done" : "tick", role: "img", "aria-label": done ? "Done:" : "To do:" }), inline(task[2])] : inline(first);
  const depth = Math.min(...body.filter((line) => line.trim()).map(indentOf), 8);
  const rest = blocks(body.map((line) => line.slice(Math.min(depth, indentOf(line)))));
  return el("li", { class: task ? "task-item" : null }, lead, rest.map((node) => (node.tagName === "P" ? [" ", ...node.childNodes] : node)));
}

function indentOf(line) {
  return /^\s*/.exec(line)[0].length;
}

function table(nodes, lines, at) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) => (/^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : ""));
  const row = (line, tag) => el("tr", {}, head.map((_, index) => el(tag, { class: align[index] || null, scope: tag === "th" ? "col" : null }, inline(line[index] ?? ""))));
  const body = el("tbody");
  let next = at + 2;
  while (next < lines.length && lines[next].includes("|") && lines[next].trim()) body.append(row(cells(lines[next++]), "td"));
  nodes.push(el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {}, el("thead", {}, row(head, "th")), body)));
  return next;
}

function cells(line) {
  return line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function inline(text) {
  const nodes = [];
  let from = 0;
  const pattern = new RegExp(INLINE.source, "g");
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const made = token(match, text);
    if (!made) continue;
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(made.node);
    from = pattern.lastIndex = made.end;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

function token(match, text) {
  const [whole, ticks, code, label, address, auto, sigil, id, bare, escaped, shortcode, mark] = match;
  const end = match.index + whole.length;
  if (ticks) return { node: el("code", {}, code.trim()), end };
  if (label !== undefined) return { node: link(address, whole.startsWith("!") ? label || address : inline(label)), end };
  if (auto) return { node: link(auto, auto), end };
  if (sigil) return { node: sigil === "@" ? mention(id) : channelLink(id), end };
  if (bare) {
    const trimmed = bare.replace(/[.,;:!?*_~]+$/, "");
    return { node: link(trimmed, trimmed), end: match.index + trimmed.length };
  }
  if (escaped) return { node: document.createTextNode(escaped), end };
  if (shortcode) return Object.hasOwn(EMOJI, shortcode) ? { node: el("span", { class: "emoji" }, EMOJI[shortcode]), end } : null;
  return emphasis(mark, match.index, text);
}

function emphasis(mark, start, text) {
  const from = start + mark.length;
  if (!text[from] || /\s/.test(text[from])) return null;
  if (mark.includes("_") && start > 0 && /[\p{L}\p{N}]/u.test(text[start - 1])) return null;
  for (let close = text.indexOf(mark, from + 1); close > 0; close = text.indexOf(mark, close + 1)) {
    const after = text[close + mark.length];
    if (/\s/.test(text[close - 1]) || (mark.length === 1 && (after === mark || text[close - 1] === mark))) continue;
    if (mark.includes("_") && after && /[\p{L}\p{N}]/u.test(after)) continue;
    const inner = inline(text.slice(from, close));
    const node = { "***": () => el("strong", {}, el("em", {}, inner)), "~~": () => el("s", {}, inner) }[mark]?.();
    return { node: node || el(mark.length === 2 ? "strong" : "em", {}, inner), end: close + mark.length };
  }
  return null;
}
