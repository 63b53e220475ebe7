// Knows rich_text elements (sections, lists, quotes, preformatted); knows nothing of other blocks.

import { directory } from "./directory.js";
import { el, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { glyph } from "./glyphs.js";
import { channelLink, mention, shownDate } from "./mrkdwn.js";
import { unknown, unknownInline } from "./unknown.js";

const COLOR = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const LEAVES = {
  text: (one) => document.createTextNode(String(one.text ?? "")),
  link: (one) => link(one.url, String(one.text || one.url)),
  emoji: (one) => el("span", { class: "emoji", title: `:${one.name}:` }, emojiOf(one)),
  user: (one) => mention(one.user_id),
  channel: (one) => channelLink(one.channel_id),
  broadcast: (one) => el("span", { class: "mention me" }, `@${one.range}`),
  usergroup: (one) => el("span", { class: "mention", title: one.usergroup_id }, `@${one.usergroup_id || "group"}`),
  team: (one) => el("span", { class: "mention" }, one.team_id === directory.team.id ? directory.team.name : String(one.team_id)),
  color: (one) => el("code", {}, COLOR.test(one.value) ? el("span", { class: "swatch", css: { background: one.value } }) : null, String(one.value)),
  date: dateNode,
  file: (one) => chip("file", one.title || one.name || one.file_id || "File", one.url || one.permalink),
  canvas: (one) => chip("file", one.title || one.file_id || "Canvas", one.url),
  message_mention: (one) => chip("comment", one.text || "Message", one.url),
  work_object_mention: (one) => chip("cube", one.text || one.title || one.url || "Work object", one.url),
  citation: (one) => el("sup", { class: "citation" }, link(one.url, String(one.text || one.title || one.index || "source"))),
  tag: (one) => el("span", { class: "tag" }, String(one.text ?? one.label ?? "")),
};

/** Nodes for the elements of a rich_text block. */
export function richText(elements) {
  return foldLists(elements || []).map(part);
}

/** The readable text of a rich_text object, for tables that sort and for previews. */
export function richTextPlain(object) {
  return el("div", {}, richText(object?.elements)).textContent;
}

// Slack sends nested lists flat with an indent; consecutive lists are folded back into a tree.
function foldLists(elements) {
  const out = [];
  for (const element of elements) {
    const last = out.at(-1);
    const list = element?.type === "rich_text_list";
    if (list && last?.type === "rich_text_list" && (element.indent || 0) > (last.indent || 0)) last.nested.push(element);
    else out.push(list ? { ...element, nested: [] } : element);
  }
  return out;
}

function part(element) {
  switch (element?.type) {
    case "rich_text_section":
      return el("div", { class: "rt" }, runs(element));
    case "rich_text_quote":
      return el("blockquote", { class: bordered(element) }, runs(element));
    case "rich_text_preformatted":
      return el("pre", { class: bordered(element), tabindex: "0", "data-language": element.language || null }, el("code", {}, (element.elements || []).map((one) => (one.type === "link" ? link(one.url, one.text || one.url) : String(one.text ?? one.name ?? "")))));
    case "rich_text_list":
      return listNode(element);
    default:
      return unknown(element, "text element");
  }
}

function bordered(element) {
  return element.border ? "bordered" : null;
}

function listNode(element) {
  const ordered = element.style === "ordered";
  const depth = Math.min(Math.max(Number(element.indent) || 0, 0), 8);
  const classes = [`depth-${depth % 3}`, bordered(element)].filter(Boolean).join(" ");
  const node = el(ordered ? "ol" : "ul", { class: classes, start: ordered && element.offset ? Number(element.offset) + 1 : null });
  for (const child of element.elements || []) node.append(el("li", {}, runs(child)));
  if (!node.lastElementChild) node.append(el("li"));
  node.lastElementChild.append(...foldLists(element.nested).map(listNode));
  return node;
}

function runs(element) {
  return (element?.elements || []).map((run) => styled(leaf(run), run?.style || {}));
}

function leaf(element) {
  return Object.hasOwn(LEAVES, element?.type) ? LEAVES[element.type](element) : unknownInline(element);
}

function chip(face, name, address) {
  const inside = [glyph(face), String(name)];
  return el("span", { class: "object-chip" }, address ? link(address, inside) : inside);
}

function dateNode(one) {
  const at = new Date(Number(one.timestamp) * 1000);
  const known = !Number.isNaN(at.getTime());
  const text = known ? shownDate(at, one.format || "{date_short_pretty} {time}") : one.fallback || String(one.timestamp);
  const node = el("time", { datetime: known ? at.toISOString() : null, title: known ? at.toLocaleString([], { dateStyle: "full", timeStyle: "short" }) : null }, text);
  return one.url ? link(one.url, node) : node;
}

function emojiOf(element) {
  if (!element.unicode) return emoji(element.name);
  try {
    return String.fromCodePoint(...element.unicode.split("-").map((code) => parseInt(code, 16)));
  } catch {
    return emoji(element.name);
  }
}

function styled(node, style) {
  let out = node;
  if (style.code) out = el("code", {}, out);
  if (style.bold) out = el("strong", {}, out);
  if (style.italic) out = el("em", {}, out);
  if (style.strike) out = el("s", {}, out);
  if (style.underline) out = el("u", {}, out);
  if (style.highlight || style.client_highlight) out = el("mark", {}, out);
  return out;
}
