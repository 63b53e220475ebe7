// Knows which function draws which Block Kit block, and draws the plain ones; knows nothing of panes or of the network.

import { el } from "./dom.js";
import { card, carousel, container, plan, taskCard, alertBlock, fileBlock, video } from "./cards.js";
import { chart } from "./charts.js";
import { element } from "./elements.js";
import { inputBlock } from "./inputs.js";
import { markdown } from "./markdown.js";
import { mrkdwn, plain, textObject } from "./mrkdwn.js";
import { picture, thumbnail } from "./pictures.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

const DRAW = {
  section, header, divider: () => el("hr"), context, actions, image,
  input: inputBlock,
  rich_text: (block) => el("div", { class: "rich" }, richText(block.elements)),
  markdown: (block) => el("div", { class: "md" }, markdown(block.text)),
  context_actions: (block, form) => el("div", { class: "context-actions" }, elements(block, form)),
  table, data_table: dataTable, data_visualization: chart,
  alert: alertBlock, card, carousel, container, plan, task_card: taskCard, video, file: fileBlock,
};

/** Nodes for a list of blocks. `form` holds what people have chosen and carries clicks (forms.js). */
export function blocks(list, form) {
  return (Array.isArray(list) ? list : []).map((block, index) => oneBlock(block, form, index));
}

function oneBlock(block, form, index) {
  const known = block && Object.hasOwn(DRAW, block.type);
  const named = { ...block, block_id: block?.block_id || `block-${index}` };
  let node;
  try {
    node = known ? DRAW[block.type](named, form, blocks) : unknown(block);
  } catch (error) {
    node = unknown(block, `This block could not be drawn: ${error.message}`);
  }
  return el("div", { class: `block ${known ? block.type : "unknown"}`, "data-block-id": named.block_id }, node);
}

function unknown(block, why = `Unknown block: ${block?.type ?? "no type"}`) {
  return el("details", { class: "unknown-block" }, el("summary", {}, why), el("pre", {}, el("code", {}, JSON.stringify(block, null, 2))));
}

function elements(block, form) {
  return (block.elements || []).map((one, index) => element(one, block, form, index));
}

function section(block, form) {
  const fields = block.fields?.length ? el("div", { class: "fields" }, block.fields.map((field) => el("div", {}, textObject(field)))) : null;
  const body = el("div", { class: "section-body" }, block.text ? longText(block, form) : null, fields);
  if (!block.accessory) return body;
  const picture = block.accessory.type === "image";
  return el("div", { class: "with-accessory" }, body, el("div", { class: "accessory" }, picture ? thumbnail(block.accessory) : element(block.accessory, block, form, 0)));
}

// Slack folds a long section behind "Show more" unless it says expand.
function longText(block) {
  const text = el("div", { class: "text" }, textObject(block.text));
  const lines = (block.text.text || "").split("\n").length;
  if (block.expand || ((block.text.text || "").length < 1500 && lines < 25)) return text;
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
  return el(`h${block.level ? Math.min(block.level + 2, 6) : 3}`, {}, plain(block.text?.text));
}

function context(block) {
  return el("div", { class: "context-row" }, (block.elements || []).map((one) =>
    one.type === "image" ? thumbnail(one) : el("span", {}, one.type === "mrkdwn" ? mrkdwn(one.text) : plain(one.text))));
}

function actions(block, form) {
  return el("div", { class: "buttons" }, elements(block, form));
}

function image(block) {
  return el("figure", {}, block.title ? el("figcaption", {}, textObject(block.title)) : null, picture(block));
}
