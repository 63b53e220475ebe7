// Knows the blocks that show an agent's steps (task_card, plan); knows nothing of the run behind them.

import { el, icon, link } from "./dom.js";
import { markdown } from "./markdown.js";
import { plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const STATE = { pending: "Waiting", in_progress: "Running", complete: "Done", error: "Failed" };

/** task_card: one step. */
export function taskCard(block) {
  const status = Object.hasOwn(STATE, block.status) ? block.status : "pending";
  const detail = [rich(block.details), rich(block.output), sources(block.sources)].filter((node) => node);
  const mark = el("span", { class: `task-mark ${status}`, role: "img", "aria-label": STATE[status] }, { complete: icon("check"), error: icon("close") }[status]);
  const head = [mark, el("span", { class: "task-title" }, plain(block.title?.text ?? block.title))];
  if (!detail.length) return el("div", { class: `task ${status}` }, el("div", { class: "task-head" }, head));
  return el("details", { class: `task ${status}`, open: status === "in_progress" || status === "error" }, el("summary", { class: "task-head" }, head, icon("chevron")), el("div", { class: "task-detail" }, detail));
}

/** plan: a titled list of tasks. */
export function plan(block) {
  const tasks = block.tasks || [];
  const done = tasks.filter((one) => one.status === "complete").length;
  const count = tasks.length ? el("small", {}, `${done} of ${tasks.length} done`) : null;
  return el("div", { class: "plan-box" }, el("div", { class: "plan-title" }, el("strong", {}, plain(block.title?.text ?? block.title)), count), tasks.map(taskCard));
}

function rich(object) {
  if (!object) return null;
  if (typeof object === "string") return el("div", { class: "md" }, markdown(object));
  if (object.type === "rich_text") return el("div", { class: "rich" }, richText(object.elements));
  return el("div", { class: "text" }, textObject(object));
}

function sources(list) {
  if (!list?.length) return null;
  return el("div", { class: "sources" }, "Sources", el("ul", {}, list.map((one) => el("li", {}, link(one?.url, String(one?.text || one?.url || ""))))));
}
