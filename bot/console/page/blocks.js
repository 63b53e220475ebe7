// Knows which function draws which Block Kit block, and draws the plain ones; knows nothing of panes or of the network.

import { el } from "./dom.js";
import { authProvider, call } from "./accounts.js";
import { alertBlock, card, carousel, container, fileBlock, video } from "./cards.js";
import { chart } from "./charts.js";
import { element } from "./elements.js";
import { inputBlock } from "./inputs.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { picture, thumbnail } from "./pictures.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";
import { plan, taskCard } from "./tasks.js";
import { unknown } from "./unknown.js";

const LONG_TEXT = 1500;
const LONG_LINES = 25;
const DRAW = {
  section, header, divider: () => el("hr"), context, actions, image, call,
  input: inputBlock,
  rich_text: (block) => el("div", { class: "rich" }, richText(block.elements)),
  markdown: (block) => el("div", { class: "md" }, markdown(block.text)),
  context_actions: (block, form) => el("div", { class: "context-actions" }, elements(block, form)),
  table, data_table: dataTable, data_visualization: chart, auth_provider: authProvider,
  alert: alertBlock, card, carousel, container, plan, task_card: taskCard, video, file: fileBlock,
};

/** Nodes for a list of blocks. `form` holds what people have chosen and carries clicks (forms.js). */
export function blocks(list, form) {
  return (Array.isArray(list) ? list : []).map((block, index) => oneBlock(block, form, index));
}

/**
 * Bring the blocks in `root` up to date with `list`. What has not changed keeps its nodes, and with them the caret,
 * open folds, pages of tables and half-typed searches.
 */
export function refresh(root, list, form) {
  const old = new Map([...root.children].map((node) => [node.dataset.blockId, node]));
  const next = (Array.isArray(list) ? list : []).map((block, index) => {
    const known = old.get(idOf(block, index));
    if (known && drawnFrom.get(known) === JSON.stringify(block)) return known;
    const made = oneBlock(block, form, index);
    if (known) keepFolds(known, made);
    return made;
  });
  const kept = new Set(next);
  for (const node of [...root.children]) if (!kept.has(node)) node.remove();
  next.forEach((node, index) => {
    if (root.children[index] !== node) root.insertBefore(node, root.children[index] || null);
  });
}

const drawnFrom = new WeakMap();

function keepFolds(from, to) {
  const [before, after] = [from, to].map((node) => [...node.querySelectorAll("details")]);
  if (before.length === after.length) after.forEach((one, index) => void (one.open = before[index].open));
}

function idOf(block, index) {
  return String(block?.block_id || `block-${index}`);
}

function oneBlock(block, form, index) {
  const known = block && Object.hasOwn(DRAW, block.type);
  const named = { ...block, block_id: idOf(block, index) };
  let node;
  try {
    node = known ? DRAW[block.type](named, form, blocks) : unknown(block);
  } catch (error) {
    node = unknown(block, "block", `This block could not be drawn: ${error.message}`);
  }
  const made = el("div", { class: `block ${known ? block.type : "unknown"}`, "data-block-id": named.block_id }, node);
  drawnFrom.set(made, JSON.stringify(block));
  return made;
}

function elements(block, form) {
  return (block.elements || []).map((one, index) => element(one, block, form, index));
}

function section(block, form) {
  const fields = block.fields?.length ? el("div", { class: "fields" }, block.fields.map((field) => el("div", {}, textObject(field)))) : null;
  const body = el("div", { class: "section-body" }, block.text ? longText(block, form) : null, fields);
  if (!block.accessory) return body;
  const kind = String(block.accessory.type);
  const extra = ["radio_buttons", "checkboxes"].includes(kind) ? " stacked" : /select|picker/.test(kind) ? " wide" : "";
  return el("div", { class: `with-accessory${extra}` }, body, el("div", { class: "accessory" }, element(block.accessory, block, form, 0)));
}

// Slack folds a long section behind "Show more" unless it says expand.
function longText(block) {
  const text = el("div", { class: "text" }, textObject(block.text));
  const lines = (block.text.text || "").split("\n").length;
  if (block.expand || ((block.text.text || "").length < LONG_TEXT && lines < LONG_LINES)) return text;
  text.classList.add("folded");
  const more = el("button", { type: "button", class: "link-button", "data-action-id": "show-more", "aria-expanded": "false" }, "Show more");
  more.addEventListener("click", () => {
    const open = text.classList.toggle("folded") === false;
    more.textContent = open ? "Show less" : "Show more";
    more.setAttribute("aria-expanded", String(open));
  });
  return [text, more];
}

function header(block) {
  const level = Math.min(Math.max(Number(block.level) || 1, 1), 4);
  return el(`h${level + 2}`, { class: `level-${level}` }, plain(block.text?.text, block.text?.emoji !== false));
}

function context(block) {
  return el("div", { class: "context-row" }, (block.elements || []).map((one) => {
    if (one?.type === "image") return thumbnail(one);
    return ["mrkdwn", "plain_text"].includes(one?.type) ? el("span", {}, textObject(one)) : unknown(one, "element");
  }));
}

function actions(block, form) {
  return el("div", { class: "buttons" }, elements(block, form));
}

function image(block) {
  return el("figure", {}, block.title ? el("figcaption", {}, textObject(block.title)) : null, picture(block));
}
