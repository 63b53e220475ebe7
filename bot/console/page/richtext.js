// Knows rich_text elements (sections, lists, quotes, preformatted); knows nothing of other blocks.

import { el, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelLink, mention } from "./mrkdwn.js";

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
    if (element.type === "rich_text_list" && last?.type === "rich_text_list" && (element.indent || 0) > (last.indent || 0)) {
      last.nested.push({ ...element, nested: [] });
    } else {
      out.push(element.type === "rich_text_list" ? { ...element, nested: [] } : element);
    }
  }
  return out;
}

function part(element) {
  switch (element.type) {
    case "rich_text_section":
      return el("div", { class: "rt" }, (element.elements || []).map(run));
    case "rich_text_quote":
      return el("blockquote", {}, (element.elements || []).map(run));
    case "rich_text_preformatted":
      return el("pre", {}, el("code", {}, (element.elements || []).map((one) => one.text ?? one.url ?? "")));
    case "rich_text_list":
      return listNode(element);
    default:
      return el("code", { class: "unknown-inline" }, JSON.stringify(element));
  }
}

function listNode(element) {
  const ordered = element.style === "ordered";
  const node = el(ordered ? "ol" : "ul", ordered && element.offset ? { start: element.offset + 1 } : {});
  for (const child of element.elements || []) node.append(el("li", {}, (child.elements || []).map(run)));
  for (const inner of foldLists(element.nested || [])) (node.lastElementChild || node).append(listNode(inner));
  return node;
}

function run(element) {
  return styled(leaf(element), element.style || {});
}

function leaf(element) {
  switch (element.type) {
    case "text":
      return document.createTextNode(element.text ?? "");
    case "link":
      return link(element.url, element.text || element.url);
    case "emoji":
      return el("span", { class: "emoji", title: `:${element.name}:` }, emojiOf(element));
    case "user":
      return mention(element.user_id);
    case "channel":
      return channelLink(element.channel_id);
    case "broadcast":
      return el("span", { class: "mention me" }, `@${element.range}`);
    case "usergroup":
      return el("span", { class: "mention" }, "@group");
    case "color":
      return el("code", {}, el("span", { class: "swatch", css: { background: element.value } }), element.value);
    case "date":
      return el("time", {}, element.fallback || new Date(element.timestamp * 1000).toLocaleString());
    default:
      return el("code", { class: "unknown-inline" }, JSON.stringify(element));
  }
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
  return out;
}
