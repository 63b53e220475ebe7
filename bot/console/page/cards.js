// Knows the blocks that frame others (card, carousel, container, task_card, plan, alert, video, file); knows nothing of inputs.

import { el, icon, link } from "./dom.js";
import { picture } from "./pictures.js";
import { fileCard } from "./filecards.js";
import { element } from "./elements.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const STATE = { pending: ["○", "Waiting"], in_progress: ["◐", "Running"], complete: ["✓", "Done"], error: ["!", "Failed"] };
const LEVEL = { default: "Note", info: "Info", warning: "Warning", error: "Error", success: "Success" };

/** alert: a text with a level. */
export function alertBlock(block) {
  const level = Object.hasOwn(LEVEL, block.level) ? block.level : "default";
  return el("div", { class: `alert-box ${level}`, role: "note", "aria-label": LEVEL[level] }, textObject(block.text));
}

/** card: hero picture, icon, title, subtitle, body, buttons. */
export function card(block, form) {
  const hero = block.hero_image ? picture(block.hero_image, "hero") : null;
  const face = block.icon ? picture(block.icon, "card-icon") : null;
  const heading = el("div", { class: "card-head" }, face, el("div", {}, block.title ? el("strong", {}, textObject(block.title)) : null, block.subtitle ? el("small", {}, textObject(block.subtitle)) : null));
  const buttons = block.actions?.length ? el("div", { class: "buttons" }, block.actions.map((one, index) => element(one, block, form, index))) : null;
  const body = block.body ? el("div", { class: "text" }, textObject(block.body)) : null;
  const fine = block.subtext ? el("div", { class: "fine" }, textObject(block.subtext)) : null;
  return el("article", { class: "card-frame" }, hero, heading, body, fine, buttons);
}

/** carousel: cards side by side, scrolled by hand or keyboard. */
export function carousel(block, form, blocks) {
  const cards = block.elements || block.cards || [];
  return el("div", { class: "carousel-row", tabindex: "0", role: "group", "aria-label": `${cards.length} cards, scroll sideways` }, blocks(cards.map((one, index) => ({ type: "card", block_id: `${block.block_id}-${index}`, ...one })), form));
}

/** container: other blocks, perhaps folded away behind a title. */
export function container(block, form, blocks) {
  const children = blocks(block.child_blocks || [], form);
  const title = block.title ? textObject(block.title) : ["Details"];
  const aside = block.subtitle ? el("small", {}, textObject(block.subtitle)) : null;
  if (!block.is_collapsible) return el("div", { class: "container-box" }, block.title ? el("div", { class: "container-title" }, title, aside) : null, children);
  return el("details", { class: "container-box", open: !block.default_collapsed }, el("summary", { "data-action-id": `${block.block_id}-toggle` }, icon("chevron"), title, aside), children);
}

/** task_card: one step of an agent's work. */
export function taskCard(block) {
  const [mark, name] = STATE[block.status] || STATE.pending;
  const detail = [rich(block.details), rich(block.output), sources(block.sources)].filter((node) => node);
  const head = [el("span", { class: `task-mark ${block.status || "pending"}`, role: "img", "aria-label": name }, mark), el("span", {}, plain(block.title?.text ?? block.title))];
  if (!detail.length) return el("div", { class: "task" }, el("div", { class: "task-head" }, head));
  return el("details", { class: "task", open: block.status === "in_progress" || block.status === "error" }, el("summary", { class: "task-head" }, head, icon("chevron")), el("div", { class: "task-detail" }, detail));
}

/** plan: a titled list of tasks. */
export function plan(block) {
  const tasks = block.tasks || [];
  const done = tasks.filter((one) => one.status === "complete").length;
  return el("div", { class: "plan-box" }, el("div", { class: "plan-title" }, el("strong", {}, plain(block.title?.text ?? block.title)), el("small", {}, `${done} of ${tasks.length} done`)), tasks.map(taskCard));
}

/** video: a card that leads to the video; nothing is embedded. */
export function video(block) {
  return el("div", { class: "file-card" }, icon("file"), el("div", { class: "file-facts" }, el("strong", {}, link(block.title_url || block.video_url, plain(block.title?.text))), el("small", {}, plain(block.description?.text ?? block.alt_text ?? "Video"))));
}

/** file: a remote file, or one of the workspace's own. */
export function fileBlock(block) {
  if (block.file) return fileCard(block.file);
  return el("div", { class: "file-card" }, icon("file"), el("div", { class: "file-facts" }, el("strong", {}, block.external_id || block.file_id || "File"), el("small", {}, `Source: ${block.source || "unknown"}`)));
}

function rich(object) {
  if (!object) return null;
  if (typeof object === "string") return el("div", { class: "md" }, markdown(object));
  if (object.type === "rich_text") return el("div", { class: "rich" }, richText(object.elements));
  return el("div", { class: "text" }, textObject(object));
}

function sources(list) {
  if (!list?.length) return null;
  return el("div", { class: "fine" }, "Sources: ", list.map((one, index) => [index ? " · " : "", link(one.url, one.text || one.url)]));
}
